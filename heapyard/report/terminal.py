"""The report for people: a table of rules by targets, then each failure in full."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard.report.columns import Columns, Row, headings
from heapyard.report.result import Report, Result, Verdict
from heapyard.rules import MUST, PROFILE, SHOULD, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from heapyard.report.style import Style

__all__ = ["closing", "failures", "table"]

_TEXT = 14
"""The column in which a failure's texts begin."""
_NARROWEST = 30
_LEVELS = (MUST, SHOULD, PROFILE)
_COLOURS: dict[str, tuple[str, ...]] = {
    "ok": ("green",),
    "FAIL": ("red", "bold"),
    "weak": ("yellow",),
    "lost": ("yellow",),
    "n/a": ("dim",),
    "": ("dim",),
}
_FAILED = {MUST: "FAIL", SHOULD: "weak", PROFILE: "lost"}


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A rule as the table knows it."""

    id: str
    level: Level
    title: str

    @property
    def group(self) -> str:
        return self.id.split("-")[1]


def table(report: Report, *, style: Style, width: int, verbose: bool = False) -> Iterator[str]:
    """Rules by targets, as lines: what failed first, a line a group for all else.

    With `verbose` every rule has a line.
    """
    names = [target.name for target in report.targets]
    rows = [*_failed_rows(report), *_group_rows(report, verbose=verbose), *_figure_rows(report)]
    columns = Columns.fit(rows, headings(names), width)
    yield from columns.legend(names, style)
    for row in rows:
        yield columns.line(row, style)


def _rules(report: Report) -> list[_Line]:
    known = {
        result.rule: _Line(id=result.rule, level=result.level, title=result.title)
        for result in report.results
    }
    return [known[identity] for identity in sorted(known)]


def _failed_rows(report: Report) -> Iterator[Row]:
    """MUST, then SHOULD, then PROFILE: each rule that failed somewhere."""
    for level in _LEVELS:
        failed = {each.rule for each in report.results if each.failed and each.level is level}
        lines = [line for line in _rules(report) if line.id in failed]
        if lines:
            yield Row.heading(f"{level} failed")
        yield from (_rule_row(report, line) for line in lines)
        if lines:
            yield Row.blank()


def _rule_row(report: Report, line: _Line) -> Row:
    cells = [_cell(target.result(line.id)) for target in report.targets]
    return Row(
        label=line.id,
        note=line.title,
        cells=tuple(cells),
        colours=tuple(_COLOURS.get(cell, ()) for cell in cells),
    )


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    if result.failed:
        return _FAILED[result.level]
    if result.verdict is Verdict.SKIP:
        return "n/a"
    return "ok"


def _group_rows(report: Report, *, verbose: bool) -> Iterator[Row]:
    """How many rules of each group and level hold; `8/10`: 8 of the 10 that apply."""
    lines = [line for line in _rules(report) if verbose or line.level is not PROFILE]
    for level in _LEVELS:
        here = [line for line in lines if line.level is level]
        if not here:
            continue
        yield Row.heading(f"{level} held")
        for group in dict.fromkeys(line.group for line in here):
            members = [line for line in here if line.group == group]
            if verbose:
                yield from (_rule_row(report, line) for line in members)
            else:
                yield _count_row(report, group, members)
        if not verbose:
            yield _count_row(report, "all", here, bold=True)
        yield Row.blank()


def _count_row(report: Report, label: str, lines: Sequence[_Line], *, bold: bool = False) -> Row:
    cells, colours = [], []
    for target in report.targets:
        results = [found for line in lines if (found := target.result(line.id)) is not None]
        cell, colour = _count(results)
        cells.append(cell)
        colours.append((colour, "bold") if bold else (colour,))
    return Row(
        label=label, note=plural(len(lines), "rule"), cells=tuple(cells), colours=tuple(colours)
    )


def _count(results: Sequence[Result]) -> tuple[str, str]:
    asked = [result for result in results if result.verdict is not Verdict.SKIP]
    held = sum(not result.failed for result in asked)
    if not asked:
        return "n/a" if results else "", "dim"
    if held == len(asked):
        return f"{held}", "green"
    return f"{held}/{len(asked)}", "red" if asked[0].level is MUST else "yellow"


def _figure_rows(report: Report) -> Iterator[Row]:
    """PROFILE: the figure of each rule, target beside target."""
    lines = [line for line in _rules(report) if line.level is PROFILE]
    if not lines:
        return
    yield Row.heading("PROFILE figures")
    for line in lines:
        results = [target.result(line.id) for target in report.targets]
        cells = tuple(_figure_cell(result) for result in results)
        name = next((each.figure["name"] for each in results if each and each.figure), line.title)
        yield Row(
            label=line.id,
            note=str(name),
            cells=cells,
            colours=tuple(_COLOURS.get(cell, ("cyan",)) for cell in cells),
        )
    yield Row.blank()


def _figure_cell(result: Result | None) -> str:
    if result is None or result.figure is None or result.verdict is not Verdict.FIGURE:
        return _cell(result)
    if result.figure.get("word"):
        return str(result.figure["word"])
    return f"{format_figure(result.figure['value'])}{_unit(result.figure['unit'])}"


def format_figure(value: float) -> str:
    """Three significant digits, with thousands as k, M, G.

    >>> [format_figure(each) for each in (1.0732, 12345, 0.00421, 64)]
    ['1.07', '12.3k', '0.00421', '64']
    """
    if value == int(value) and abs(value) < 10_000:
        return str(int(value))
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= bound:
            return f"{value / bound:.3g}{letter}"
    return f"{value:.3g}"


def _unit(unit: str) -> str:
    return unit if unit in ("x", "%", "") else f" {unit}"


def failures(report: Report, *, style: Style, width: int) -> Iterator[str]:
    """Each failure in full, rule by rule, MUST first: what a rule claims stands there once."""
    failed: dict[str, list[Result]] = {}
    for result in report.results:
        if result.failed:
            failed.setdefault(result.rule, []).append(result)
    for results in sorted(failed.values(), key=_by_level_and_rule):
        first = results[0]
        colours = _COLOURS[_FAILED[first.level]]
        head = f"{first.rule} ({first.level})"
        claim = _wrap(f"{head}  {first.title}", width, indent=2)
        yield style(head, *colours) + claim[0].removeprefix(head)
        yield from claim[1:]
        for line in _wrap(f"  source: {first.source}", width, indent=4):
            yield style(line, "dim")
        for result in results:
            yield from _failure(result, style, width)
        yield ""


def _by_level_and_rule(results: Sequence[Result]) -> tuple[int, str]:
    return _LEVELS.index(results[0].level), results[0].rule


def _failure(result: Result, style: Style, width: int) -> Iterator[str]:
    """What one target did, and the command that shows it again."""
    yield f"  {style(result.target, 'bold')}"
    for label, text in result.explanation:
        name = style(f"{label:<9}", "dim")
        if label in ("again", "in C"):  # in one piece, to be copied
            yield f"    {name} {style(text, 'cyan')}"
            continue
        first, *more = _wrap(text, width - _TEXT)
        yield f"    {name} {first}"
        yield from (f"{'':{_TEXT}}{line}" for line in more)
    yield from (f"{'':{_TEXT}}{line}".rstrip() for line in result.listing.splitlines())


def _wrap(text: str, width: int, *, indent: int = 0) -> list[str]:
    """The text in lines of at most `width`, but for words that are longer."""
    lead = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text.strip(),
        max(_NARROWEST, width),
        initial_indent=lead,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def closing(report: Report, *, style: Style) -> Iterator[str]:
    """The answer, in a line or two."""
    done = len(report.results)
    if report.expected is not None and done < report.expected:
        yield style(f"interrupted: {done} of {report.expected} verdicts", "yellow", "bold")
    counts = f"{plural(done, 'verdict')} on {plural(len(report.targets), 'target')}"
    tail = f"{counts} in {report.seconds:.1f} s, seed {report.seed}"
    yield f"{_answer(report, style)}; {tail}"


def _answer(report: Report, style: Style) -> str:
    should = f"{report.should_failed} SHOULD failed"
    if report.must_failed:
        text = style(f"{report.must_failed} MUST failed", "red", "bold")
    else:
        text = style("no MUST failed", "green", "bold")
    if report.should_failed:
        colours = ("red", "bold") if report.strict else ("yellow",)
        text += ", " + style(should, *colours)
    return text


def plural(count: int, word: str) -> str:
    """The count and its word: 1 call, 2 calls."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def join(lines: Iterable[str]) -> str:
    """The lines as one text, without blanks at its end."""
    return "\n".join(lines).rstrip() + "\n"
