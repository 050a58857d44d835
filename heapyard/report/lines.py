"""A rule as tables know it: what it said of each target, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard.report.result import Verdict
from heapyard.rules import MUST, PROFILE, SHOULD, Level

if TYPE_CHECKING:
    from heapyard.report.result import Report, Result

__all__ = ["Line", "cell_of", "lines_of"]

_FAILED = {MUST: "FAIL", SHOULD: "weak", PROFILE: "lost"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One rule, and its result on each target of the report."""

    id: str
    level: Level
    title: str
    results: tuple[Result | None, ...]
    """None: not run on that target."""

    @property
    def group(self) -> str:
        """The middle of the id."""
        return self.id.split("-")[1]

    @property
    def has_new_failure(self) -> bool:
        """Whether it failed somewhere, and no baseline lists that."""
        return any(each.is_new for each in self.results if each)

    @property
    def is_known_only(self) -> bool:
        """Whether it failed, and only as the baseline says."""
        return any(each.known for each in self.results if each) and not self.has_new_failure

    @property
    def differs(self) -> bool:
        """Whether it holds for some and not for others, of those that it applies to."""
        asked = {each.failed for each in self.results if each and each.verdict is not Verdict.SKIP}
        return len(asked) > 1


def lines_of(report: Report, level: Level | None = None) -> list[Line]:
    """The rules of the report (of one level), by id."""
    found = [{result.rule: result for result in target.results} for target in report.targets]
    known = {result.rule: result for result in report.results if level in (None, result.level)}
    return [
        Line(
            id=identity,
            level=known[identity].level,
            title=known[identity].title,
            results=tuple(each.get(identity) for each in found),
        )
        for identity in sorted(known)
    ]


def cell_of(result: Result | None) -> str:
    """The verdict in a word of at most five letters; empty: not run."""
    if result is None:
        return ""
    if result.known:
        return "known"
    if result.failed:
        return _FAILED[result.level]
    return "n/a" if result.verdict is Verdict.SKIP else "ok"
