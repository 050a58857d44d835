"""Show how far a run is: one live line on a terminal, a line now and then in a log."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from typing import TYPE_CHECKING

from heapyard.report.style import style_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ["Progress", "duration", "estimate"]

_REDRAW = 0.1
"""Seconds between two drawings of the live line."""
_LOG = 10.0
"""Seconds between two lines of a log."""
_BAR = 20
_COLUMNS = 80
"""Of a terminal that does not know its own size."""
_LONG = 3.0
"""A test that runs longer than this is shown rather than the one that began last."""
_FIRST_ESTIMATE = 3.0
"""Seconds before which there is too little to go by."""


class Progress:
    """Counts finished tests. A thread draws, so that the clock runs while one test takes long."""

    def __init__(self, stream: TextIO, what: str = "verdicts") -> None:
        self.expected: int | None = None
        self._stream = stream
        self._what = what
        self._live = stream.isatty()
        self._style = style_for(stream)
        self._running: dict[str, float] = {}
        self._done: set[str] = set()
        self._failed = 0
        self._started = time.monotonic()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._draw_until_over, daemon=True)
        self._thread.start()

    def expect(self, count: int) -> None:
        """Know the total, once the tests are collected."""
        with self._lock:
            self.expected = count

    def started(self, nodeid: str) -> None:
        """Note that a test runs."""
        with self._lock:
            self._running[nodeid] = time.monotonic()

    def finished(self, nodeid: str, *, failed: bool) -> None:
        """Note that a test has its verdict."""
        with self._lock:
            self._running.pop(nodeid, None)
            self._failed += failed and nodeid not in self._done
            self._done.add(nodeid)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the live line away while something else is printed."""
        with self._lock:
            if self._live:
                self._write("\r\x1b[2K")
            yield

    def close(self) -> None:
        """Stop, and take the live line away."""
        self._over.set()
        self._thread.join()
        if self._live:
            self._write("\r\x1b[2K")

    def _draw_until_over(self) -> None:
        while not self._over.wait(_REDRAW if self._live else _LOG):
            with self._lock:
                if self._live:
                    self._write(f"\r\x1b[2K{self._line()}")
                elif self.expected:
                    self._write(f"heapyard: {self._line()}\n")

    def _line(self) -> str:
        """`[####......] 37/312  2 failed  12 s, 50 s left  HY-FUZZ-03-libc`, cut to the width."""
        if self.expected is None:
            return "collecting the rules"
        done = len(self._done)
        failed = f"{self._failed} failed"
        counts = f"{done}/{self.expected}"
        clock = self._clock(done, self.expected)
        if not self._live:
            running = f"; {self._shown()}" if self._running else ""
            return f"{counts} {self._what}, {failed}, {clock}{running}"
        bar = "#" * (_BAR * done // max(1, self.expected))
        head = f"[{bar:.<{_BAR}}] {counts}  "
        tail = f"  {clock}  {self._shown()}"
        columns = os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS
        room = columns - 1 - len(head) - len(failed)
        colour = ("red", "bold") if self._failed else ("dim",)
        return head + self._style(failed, *colour) + tail[: max(0, room)]

    def _clock(self, done: int, expected: int) -> str:
        """How long it has taken, and about how long it will."""
        passed = time.monotonic() - self._started
        left = estimate(passed, done, expected)
        return duration(passed) + ("" if left is None else f", about {duration(max(1, left))} left")

    def _shown(self) -> str:
        """What runs: the one that takes long, with its time, or else the one that began last."""
        if not self._running:
            return ""
        oldest = min(self._running, key=lambda each: self._running[each])
        age = time.monotonic() - self._running[oldest]
        if age > _LONG:
            return f"{_name(oldest)} ({duration(age)})"
        return _name(next(reversed(self._running)))

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._over.set()


def estimate(passed: float, done: int, expected: int) -> float | None:
    """The seconds that the rest takes, if it takes as long as what is done; None: too early."""
    if passed < _FIRST_ESTIMATE or not 0 < done < expected:
        return None
    return passed * (expected - done) / done


def duration(seconds: float) -> str:
    """To the second, from two minutes on in minutes too.

    >>> [duration(each) for each in (9.7, 119, 150)]
    ['10 s', '119 s', '2 min 30 s']
    """
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


def _name(nodeid: str) -> str:
    """Rule and target of a test's id."""
    found = re.search(r"\[(.+)\]$", nodeid)
    return found[1] if found else ""
