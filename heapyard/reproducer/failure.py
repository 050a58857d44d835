"""What a C program is to show: the kind of failure, and the call at which it was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapyard.rules.violation import Growth, RuleViolation
    from heapyard.trial.checks import Check
    from heapyard.trial.outcome import Outcome
    from heapyard.trial.plan import Plan

__all__ = ["OWNERS", "Failure", "NoProgramError", "is_chancy"]

_STORED_NOTHING = "it returned 0 and left *memptr as it was"

_DIES = ("crash", "hang", "exit", "runaway")

_CARELESS = frozenset(
    {"align", "errno", "return_code", "refuse", "memptr", "usable", "mapped", "in_place"}
)
"""Kinds for which it does not matter what stands in the blocks: they are not filled."""


OWNERS = frozenset({"overlap", "content"})
"""Both show that a byte has two owners; which of them comes first is chance where threads race."""


_DAMAGES = OWNERS | {"zero", "engine"}
"""Kinds that say that memory is not what it should be: using it may be the end of the process."""


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
    growth: Growth | None = None
    """What grew too much: a figure that the plan measures."""

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
        if error.outcome is not None and error.outcome.seen == _STORED_NOTHING:
            raise NoProgramError("the program would not see that a pointer was not stored")
        if error.outcome is not None:
            return cls.of(error.outcome, rule=rule)
        if error.growth is None:
            raise NoProgramError("the rule judges figures that a program can't measure of itself")
        return cls(expected=error.expected, seen=error.seen, rule=rule, growth=error.growth)

    @property
    def figure(self) -> str:
        """The figure that grew too much; empty: none."""
        return self.growth.figure if self.growth else ""

    @property
    def dies(self) -> bool:
        """Whether the failure is that the process does not live through the plan."""
        return self.status in _DIES

    @property
    def is_known(self) -> bool:
        """Whether it is one check that failed at one call."""
        return self.status == "violation"

    @property
    def is_damage(self) -> bool:
        """Whether a program that goes on with these blocks may not live to see what is wrong."""
        return self.is_known and self.kind in _DAMAGES

    def kinds(self, checks: Check) -> frozenset[str]:
        """Which checks the program makes."""
        if self.dies or self.growth:
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


def is_chancy(plan: Plan, failure: Failure) -> bool:
    """Whether the failure may need several tries: threads race, or signals come when they come."""
    races = any(call.name in ("parallel", "signals") for call in plan.calls)
    return races and failure.status in ("violation", "crash", "hang")
