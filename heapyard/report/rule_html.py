"""What a row of the page opens to, whatever the verdicts: the rule, figures, memory over time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from heapyard.report.figures import figure_rows
from heapyard.report.memory_svg import bytes_text, draw_memory, memory_top, points_most

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.report.budget import Budget
    from heapyard.report.evidence import MemoryPoint
    from heapyard.report.figures import FigureRow
    from heapyard.report.lines import Line

__all__ = ["rule_body"]

_POINTS = 60
"""Of each drawing where all is well; what failed has them all."""


def rule_body(line: Line, names: Sequence[str], budget: Budget) -> Iterator[str]:
    """The docstring, the source, figures of all targets, and memory of those that measured it."""
    yield from _texts(line)
    figures = [result.figure if result else None for result in line.results]
    rows = list(figure_rows(figures))
    if rows and not any(rows[0].words):
        yield from _bars(rows[0], names)
    if len(rows) > 1 or any(any(row.words) for row in rows):
        yield from _table(rows, names)
    drawings = "".join(_memories(line, names))
    yield budget.drawing(drawings) if drawings else ""


def _texts(line: Line) -> Iterator[str]:
    known = next(result for result in line.results if result)
    evidence = next((each.evidence for each in line.results if each and each.evidence), None)
    paragraphs = evidence.about.split("\n\n") if evidence and evidence.about else []
    yield "".join(f"<p>{escape(' '.join(each.split()))}</p>" for each in paragraphs)
    bug = f"<dt>caught</dt><dd>{escape(evidence.bug)}</dd>" if evidence and evidence.bug else ""
    again = f"heapyard check TARGET -k {line.id}"
    yield (
        f"<dl><dt>source</dt><dd>{escape(known.source)}</dd>{bug}"
        f"<dt>run it</dt><dd><code>{again}</code></dd></dl>"
    )
    for result in line.results:
        if result and result.verdict == "skip":
            yield f'<p class="dim">n/a on {escape(result.target)}: {escape(result.detail)}</p>'


def _bars(row: FigureRow, names: Sequence[str]) -> Iterator[str]:
    """The figures as a table with bars."""
    numbers = [each for each in row.values if each is not None]
    most = max([*map(abs, numbers), 1e-12])
    unit = f", {escape(row.unit)}" if row.unit else ""
    yield f"<p>{escape(row.name.replace('_', ' '))}{unit}</p>"
    yield '<table class="bars"><tbody>'
    for index, (name, text, value) in enumerate(zip(names, row.texts, row.values, strict=True)):
        if not text:
            continue
        share = 100 * abs(value or 0) / most
        star = "\N{BLACK STAR} " if index in row.best else ""
        yield (
            f"<tr><td>{escape(name)}</td><td>{star}{escape(text)}</td>"
            f'<td><span class="hbar" style="width:{share:.1f}%"></span></td></tr>'
        )
    yield "</tbody></table>"


def _table(rows: Sequence[FigureRow], names: Sequence[str]) -> Iterator[str]:
    """All figures of the rule, targets side by side."""
    heads = "".join(f"<th>{escape(name)}</th>" for name in ("", *names))
    yield f'<div class="scroll"><table class="figures"><thead><tr>{heads}</tr></thead><tbody>'
    for row in rows:
        unit = f", {row.unit}" if row.unit else ""
        yield f"<tr><td>{escape(row.name.replace('_', ' ') + unit)}</td>"
        for index, text in enumerate(row.texts):
            star = "\N{BLACK STAR} " if index in row.best else ""
            yield f"<td>{star}{escape(text)}</td>"
        yield "</tr>"
    yield "</tbody></table></div>"


def _memories(line: Line, names: Sequence[str]) -> Iterator[str]:
    """A small drawing for each target, all with one scale."""
    found = [
        (name, result.evidence.memory)
        for name, result in zip(names, line.results, strict=True)
        if result and result.evidence and _is_worth_drawing(result.evidence.memory)
    ]
    if not found:
        return
    top = max(memory_top(points) for _, points in found)
    yield "<p>Memory while the plan runs: the area is what is live, the line what is resident.</p>"
    yield '<div class="memories">'
    for name, points in found:
        end = f"{bytes_text(points_most(points))} live at most, {bytes_text(points[-1].resident)}"
        yield f"<figure>{draw_memory(_thinned(points), top)}"
        yield f"<figcaption>{escape(name)}: {end} resident at the end</figcaption></figure>"
    yield "</div>"


def _is_worth_drawing(points: Sequence[MemoryPoint]) -> bool:
    """Some calls, and more than a page of memory."""
    return len(points) > 2 and memory_top(points) > 1 << 20


def _thinned(points: Sequence[MemoryPoint]) -> Sequence[MemoryPoint]:
    """At most _POINTS of them; of those left out none is the highest or the last."""
    if len(points) <= _POINTS:
        return points
    step = -(-len(points) // (_POINTS // 2))
    kept: list[MemoryPoint] = []
    for start in range(0, len(points), step):
        part = points[start : start + step]
        high = max(part, key=lambda point: point.resident)
        kept += sorted({part[0], high})
    return [*kept, points[-1]] if kept[-1] != points[-1] else kept
