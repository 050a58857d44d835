"""What a C program is to show: the kind of failure, and the call at which it was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapyard._rule_trial import RuleViolation
    from heapyard.trial.checks import Check
    from heapyard.trial.outcome import Outcome

__all__ = ["Failure", "NoProgramError"]

MEASURED = ("rss", "mapped")
"""Figures that a program can measure of itself."""

_DIES = ("crash", "hang", "exit", "runaway")

_CARELESS = frozenset(
    {"align", "errno", "return_code", "refuse", "memptr", "usable", "mapped", "in_place"}
)
"""Kinds for which it does not matter what stands in the blocks: they are not filled."""


class NoProgramError(Exception):
    """A failure that can't be written as a C program: the text says why."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How the plan failed. Without a status nothing is known: all that it checks is verified."""

    status: str = ""
    kind: str = ""
    op: int | None = None
    """The call at which it was seen; None: after the last one, or unknown."""
    slot: int | None = None
    expected: str = ""
    seen: str = ""
    rule: str = ""
    """The rule that was broken, with its level and title, where there is one."""
    figure: str = ""
    """What grew too much: a figure that the plan measures, the last time against the first..."""
    most: int = 0
    """...and by how many bytes it may."""

    @classmethod
    def of(cls, outcome: Outcome, *, rule: str = "") -> Failure:
        """What a run showed."""
        return cls(
            status="" if outcome.held else outcome.status,
            kind="" if outcome.held else outcome.kind,
            op=outcome.op,
            slot=outcome.slot,
            expected=outcome.expected,
            seen=outcome.seen,
            rule=rule,
        )

    @classmethod
    def of_violation(cls, error: RuleViolation, *, rule: str = "") -> Failure:
        """What a rule said: a run's own failure, or a figure that grew too much.

        Raises NoProgramError where the rule judged something else.
        """
        if error.outcome is not None and error.expected != error.outcome.expected:
            raise NoProgramError("the rule judges how the process ends, which a program can't")
        if error.outcome is not None:
            return cls.of(error.outcome, rule=rule)
        growth = error.growth
        if growth is None or growth.figure not in MEASURED:
            raise NoProgramError("the rule compares figures of several plans")
        return cls(
            expected=error.expected,
            seen=error.seen,
            rule=rule,
            figure=growth.figure,
            most=growth.most,
        )

    @property
    def dies(self) -> bool:
        """Whether the failure is that the process does not live through the plan."""
        return self.status in _DIES

    @property
    def is_known(self) -> bool:
        """Whether it is one check that failed at one call."""
        return self.status == "violation"

    def kinds(self, checks: Check) -> frozenset[str]:
        """Which checks the program makes."""
        if self.dies or self.figure:
            return frozenset()
        if self.kind == "engine":  # a block that reaches into foreign memory
            return frozenset({"mapped", "overlap"})
        if self.is_known:
            return frozenset({self.kind})
        return frozenset(checks.kinds) - {"engine"}

    @property
    def needs_contents(self) -> bool:
        """Whether blocks are filled, as a program that uses them would."""
        return self.kind not in _CARELESS
