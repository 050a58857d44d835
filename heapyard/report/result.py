"""The data of every report: what each rule said of each target."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from heapyard.report.evidence import Evidence
from heapyard.rules import MUST, SHOULD, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Report", "Result", "TargetReport", "Verdict"]


class Verdict(StrEnum):
    """What a rule said of a target."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SKIP = "skip"
    """Not applicable: the detail names what is missing."""
    FIGURE = "figure"
    """A PROFILE rule's figure."""


_WORST_LAST = (Verdict.SKIP, Verdict.PASS, Verdict.FIGURE, Verdict.FAIL)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One rule's verdict on one target. The fields up to `seconds` are those of the JSON report."""

    rule: str
    level: Level
    verdict: Verdict
    detail: str = ""
    """One line: what was expected and seen, or what is missing; empty for a pass."""
    figure: Mapping[str, Any] | None = None
    """{"name", "value", "unit", "better"}, and "word" where the value is a place on a scale; where
    a rule took several, the others stand under "more"."""
    plan: str | None = None
    """The file of the plan that shows the failure."""
    program: str | None = None
    """The file of the C program that shows it too."""
    seconds: float = 0.0

    target: str = ""
    """The target, as typed."""
    title: str = ""
    """The rule's property."""
    source: str = ""
    expected: str = ""
    seen: str = ""
    operation: str = ""
    """The call at which it was seen."""
    again: str = ""
    """The command that shows the failure once more."""
    command: str = ""
    """The shell command that builds the C program and runs it on the target."""
    listing: str = ""
    """The C program's main function, where that is short."""
    kind: str = ""
    """Of a failure: the kind of violation ("overlap"), the signal, "hang"..., "judged" where the
    rule found it in figures, "error" where the rule itself went wrong."""
    known: bool = False
    """A failure that the baseline lists: it is shown, and does not count."""
    evidence: Evidence | None = None
    """What a page shows beside this; None where no page is wanted."""

    @property
    def failed(self) -> bool:
        """Whether the verdict is fail, at whatever level."""
        return self.verdict is Verdict.FAIL

    @property
    def is_new(self) -> bool:
        """Whether it failed and no baseline lists it."""
        return self.failed and not self.known

    @property
    def explanation(self) -> tuple[tuple[str, str], ...]:
        """What is to be said of a failure, as (label, text), without what is unknown."""
        rows = (
            ("expected", self.expected),
            ("seen", self.seen),
            ("what", "" if self.expected else self.detail),
            ("at", self.operation),
            ("again", self.again),
            ("in C", self.command),
        )
        return tuple((label, text) for label, text in rows if text)

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, so that it travels between processes."""
        return asdict(replace(self, evidence=None)) | {
            "level": self.level.value,
            "verdict": self.verdict.value,
            "evidence": self.evidence and self.evidence.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Result:
        """The inverse of `to_dict`."""
        evidence = content.get("evidence")
        return cls(
            **{
                **content,
                "level": Level(content["level"]),
                "verdict": Verdict(content["verdict"]),
                "evidence": evidence and Evidence.from_dict(evidence),
            }
        )


@dataclass(frozen=True, kw_only=True)
class TargetReport:
    """One target and what the rules said of it, in order of rule."""

    target: str
    """As typed."""
    name: str
    """Short and unique in the run."""
    path: str | None
    mode: str
    capabilities: Mapping[str, Any]
    results: tuple[Result, ...] = ()

    def result(self, rule: str) -> Result | None:
        """What this rule said; None: it was not run."""
        return next((result for result in self.results if result.rule == rule), None)

    def new_failures(self, level: Level) -> int:
        """How many rules of this level failed that no baseline lists."""
        return sum(result.is_new and result.level is level for result in self.results)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole run."""

    version: str
    seed: int
    targets: tuple[TargetReport, ...]
    strict: bool = False
    library: str = ""
    """Which build of the native library ran the plans, in one line."""
    seconds: float = 0.0
    gone: tuple[str, ...] = ()
    """Entries of the baseline that did not fail any more, for people."""
    notes: tuple[str, ...] = ()
    """What else the user must know: a line each."""
    expected: int | None = None
    """How many results there should be; None: unknown. More than there are: it was interrupted."""

    @property
    def results(self) -> tuple[Result, ...]:
        """All results, target by target."""
        return tuple(result for target in self.targets for result in target.results)

    @property
    def must_failed(self) -> int:
        """How many MUST failed, over all targets, beside the known ones."""
        return sum(target.new_failures(MUST) for target in self.targets)

    @property
    def should_failed(self) -> int:
        """How many SHOULD failed, over all targets, beside the known ones."""
        return sum(target.new_failures(SHOULD) for target in self.targets)

    @property
    def known_failed(self) -> int:
        """How many failures the baseline lists."""
        return sum(result.known for result in self.results)

    @property
    def is_complete(self) -> bool:
        """Whether every rule that was to run has its verdict."""
        return self.expected is None or len(self.results) >= self.expected

    @property
    def passed(self) -> bool:
        """Whether the run answers yes: no MUST failed, nor SHOULD where it is strict."""
        return not self.must_failed and not (self.strict and self.should_failed)


def merge(results: Iterable[Result]) -> tuple[Result, ...]:
    """One result a rule, in order of id: the worst where a rule ran with several parameters."""
    merged: dict[str, Result] = {}
    for result in results:
        known = merged.get(result.rule)
        merged[result.rule] = result if known is None else _worse(known, result)
    return tuple(merged[identity] for identity in sorted(merged))


def _worse(one: Result, other: Result) -> Result:
    first, second = sorted(
        (one, other), key=lambda each: (_WORST_LAST.index(each.verdict), each.is_new)
    )
    return replace(second, seconds=first.seconds + second.seconds)
