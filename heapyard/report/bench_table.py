"""A benchmark's results as text: for each plan a table with a line for each target."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from heapyard.bench.targets import BASELINES, FLOOR
from heapyard.report.columns import headings
from heapyard.report.terminal import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.bench.figures import Spread
    from heapyard.bench.result import BenchReport, PlanReport, Row
    from heapyard.report.style import Style

__all__ = ["instructions_text", "legend", "lines_of_plan", "mebibytes", "nanoseconds", "ratio_text"]

_NAME = 18
_COLUMNS = 78
_WIDTHS = (8, 13, 9, 9, 9, 9)


def lines_of_plan(plan: PlanReport, style: Style) -> Iterator[str]:
    """Title, headings, and the rows."""
    names = headings([row.target for row in plan.rows])
    live = f", {mebibytes(plan.live_peak)} MiB live at most" if plan.live_peak > 1 << 16 else ""
    yield style(plan.title, "bold") + style(live, "dim")
    heads = ("ns/pair", "quartiles", f"x {_short(names[0])}", "x floor", "peak MiB", "left MiB")
    yield style(f"  {'':<{_NAME}}{_joined(heads)}", "dim")
    for name, row in zip(names, plan.rows, strict=True):
        yield _line(name, row, plan, style)
    for line in textwrap.wrap(instructions_text(plan), _COLUMNS - 2):
        yield f"  {line}"


def legend(report: BenchReport) -> str:
    """What the figures are, under the tables."""
    frees = ", freed with their sizes where the target can" if report.settings.sized else ""
    rounds = plural(report.settings.rounds, "interleaved round")
    return (
        f"{rounds}, seed {report.settings.seed}{frees}; {report.machine}. ns/pair: median processor"
        " time of a malloc, a write and a free; half of the rounds lie between the quartiles. x:"
        " median of each round's own ratio; ~ where 1 lies between its quartiles. peak, left:"
        " resident memory at its highest, and after everything is freed."
    )


def instructions_text(plan: PlanReport) -> str:
    """As "instructions a pair, less those of the floor (12): libc 92, ..."; empty: not counted."""
    names = headings([row.target for row in plan.rows])
    counts = [
        f"{name} {net:.0f}"
        for name, row in zip(names, plan.rows, strict=True)
        if row.target != FLOOR and (net := plan.net_instructions(row)) is not None
    ]
    if not counts or plan.floor.instructions is None:
        return ""
    floor = plan.floor.instructions
    return f"instructions a pair, less the {floor:.0f} of the floor: {', '.join(counts)}"


def _line(name: str, row: Row, plan: PlanReport, style: Style) -> str:
    label = f"  {_cut(name):<{_NAME}}"
    if row.trouble is not None:
        return f"{label}  {style(row.trouble.text, 'red', 'bold')}"
    cells = (
        nanoseconds(row.pair.median),
        f"{nanoseconds(row.pair.low)}-{nanoseconds(row.pair.high)}",
        ratio_text(row.ratio_to(plan.first)),
        ratio_text(row.ratio_to(plan.floor)),
        mebibytes(row.peak),
        mebibytes(row.final),
    )
    text = label + _joined(cells)
    return style(text, "dim") if row.target in BASELINES else text


def _joined(cells: Sequence[str]) -> str:
    """In columns, with a blank before each however long it is."""
    return "".join(f" {cell:>{width - 1}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def ratio_text(ratio: Spread | None) -> str:
    """As "1.27"; "~1.02" where 1 lies between the quartiles, "-" where there is none."""
    if ratio is None:
        return "-"
    same = ratio.holds_one and ratio.low != ratio.high
    return f"{'~' if same else ''}{ratio.median:.2f}"


def nanoseconds(value: float) -> str:
    """Three digits that count: "4.2", "35.6", "1,234"."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}"


def mebibytes(size: float) -> str:
    """Two digits that count: "0.02", "3.1", "122"."""
    value = size / (1 << 20)
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def _cut(name: str) -> str:
    return name if len(name) <= _NAME else name[: _NAME - 3] + "..."


def _short(name: str) -> str:
    return name if len(name) <= 6 else "first"
