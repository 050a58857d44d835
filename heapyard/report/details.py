"""Each failure in full: what was expected and seen, at which call, and how to see it again."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from heapyard.rules import MUST, PROFILE, SHOULD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.report.result import Report, Result
    from heapyard.report.style import Style

__all__ = ["alike", "failures"]

_TEXT = 14
"""The column in which a failure's texts begin."""
_NARROWEST = 30
_LEVELS = (MUST, SHOULD, PROFILE)
_COLOURS = {MUST: ("red", "bold"), SHOULD: ("yellow",), PROFILE: ("yellow",)}
_MOST = 20
"""Rules told in full unless all are asked for."""


def failures(report: Report, *, style: Style, width: int, verbose: bool = False) -> Iterator[str]:
    """Failures rule by rule, MUST first: what a rule claims stands there once.

    Targets that failed in the same way stand in one line. Known failures, and those of more than
    some 20 rules, are told with `verbose` only.
    """
    failed: dict[str, list[Result]] = {}
    for result in report.results:
        if result.is_new or (verbose and result.failed):
            failed.setdefault(result.rule, []).append(result)
    ordered = sorted(failed.values(), key=_by_level_and_rule)
    shown = ordered if verbose else ordered[:_MOST]
    for results in shown:
        yield from _rule(results, style, width, verbose=verbose)
    if len(shown) < len(ordered):
        more = len(ordered) - len(shown)
        yield style(f"{more} more rules failed: -v tells them all, --html FILE too", "dim")
        yield ""


def _by_level_and_rule(results: Sequence[Result]) -> tuple[int, str]:
    return _LEVELS.index(results[0].level), results[0].rule


def _rule(results: Sequence[Result], style: Style, width: int, *, verbose: bool) -> Iterator[str]:
    first = results[0]
    head = f"{first.rule} ({first.level})"
    claim = _wrap(f"{head}  {first.title}", width, indent=2)
    yield style(head, *_COLOURS[first.level]) + claim[0].removeprefix(head)
    yield from claim[1:]
    for line in _wrap(f"  source: {first.source}", width, indent=4):
        yield style(line, "dim")
    for same in alike(results, apart=verbose):
        yield from _failure(same[0], style, width)
        if len(same) > 1:
            others = ", ".join(each.target for each in same[1:])
            yield from _labelled("also", others, style, width)
    yield ""


def alike(results: Sequence[Result], *, apart: bool = False) -> list[list[Result]]:
    """Those that broke the rule in the same way, in groups."""
    groups: dict[object, list[Result]] = {}
    for number, result in enumerate(results):
        same = (result.kind, result.expected, result.operation, result.known)
        groups.setdefault(number if apart or not result.kind else same, []).append(result)
    return list(groups.values())


def _failure(result: Result, style: Style, width: int) -> Iterator[str]:
    """What one target did, and the command that shows it again."""
    known = style(" (known)", "dim") if result.known else ""
    yield f"  {style(result.target, 'bold')}{known}"
    for label, text in result.explanation:
        if label in ("again", "in C"):  # in one piece, to be copied
            yield f"    {style(f'{label:<9}', 'dim')} {style(text, 'cyan')}"
        else:
            yield from _labelled(label, text, style, width)
    yield from (f"{'':{_TEXT}}{line}".rstrip() for line in result.listing.splitlines())


def _labelled(label: str, text: str, style: Style, width: int) -> Iterator[str]:
    first, *more = _wrap(text, width - _TEXT)
    yield f"    {style(f'{label:<9}', 'dim')} {first}"
    yield from (f"{'':{_TEXT}}{line}" for line in more)


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
