"""The page of `heapyard check --html`: a matrix of rules by targets, each row opening to detail.

One file without scripts: rows open as <details>, the filter is a set of radio buttons and CSS.
What the verdicts are is told by words and signs as well as by colour.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from heapyard.report.budget import Budget
from heapyard.report.case_html import case_sections
from heapyard.report.check_style import CHECK_STYLE
from heapyard.report.columns import headings
from heapyard.report.figures import figure_rows
from heapyard.report.lines import Line, cell_of, lines_of
from heapyard.report.page import page, write_page
from heapyard.report.result import Result, Verdict
from heapyard.report.rule_html import rule_body
from heapyard.report.terminal import plural
from heapyard.rules import MUST, PROFILE, SHOULD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from heapyard.report.result import Report

__all__ = ["as_html", "write"]

_FILTERS = (
    ("all", "all rules"),
    ("bad", "failed"),
    ("differ", "the targets differ"),
    ("figure", "figures"),
)
_NAMED = 5
"""More targets than this have numbers for heads."""
_SIGNS = {
    "ok": ("ok", "\N{CHECK MARK}"),
    "FAIL": ("bad", "\N{MULTIPLICATION X} FAIL"),
    "weak": ("warn", "\N{BLACK UP-POINTING TRIANGLE} weak"),
    "lost": ("warn", "\N{BLACK UP-POINTING TRIANGLE} lost"),
    "known": ("known", "\N{WHITE CIRCLE} known"),
    "n/a": ("na", "n/a"),
    "": ("na", ""),
}


def as_html(report: Report) -> str:
    """The page: well-formed as XML too."""
    return page(
        f"heapyard {report.version}: {_subject(report)} on trial", CHECK_STYLE, _body(report)
    )


def write(report: Report, path: Path) -> None:
    """Write the page to `path`. Raises HeapyardError where that can't be."""
    write_page(as_html(report), path)


def _subject(report: Report) -> str:
    names = headings([target.name for target in report.targets])
    return names[0] if len(names) == 1 else plural(len(names), "target")


def _body(report: Report) -> Iterator[str]:
    yield from _answer(report)
    yield from _targets(report)
    yield from _index(report)
    for name, _ in _FILTERS:
        checked = ' checked="checked"' if name == "all" else ""
        yield f'<input class="pick" type="radio" name="f" id="f-{name}"{checked}/>'
    yield '<h2>Rules by targets</h2><div class="filter" role="group" aria-label="Show">'
    yield "".join(f'<label for="f-{name}">{text}</label>' for name, text in _FILTERS)
    yield "</div>"
    yield from _matrix(report)


# --- what is to be seen first ---


def _answer(report: Report) -> Iterator[str]:
    new = "new " if report.known_failed else ""
    must = (
        f"<b>{report.must_failed} {new}MUST failed</b>"
        if report.must_failed
        else f'<b class="good">no {new}MUST failed</b>'
    )
    facts = [must]
    if report.should_failed:
        facts.append(f"{report.should_failed} {new}SHOULD failed")
    if report.known_failed:
        facts.append(plural(report.known_failed, "known failure"))
    if not report.is_complete:
        facts.append(f"interrupted: {len(report.results)} of {report.expected} verdicts")
    yield f'<p class="answer">{", ".join(facts)}.</p>'
    yield (
        f"<p>{plural(len(report.results), 'verdict')} in {report.seconds:.0f} s, seed"
        f" {report.seed}. {escape(report.library)}. MUST: a standard or the platform's documented"
        " interface demands it. SHOULD: users rely on it. PROFILE: a figure to compare.</p>"
    )
    yield from (f"<p><b>{escape(note)}</b></p>" for note in report.notes)
    if report.gone:
        entries = "".join(f"<li>{escape(entry)}</li>" for entry in report.gone)
        yield f"<p>No longer fails, so that the baseline can shrink:</p><ul>{entries}</ul>"


