"""A heap drawn: where its blocks and pools lie, for the terminal and as SVG."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from heapyard.errors import BadArgumentError
from heapyard.heap.layout import HeapLayout
from heapyard.heap.map_svg import draw_svg
from heapyard.heap.map_text import draw_text

__all__ = ["LEAST_WIDTH", "HeapMap"]

LEAST_WIDTH = 40
"""The narrowest terminal, in columns, that a map is drawn for."""


@dataclass(frozen=True, slots=True)
class HeapMap(HeapLayout):
    """A heap at one moment. `str()` draws it for the terminal."""

    def draw(self, *, width: int | None = None, rows: int = 40) -> str:
        """The map as text: one line per arena, or per part of it, or for several arenas.

        `width` is in columns, by default the terminal's; `rows` bounds the lines for arenas, and
        the lines for pools, where the pools with the least in use come first.
        """
        if width is None:
            width = max(shutil.get_terminal_size().columns, LEAST_WIDTH)
        if width < LEAST_WIDTH:
            raise BadArgumentError("width", width, f"must be at least {LEAST_WIDTH} columns")
        if rows < 1:
            raise BadArgumentError("rows", rows, "must be at least 1 line")
        return draw_text(self, width, rows)

    def svg(self) -> str:
        """The map as an SVG document that needs no other file; what lies where shows on hover."""
        return draw_svg(self)

    def __str__(self) -> str:
        return self.draw()
