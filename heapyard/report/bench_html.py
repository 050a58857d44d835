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
from heapyard.report.json import unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from heapyard.bench.result import BenchReport, PlanReport, Row

__all__ = ["as_html", "write"]

_STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #68707a; --paper: #fff; --line: #d8dde3;
  --bar: #2f6fb0; --base: #a9b3be; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --dim: #96a0ab; --paper: #14181d;
  --line: #333b45; --bar: #6aa5e0; --base: #5a6570; --bad: #f28b82; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
p, figcaption { color: var(--dim); } figure { margin: 1rem 0; }
svg { width: 100%; height: auto; display: block; } text { font: 13px system-ui, sans-serif;
  fill: var(--ink); } .dim { fill: var(--dim); } .bar { fill: var(--bar); }
.base { fill: var(--base); } .spread { stroke: var(--ink); stroke-width: 1.5; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%;
  font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; } th:first-child, td:first-child { text-align: left; }
.bad { color: var(--bad); font-weight: 600; text-align: left; }"""

_WIDTH = 720
_LABEL = 150
_NUMBER = 90
_STEP = 24
_BAR = 14
_LETTERS = 20


def as_html(report: BenchReport) -> str:
    """The page: well-formed as XML too."""
    return "\n".join(_page(report)) + "\n"


def _page(report: BenchReport) -> Iterator[str]:
    title = f"heapyard {report.version}: benchmark"
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield f"<title>{escape(title)}</title>"
    yield f"<style>\n{_STYLE}\n</style></head><body>"
    yield f"<h1>{escape(title)}</h1>"
    yield f"<p>{escape(legend(report))}</p>"
    for plan in report.plans:
        yield from _plan(plan)
    yield "</body></html>"


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
    label = escape(caption, quote=True)
    yield f"<figure><figcaption>{escape(caption)}</figcaption>"
    yield f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">'
    for number, (name, row) in enumerate(rows):
        value = value_of(row)
        top = number * _STEP
        kind = "base" if row.target in BASELINES else "bar"
        middle = top + _STEP / 2
        yield f'<text x="{_LABEL - 8}" y="{middle + 4.5}" text-anchor="end">{_label(name)}</text>'
        yield (
            f'<rect class="{kind}" x="{_LABEL}" y="{top + (_STEP - _BAR) / 2}"'
            f' width="{value * scale:.1f}" height="{_BAR}"/>'
        )
        end = value
        if is_time:
            end = row.pair.high
            left, right = (_LABEL + each * scale for each in (row.pair.low, row.pair.high))
            yield (
                f'<line class="spread" x1="{left:.1f}" y1="{middle}" x2="{right:.1f}"'
                f' y2="{middle}"/>'
            )
        x = _LABEL + end * scale + 6
        yield f'<text class="dim" x="{x:.1f}" y="{middle + 4.5}">{text_of(value)}</text>'
    yield "</svg></figure>"


def _label(name: str) -> str:
    return escape(
        name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
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
    try:
        path.write_text(as_html(report), encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None
