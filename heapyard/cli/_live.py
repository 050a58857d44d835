"""Say how far something without an end is: a live line on a terminal, else one now and then."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["LiveLine"]

_REDRAW = 0.2
"""Seconds between two drawings of the live line."""
_LOG = 10.0
"""Seconds between two lines of a log."""


class LiveLine:
    """Draws where it is told to, and not more often than eyes can follow."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._next = time.monotonic() + (0 if self._live else _LOG)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, text: str) -> None:
        """What is so now."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_REDRAW if self._live else _LOG)
        if self._live:
            columns = os.get_terminal_size(self._stream.fileno()).columns or 80
            self._write(f"\r\x1b[2K{text[: columns - 1]}")
        else:
            self._write(f"heapyard: {text}\n")

    def clear(self) -> None:
        """Take the live line away, before something else is printed."""
        if self._live:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._next = float("inf")
