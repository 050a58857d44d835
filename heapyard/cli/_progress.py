"""Show how far a run is: one live line on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING

from heapyard.report.style import style_for

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["Progress"]

_REDRAW = 0.1
"""Seconds between two drawings of the live line."""
_LOG = 10.0
"""Seconds between two lines of a log."""
_BAR = 20
_COLUMNS = 80
"""Of a terminal that does not know its own size."""


class Progress:
    """Counts finished tests. A thread draws, so that the clock runs while one test takes long."""

    def __init__(self, stream: TextIO) -> None:
        self.expected: int | None = None
        self._stream = stream
        self._live = stream.isatty()
        self._style = style_for(stream)
        self._running: dict[str, None] = {}
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
            self._running[nodeid] = None

    def finished(self, nodeid: str, *, failed: bool) -> None:
        """Note that a test has its verdict."""
        with self._lock:
            self._running.pop(nodeid, None)
            self._failed += failed and nodeid not in self._done
            self._done.add(nodeid)

    def close(self) -> None:
        """Stop, and take the live line away."""
        self._over.set()
        self._thread.join()
        if self._live:
            self._write("\r\x1b[2K")

    def _draw_until_over(self) -> None:
        while not self._over.wait(_REDRAW if self._live else _LOG):
            with self._lock:
                line = self._line()
            if self._live:
                self._write(f"\r\x1b[2K{line}")
            elif self.expected:
                self._write(f"heapyard: {line}\n")

    def _line(self) -> str:
        """`[####......] 37/312  2 failed  12 s  HY-FUZZ-03-libc`, cut to the terminal's width."""
        if self.expected is None:
            return "collecting the rules"
        done = len(self._done)
        failed = f"{self._failed} failed"
        counts = f"{done}/{self.expected}"
        seconds = f"{time.monotonic() - self._started:.0f} s"
        if not self._live:
            return f"{counts} verdicts, {failed}, {seconds}"
        bar = "#" * (_BAR * done // max(1, self.expected))
        head = f"[{bar:.<{_BAR}}] {counts}  "
        tail = f"  {seconds}  {_shown(next(reversed(self._running), ''))}"
        columns = os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS
        room = columns - 1 - len(head) - len(failed)
        colour = ("red", "bold") if self._failed else ("dim",)
        return head + self._style(failed, *colour) + tail[: max(0, room)]

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._over.set()


def _shown(nodeid: str) -> str:
    """Rule and target of a test's id."""
    found = re.search(r"\[(.+)\]$", nodeid)
    return found[1] if found else ""
