"""Colours and marks, or none: what may be written to a stream."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

__all__ = ["Style", "style_for"]

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, kw_only=True)
class Style:
    """How text is marked up. Without colour, words alone must tell everything."""

    colour: bool = False

    def __call__(self, text: str, *names: str) -> str:
        """The text in these colours, where colours are wanted."""
        if not self.colour or not text:
            return text
        codes = ";".join(_CODES[name] for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m"


def style_for(stream: TextIO | None = None) -> Style:
    """Colour on a terminal that has it, unless NO_COLOR is set (no-color.org)."""
    stream = sys.stdout if stream is None else stream
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Style(colour=stream.isatty() and not plain)
