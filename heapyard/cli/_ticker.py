"""Say which of many steps runs: one live line on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["Ticker"]

_REDRAW = 0.1
"""Seconds between two drawings of the live line."""
_LOG = 10.0
"""Seconds between two lines of a log."""


class Ticker:
    """Draws between steps only, with no thread: a step may be a measurement."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._started = time.monotonic()
        self._live = stream.isatty()
        self._next = self._started + (0 if self._live else _LOG)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the live line away, before something else is printed."""
        if self._live:
            self._write("\r\x1b[2K")

    def step(self, text: str) -> None:
        """Note that the next step begins."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + (_REDRAW if self._live else _LOG)
            self._draw(f"{self._done}/{self._total}, {now - self._started:.0f} s: {text}")
        self._done += 1

    def _draw(self, line: str) -> None:
        if self._live:
            columns = os.get_terminal_size(self._stream.fileno()).columns or 80
            self._write(f"\r\x1b[2K{line[: columns - 1]}")
        else:
            self._write(f"heapyard: {line}\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._total = self._done
