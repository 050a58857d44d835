"""The report for people: a table of rules by targets, the worst first, and the answer.

What failed (where the targets differ, and where all fail), what is weak, the figures side by side,
and a line a group for all that holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.report.columns import Row, lay_out
from heapyard.report.details import failures
from heapyard.report.figures import figure_rows, format_figure
from heapyard.report.lines import Line, cell_of, lines_of
from heapyard.report.result import Report, Result, Verdict
from heapyard.rules import MUST, PROFILE, SHOULD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from heapyard.report.figures import FigureRow
    from heapyard.report.style import Style

__all__ = ["closing", "failures", "format_figure", "join", "plural", "table"]

_LEVELS = (MUST, SHOULD, PROFILE)
_COLOURS: dict[str, tuple[str, ...]] = {
    "ok": ("green",),
    "FAIL": ("red", "bold"),
    "weak": ("yellow",),
    "lost": ("yellow",),
    "known": ("dim",),
    "n/a": ("dim",),
    "": ("dim",),
}


def table(report: Report, *, style: Style, width: int, verbose: bool = False) -> Iterator[str]:
    """Rules by targets, as lines: what failed first, a line a group for all that holds.

    With `verbose` every rule has a line, and every figure.
    """
    sections = [
        *_failed_sections(report),
        _known_section(report),
        _figure_section(report, verbose=verbose),
        *(_rule_sections(report) if verbose else [_group_section(report)]),
    ]
    names = [target.name for target in report.targets]
    yield from lay_out([rows for rows in sections if rows], names, width, style)


def _failed_sections(report: Report) -> Iterator[list[Row]]:
    """A section a level; where there are several targets, those in which they differ apart."""
    for level in _LEVELS:
        failed = [line for line in lines_of(report, level) if line.has_new_failure]
        if len(report.targets) < 2:
            yield _rows(f"{level} failed", failed)
            continue
        yield _rows(f"{level} failed by some", [line for line in failed if line.differs])
        yield _rows(f"{level} failed by all", [line for line in failed if not line.differs])


def _known_section(report: Report) -> list[Row]:
    known = [line for line in lines_of(report) if line.is_known_only]
    return _rows("known failures", known)


def _rows(title: str, lines: Sequence[Line]) -> list[Row]:
    return [Row.heading(title), *(_rule_row(line) for line in lines)] if lines else []


def _rule_row(line: Line) -> Row:
    cells = tuple(cell_of(result) for result in line.results)
    return Row(
        label=line.id,
        note=line.title,
        cells=cells,
        colours=tuple(_COLOURS.get(cell, ()) for cell in cells),
    )


# --- what holds ---


def _rule_sections(report: Report) -> Iterator[list[Row]]:
    """Every rule, level by level."""
    for level in _LEVELS:
        yield _rows(f"{level}, every rule", lines_of(report, level))


def _group_section(report: Report) -> list[Row]:
    """How many rules of each group hold; `8/10`: 8 of the 10 that apply."""
    lines = [line for line in lines_of(report) if line.level is not PROFILE]
    if not lines:
        return []
    groups = dict.fromkeys(line.group for line in lines)
    counts = [_count_row(g, [line for line in lines if line.group == g]) for g in groups]
    return [Row.heading("rules that hold"), *counts, _count_row("all", lines, bold=True)]


def _count_row(label: str, lines: Sequence[Line], *, bold: bool = False) -> Row:
    cells, colours = [], []
    for results in zip(*(line.results for line in lines), strict=True):
        cell, colour = _count([each for each in results if each is not None])
        cells.append(cell)
        colours.append((colour, "bold") if bold else (colour,))
    return Row(label=label, note=_levels(lines), cells=tuple(cells), colours=tuple(colours))


def _levels(lines: Sequence[Line]) -> str:
    """`12 MUST, 2 SHOULD`."""
    counts = ((level, sum(line.level is level for line in lines)) for level in (MUST, SHOULD))
    return ", ".join(f"{count} {level}" for level, count in counts if count)


def _count(results: Sequence[Result]) -> tuple[str, str]:
    asked = [result for result in results if result.verdict is not Verdict.SKIP]
    held = sum(not result.failed for result in asked)
    if not asked:
        return "n/a" if results else "", "dim"
    if held == len(asked):
        return f"{held}", "green"
    worst = any(result.failed and result.level is MUST for result in asked)
    return f"{held}/{len(asked)}", "red" if worst else "yellow"


# --- figures ---


def _figure_section(report: Report, *, verbose: bool) -> list[Row]:
    """PROFILE: the first figure of each rule, all of them with `verbose`; the best has a star."""
    rows: list[Row] = []
    for line in lines_of(report, PROFILE):
        figures = [
            result.figure if result and result.verdict is Verdict.FIGURE else None
            for result in line.results
        ]
        found = list(figure_rows(figures))
        rows += [_figure_row(line, each) for each in (found if verbose else found[:1])]
    best = ", * best" if any("*" in cell for row in rows for cell in row.cells) else ""
    return [Row.heading(f"figures{best}", needs_notes=True), *rows] if rows else []


def _figure_row(line: Line, row: FigureRow) -> Row:
    cells, colours = [], []
    for index, (text, result) in enumerate(zip(row.texts, line.results, strict=True)):
        is_best = index in row.best
        cell = text or cell_of(result)
        cells.append(f"*{cell}" if is_best else cell)
        colours.append(("green", "bold") if is_best else _COLOURS.get(cell, ("cyan",)))
    return Row(
        label=f"{line.id:<12} {row.unit}".rstrip(),
        note=row.name.replace("_", " "),
        cells=tuple(cells),
        colours=tuple(colours),
    )


# --- the answer ---


def closing(report: Report, *, style: Style) -> Iterator[str]:
    """The answer, in a line or a few."""
    for entry in report.gone:
        yield style(f"no longer fails: {entry}", "cyan")
    if report.gone:
        yield style("  take it out of the baseline: --write-baseline beside --baseline", "dim")
    yield from (style(note, "cyan") for note in report.notes)
    done = len(report.results)
    if not report.is_complete:
        yield style(f"interrupted: {done} of {report.expected} verdicts", "yellow", "bold")
    counts = f"{plural(done, 'verdict')} on {plural(len(report.targets), 'target')}"
    tail = f"{counts} in {report.seconds:.1f} s, seed {report.seed}"
    yield f"{_answer(report, style)}; {tail}"


def _answer(report: Report, style: Style) -> str:
    new = "new " if report.known_failed else ""
    if report.must_failed:
        text = style(f"{report.must_failed} {new}MUST failed", "red", "bold")
    else:
        text = style(f"no {new}MUST failed", "green", "bold")
    if report.should_failed:
        colours = ("red", "bold") if report.strict else ("yellow",)
        text += ", " + style(f"{report.should_failed} {new}SHOULD failed", *colours)
    if report.known_failed:
        text += ", " + style(plural(report.known_failed, "known failure"), "dim")
    return text


def plural(count: int, word: str) -> str:
    """The count and its word: 1 call, 2 calls."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def join(lines: Iterable[str]) -> str:
    """The lines as one text, without blanks at its end."""
    return "\n".join(lines).rstrip() + "\n"
