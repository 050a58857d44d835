"""Lay out a table of rules by targets in the columns that a terminal has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.report.style import Style

__all__ = ["Columns", "Row", "headings"]

_LAYOUTS = ((False, 2), (True, 2), (True, 1))
"""The best first: (numbers instead of names, blanks between columns)."""
_SHORTEST_NOTE = 12
_SHORTEST_SENTENCE = 20


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a label, a note that may be cut, and a cell for each target."""

    label: str
    note: str = ""
    cells: tuple[str, ...] = ()
    colours: tuple[tuple[str, ...], ...] = ()
    is_heading: bool = False

    @classmethod
    def heading(cls, text: str) -> Row:
        """A line above others, under which the targets' names stand."""
        return cls(label=text, is_heading=True)

    @classmethod
    def blank(cls) -> Row:
        """An empty line."""
        return cls(label="")


def headings(names: Sequence[str]) -> tuple[str, ...]:
    """Names as people say them (`libjemalloc.so.2` is jemalloc), where they stay different."""
    short = tuple(re.sub(r"^lib(.+?)\.so[.0-9]*$", r"\1", name) for name in names)
    return short if len(set(short)) == len(names) else tuple(names)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Widths that fit the terminal; where the names don't fit, numbers stand for them."""

    label: int
    note: int
    cells: tuple[int, ...]
    names: tuple[str, ...]
    numbered: bool
    gap: int

    @classmethod
    def fit(cls, rows: Sequence[Row], names: Sequence[str], width: int) -> Columns:
        """Use the names if a useful part of the notes can stand beside them."""
        label = max((len(row.label) for row in rows if not row.is_heading), default=0) + 2
        wanted = max((len(row.note) for row in rows), default=0)
        needed = [
            max((len(row.cells[i]) for row in rows if row.cells), default=0)
            for i in range(len(names))
        ]
        for numbered, gap in _LAYOUTS:
            heads = [str(i) for i, _ in enumerate(names, 1)] if numbered else list(names)
            cells = tuple(max(n, len(head)) for n, head in zip(needed, heads, strict=True))
            left = width - 1 - label - 2 - sum(each + gap for each in cells)
            if left >= min(wanted, _SHORTEST_NOTE):
                break
        room = max(0, min(wanted, left))
        return cls(
            label=label,
            note=max((len(_cut(row.note, room)) for row in rows), default=0),
            cells=cells,
            names=tuple(heads),
            numbered=numbered,
            gap=gap,
        )

    def legend(self, names: Sequence[str], style: Style) -> Iterator[str]:
        """Whom the numbers stand for."""
        if self.numbered:
            for number, name in enumerate(names, 1):
                yield f"{style(f'{number:>3}', 'bold')}  {name}"
            yield ""

    def line(self, row: Row, style: Style) -> str:
        """The row as text, without blanks at its end."""
        if not row.label:
            return ""
        if row.is_heading:
            return self._heading(row, style)
        note = _cut(row.note, self.note)
        head = f"  {row.label:<{self.label - 2}}  {style(f'{note:<{self.note}}', 'dim')}"
        cells = (
            " " * self.gap + style(f"{cell:>{size}}", *colours)
            for cell, size, colours in zip(row.cells, self.cells, row.colours, strict=True)
        )
        return (head + "".join(cells)).rstrip()

    def _heading(self, row: Row, style: Style) -> str:
        size = self.label + 2 + self.note
        names = (
            " " * self.gap + f"{name:>{width}}"
            for name, width in zip(self.names, self.cells, strict=True)
        )
        return style(f"{row.label:<{size}}" + "".join(names), "bold")


def _cut(text: str, width: int) -> str:
    """The text, or as much of it as says something; a stump of a sentence says nothing."""
    if len(text) <= width:
        return text
    if " " in text and width < _SHORTEST_SENTENCE:
        return ""
    return text[: max(0, width - 3)].rstrip() + "..." if width > 3 else text[:width]
