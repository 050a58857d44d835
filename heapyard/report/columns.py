"""Lay out tables of rules by targets in the columns that a terminal has."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.report.style import Style

__all__ = ["Row", "headings", "lay_out"]

_SHORTEST_NOTE = 26
_SHORTEST_SENTENCE = 20
_SHORTEST_WORD = 6
_FEW = 4
"""So few targets are not written in parts for the sake of notes."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a label, a note that may be cut, and a cell for each target."""

    label: str
    note: str = ""
    cells: tuple[str, ...] = ()
    colours: tuple[tuple[str, ...], ...] = ()
    is_heading: bool = False
    needs_notes: bool = False
    """Of a heading: without their notes the rows below it say nothing."""

    @classmethod
    def heading(cls, text: str, *, needs_notes: bool = False) -> Row:
        """A line above others, under which the targets' names stand."""
        return cls(label=text, is_heading=True, needs_notes=needs_notes)

    def part(self, first: int, last: int) -> Row:
        """The same with only these cells."""
        return replace(self, cells=self.cells[first:last], colours=self.colours[first:last])


def headings(names: Sequence[str]) -> tuple[str, ...]:
    """Names as people say them (`libjemalloc.so.2` is jemalloc), where they stay different."""
    short = tuple(re.sub(r"^lib(.+?)\.so[.0-9]*$", r"\1", name) for name in names)
    return short if len(set(short)) == len(names) else tuple(names)


def lay_out(
    sections: Sequence[Sequence[Row]], names: Sequence[str], width: int, style: Style
) -> Iterator[str]:
    """The sections as lines, a blank line after each.

    Where the names don't fit, numbers stand for them, and a legend first; where even these don't,
    a section is written more than once, each time with some of the targets.
    """
    numbers = [str(number) for number, _ in enumerate(names, 1)]
    plain = headings(names)
    fitting = [Columns.fit(rows, plain, width) for rows in sections]
    heads: Sequence[str] = plain
    if len(names) > 1 and None in fitting:
        heads = numbers
        yield from (f"{style(f'{n:>3}', 'bold')}  {name}" for n, name in enumerate(names, 1))
        yield ""
    for rows in sections:
        yield from _section(rows, heads, width, style)


def _section(rows: Sequence[Row], heads: Sequence[str], width: int, style: Style) -> Iterator[str]:
    """In one piece, or in halves where that is too wide."""
    columns = Columns.fit(rows, heads, width)
    if columns is None and (len(heads) < _FEW or not rows[0].needs_notes):
        columns = Columns.tight(rows, heads, width)
    if columns is None:
        middle = len(heads) // 2
        for first, last in ((0, middle), (middle, len(heads))):
            part = [row.part(first, last) for row in rows]
            yield from _section(part, heads[first:last], width, style)
        return
    yield from (columns.line(row, style) for row in rows)
    yield ""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Widths that fit the terminal."""

    label: int
    note: int
    cells: tuple[int, ...]
    heads: tuple[str, ...]
    gap: int

    @classmethod
    def fit(cls, rows: Sequence[Row], heads: Sequence[str], width: int) -> Self | None:
        """With a useful part of the notes beside the cells; None: there is no room for that."""
        wanted = max((len(row.note) for row in rows), default=0)
        least = min(wanted, _SHORTEST_NOTE) if len(heads) > 1 else 0
        columns = cls._measured(rows, heads, width, gap=2)
        return columns if columns is not None and columns._room(width) >= least else None

    @classmethod
    def tight(cls, rows: Sequence[Row], heads: Sequence[str], width: int) -> Self | None:
        """With as much of the notes as there is room for, maybe nothing; None: no room even so."""
        for gap in (2, 1):
            columns = cls._measured(rows, heads, width, gap=gap)
            if columns is not None:
                return columns
        return None

    @classmethod
    def _measured(
        cls, rows: Sequence[Row], heads: Sequence[str], width: int, *, gap: int
    ) -> Self | None:
        label = max((len(row.label) for row in rows if not row.is_heading), default=0) + 2
        cells = tuple(
            max([len(head), *(len(row.cells[i]) for row in rows if row.cells)])
            for i, head in enumerate(heads)
        )
        bare = cls(label=label, note=0, cells=cells, heads=tuple(heads), gap=gap)
        title = max((len(row.label) for row in rows if row.is_heading), default=0)
        room = bare._room(width)
        if len(heads) > 1 and (room < 0 or room + label + 2 < title):
            return None
        wanted = max((len(row.note) for row in rows), default=0)
        cut = max((len(_cut(row.note, max(0, min(wanted, room)))) for row in rows), default=0)
        return replace(bare, note=max(cut, title - label - 2, 0))

    def _room(self, width: int) -> int:
        """For notes, beside all else."""
        return width - 1 - self.label - 2 - sum(each + self.gap for each in self.cells)

    def line(self, row: Row, style: Style) -> str:
        """The row as text, without blanks at its end."""
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
            for name, width in zip(self.heads, self.cells, strict=True)
        )
        return style(f"{row.label:<{size}}" + "".join(names), "bold")


def _cut(text: str, width: int) -> str:
    """The text, or as much of it as says something; a stump of a sentence says nothing."""
    if len(text) <= width:
        return text
    if width < (_SHORTEST_SENTENCE if " " in text else _SHORTEST_WORD):
        return ""
    return text[: width - 3].rstrip() + "..."
