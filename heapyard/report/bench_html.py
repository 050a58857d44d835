"""A benchmark's results as one page: bars drawn as SVG, tables, no scripts, nothing fetched."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from heapyard.bench.targets import BASELINES
from heapyard.report.bench_table import (
    instructions_text,
    legend,
    mebibytes,
    nanoseconds,
    ratio_text,
)
from heapyard.report.columns import headings
from heapyard.report.page import page, shortened, svg, write_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from heapyard.bench.result import BenchReport, PlanReport, Row

__all__ = ["as_html", "write"]

_STYLE = """\
.spread { stroke: var(--ink); stroke-width: 1.5; }
.bad { color: var(--bad); font-weight: 600; text-align: left; }"""

_WIDTH = 720
_LABEL = 150
_NUMBER = 90
_STEP = 24
_BAR = 14
_LETTERS = 20


def as_html(report: BenchReport) -> str:
    """The page: well-formed as XML too."""
    return page(f"heapyard {report.version}: benchmark", _STYLE, _body(report))


def _body(report: BenchReport) -> Iterator[str]:
    yield f"<p>{escape(legend(report))}</p>"
    for plan in report.plans:
        yield from _plan(plan)


def _plan(plan: PlanReport) -> Iterator[str]:
    names = headings([row.target for row in plan.rows])
    yield f"<h2>{escape(plan.title)}</h2>"
    rows = [(name, row) for name, row in zip(names, plan.rows, strict=True) if row.samples]
    if rows:
        yield from _figure(rows, "ns per pair", lambda row: row.pair.median, nanoseconds)
        live = f"peak resident memory in MiB ({mebibytes(plan.live_peak)} MiB live at most)"
        yield from _figure(rows, live, lambda row: row.peak, mebibytes)
    yield from _table(plan, names)


def _figure(
    rows: Sequence[tuple[str, Row]],
    caption: str,
    value_of: Callable[[Row], float],
    text_of: Callable[[float], str],
) -> Iterator[str]:
    """A bar for each row; the quartiles of times as a thin line across its end."""
    is_time = caption.startswith("ns")
    ends = [row.pair.high if is_time else value_of(row) for _, row in rows]
    scale = (_WIDTH - _LABEL - _NUMBER) / max(*ends, 1e-9)
    height = _STEP * len(rows)
    yield f"<figure><figcaption>{escape(caption)}</figcaption>"
    shapes = (
        _row(number, name, row, value_of(row), text_of, scale, is_time=is_time)
        for number, (name, row) in enumerate(rows)
    )
    yield svg(_WIDTH, height, caption, shapes)
    yield "</figure>"


def _row(  # noqa: PLR0913, PLR0917
    number: int,
    name: str,
    row: Row,
    value: float,
    text_of: Callable[[float], str],
    scale: float,
    *,
    is_time: bool,
) -> str:
    top = number * _STEP
    kind = "base" if row.target in BASELINES else "bar"
    middle = top + _STEP / 2
    label = shortened(name, _LETTERS)
    end = row.pair.high if is_time else value
    left, right = (_LABEL + each * scale for each in (row.pair.low, row.pair.high))
    spread = (
        f'<line class="spread" x1="{left:.1f}" y1="{middle}" x2="{right:.1f}" y2="{middle}"/>'
        if is_time
        else ""
    )
    return (
        f'<text x="{_LABEL - 8}" y="{middle + 4.5}" text-anchor="end">{label}</text>'
        f'<rect class="{kind}" x="{_LABEL}" y="{top + (_STEP - _BAR) / 2}"'
        f' width="{value * scale:.1f}" height="{_BAR}"/>{spread}'
        f'<text class="dim" x="{_LABEL + end * scale + 6:.1f}" y="{middle + 4.5}">'
        f"{text_of(value)}</text>"
    )


def _table(plan: PlanReport, names: Sequence[str]) -> Iterator[str]:
    heads = (
        "", "ns/pair", "quartiles", f"x {names[0]}", "x floor", "by the clock", "peak MiB",
        "left MiB", "after trim", "page faults",
    )  # fmt: skip
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f"<th>{escape(head)}</th>" for head in heads)
    yield "</tr></thead><tbody>"
    for name, row in zip(names, plan.rows, strict=True):
        yield f"<tr><td>{escape(name)}</td>{_cells(row, plan, len(heads) - 1)}</tr>"
    yield "</tbody></table></div>"
    if instructions_text(plan):
        yield f"<p>{escape(instructions_text(plan))}</p>"


def _cells(row: Row, plan: PlanReport, width: int) -> str:
    if row.trouble is not None:
        return f'<td class="bad" colspan="{width}">{escape(row.trouble.text)}</td>'
    cells = (
        nanoseconds(row.pair.median),
        f"{nanoseconds(row.pair.low)}-{nanoseconds(row.pair.high)}",
        ratio_text(row.ratio_to(plan.first)),
        ratio_text(row.ratio_to(plan.floor)),
        nanoseconds(row.wall_pair.median),
        mebibytes(row.peak),
        mebibytes(row.final),
        "" if row.trimmed is None else mebibytes(row.trimmed),
        f"{row.faults:,.0f}",
    )
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)


def write(report: BenchReport, path: Path) -> None:
    """Write the page to `path`. Raises HeapyardError where that can't be."""
    write_page(as_html(report), path)
