"""How a rule ends where it does not hold: broken, by which plan, or not applicable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from heapyard.trial import Outcome, Plan

__all__ = ["Growth", "NotApplicable", "RuleViolation"]


class RuleViolation(Exception):  # noqa: N818  (a verdict, not an error of this package)
    """The target broke the rule: what was expected, what was seen, and the plan that shows it."""

    def __init__(  # noqa: PLR0913
        self,
        expected: str,
        seen: str = "",
        *,
        operation: str = "",
        plan: Plan | None = None,
        outcome: Outcome | None = None,
        growth: Growth | None = None,
        topic: str = "",
    ) -> None:
        super().__init__(f"expected {expected}; seen {seen}" if seen else expected)
        self.expected = expected
        self.seen = seen
        self.operation = operation
        self.plan = plan
        self.outcome = outcome
        self.growth = growth
        self.topic = topic


@dataclass(frozen=True, kw_only=True)
class Growth:
    """A bound on what a plan measures: a late figure of a name against an early one."""

    figure: str
    """rss, mapped, mappings, os_calls or usable_bytes."""
    most: int
    """By how much it may grow."""
    since: int | None = 0
    """The number of the early figure, the first being 0; None: against nothing. In a steady one: a
    quarter."""
    until: Literal["last", "highest", "steady"] = "last"
    """Which is the late one: the last, the highest of all behind the early one, or, where a process
    must come to a steady state, the lowest in the last quarter of all, the early one being the
    lowest in the quarter with the number `since`, from 1."""


class NotApplicable(Exception):  # noqa: N818
    """The target can't be asked: the text names what is missing."""