def _targets(report: Report) -> Iterator[str]:
    heads = ("", "target", "MUST failed", "SHOULD failed", "loaded", "file")
    yield '<div class="scroll"><table class="targets"><thead><tr>'
    yield "".join(f"<th>{head}</th>" for head in heads)
    yield "</tr></thead><tbody>"
    for number, target in enumerate(report.targets, 1):
        failed = [
            sum(each.failed and each.level is level for each in target.results)
            for level in (MUST, SHOULD)
        ]
        cells = (number, target.name, *failed, target.mode, target.path or "")
        yield "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _index(report: Report) -> Iterator[str]:
    """A link to each rule that failed, level by level."""
    names = headings([target.name for target in report.targets])
    for level in (MUST, SHOULD, PROFILE):
        failed = [line for line in lines_of(report, level) if line.has_new_failure]
        if failed:
            yield f'<h2>{level}: what failed</h2><ul class="index">'
            yield from (_link(line, names) for line in failed)
            yield "</ul>"


def _link(line: Line, names: Sequence[str]) -> str:
    who = [name for name, each in zip(names, line.results, strict=True) if each and each.is_new]
    by = f" <small>{escape(', '.join(who))}</small>" if len(names) > 1 else ""
    return f'<li><a href="#{line.id}">{line.id}</a> {escape(line.title)}{by}</li>'


# --- the matrix ---


def _matrix(report: Report) -> Iterator[str]:
    names = headings([target.name for target in report.targets])
    heads = names if len(names) <= _NAMED else [str(n) for n, _ in enumerate(names, 1)]
    cell = "6.2rem" if len(names) <= _NAMED else "3.8rem"
    yield f'<main style="--n: {len(names)}; --cell: {cell}">'
    spans = "".join(
        f'<span title="{escape(name)}">{escape(head)}</span>'
        for name, head in zip(names, heads, strict=True)
    )
    yield f'<div class="heads"><span>rule</span>{spans}</div>'
    budget = Budget()
    lines = lines_of(report)
    for group in dict.fromkeys(line.group for line in lines):
        yield f'<section class="group"><h3>{escape(group)}</h3>'
        for line in lines:
            if line.group == group:
                yield from _rule(line, names, heads, budget)
        yield "</section>"
    yield f"{budget.note()}</main>"


def _rule(line: Line, names: Sequence[str], heads: Sequence[str], budget: Budget) -> Iterator[str]:
    """One row, and what it opens to."""
    cells = _figures(line) if line.level is PROFILE else None
    shown = cells or [_SIGNS[cell_of(result)] for result in line.results]
    yield f'<details class="{_kind(line)}"><summary>'
    yield (
        f'<span class="id">{line.id}</span><span class="level">{line.level}</span>'
        f'<span class="title">{escape(line.title)}</span><span class="cells">'
    )
    for name, head, (css, text) in zip(names, heads, shown, strict=True):
        said = escape(f"{name}: {text or 'not run'}")
        yield (
            f'<span class="cell {css}" title="{said}" data-t="{escape(head)}">{escape(text)}</span>'
        )
    yield f'</span></summary><div class="body" id="{line.id}">'
    yield from rule_body(line, names, budget)
    yield from case_sections(line, budget)
    yield "</div></details>"


def _kind(line: Line) -> str:
    """What the filter goes by."""
    failed = any(each.failed for each in line.results if each)
    kinds = {"bad-row": failed, "differ": line.differs, "figure": line.level is PROFILE}
    return " ".join(["rule", *(name for name, holds in kinds.items() if holds)])


def _figures(line: Line) -> list[tuple[str, str]] | None:
    """The cells of a rule that answers figures; None: it has none."""
    found = next(figure_rows([_figure(each) for each in line.results]), None)
    if found is None:
        return None
    cells = []
    for index, (text, result) in enumerate(zip(found.texts, line.results, strict=True)):
        if not text:
            cells.append(_SIGNS[cell_of(result)])
        elif index in found.best:
            cells.append(("best", f"\N{BLACK STAR} {text} {found.unit}".rstrip()))
        else:
            cells.append(("", f"{text} {found.unit}".rstrip()))
    return cells


def _figure(result: Result | None) -> Mapping[str, Any] | None:
    return result.figure if result and result.verdict is Verdict.FIGURE else None
