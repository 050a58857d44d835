"""From a session that failed to a find: a short plan that fails in the same way."""

from dataclasses import dataclass, replace

from heapyard.fuzz.again import Again
from heapyard.fuzz.history import fewest, joined
from heapyard.fuzz.request import Request
from heapyard.fuzz.session import Session
from heapyard.trial.fewer_threads import threads_of
from heapyard.trial.outcome import Outcome
from heapyard.trial.plan import Plan
from heapyard.trial.shrink import shrink_plan
from heapyard.trial.targets import Target

__all__ = ["Find", "failing_plan", "first_signature", "investigate", "is_open"]

SHRINK_SECONDS = 20.0
"""How long the shortest plan of a find is looked for."""

HANG_SECONDS = 3.0
"""How long a plan must run again to count as hanging."""

MOST_CALLS = 400_000
"""Histories longer than this are not taken apart call by call."""

Signature = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Find:
    """One failure, and the plan that shows it."""

    seed: int
    number: int
    """Of the plan at which it was first seen."""
    outcome: Outcome
    plan: Plan | None
    """The shortest found; None where it could not be made to fail again."""
    plans_before: int = 0
    """How many plans had to run before that one."""

    @property
    def signature(self) -> Signature:
        """What makes two finds the same: the failure, the call, and the calls that lead to it."""
        if self.plan is None:
            return (*first_signature(self.outcome), "once")
        names = {call.name for call in self.plan.calls}
        return (*first_signature(self.outcome), *sorted(names))

    @property
    def level(self) -> str:
        """MUST, but for what only other allocators promise."""
        return "SHOULD" if is_open(self.outcome) else "MUST"

    @property
    def threads(self) -> int:
        """How many the plan has, main's among them."""
        return 1 + len(threads_of(self.plan.calls)) if self.plan is not None else 0

    @property
    def label(self) -> str:
        """A short name, for files."""
        what = self.outcome.kind or self.outcome.status
        call = self.outcome.operation.partition("(")[0] or "end"
        return "-".join(word.replace(" ", "_") for word in (what, call))


def first_signature(outcome: Outcome) -> Signature:
    """What is known before the plan is shortened."""
    return (*outcome.signature, outcome.operation.partition("(")[0])


def is_open(outcome: Outcome) -> bool:
    """Whether the standards leave open what was expected: posix_memalign of no bytes."""
    return (
        outcome.kind == "null"
        and outcome.operation.startswith("posix_memalign(")
        and (outcome.size == 0)
    )


def investigate(target: Target, request: Request, session: Session) -> Find:
    """Make it fail again, alone or after the fewest plans, and shorten that."""
    outcome = session.outcome
    again = _again(target, request, outcome)
    found = Find(seed=request.seed, number=session.number, outcome=outcome, plan=None)
    numbers = _needed(request, session, again)
    plan = None if numbers is None else _plan_of(request, numbers)
    if numbers is None or plan is None:
        return found
    plan, seen = _shortened(target, plan, again)
    return replace(found, outcome=seen, plan=plan, plans_before=len(numbers) - 1)


def _needed(request: Request, session: Session, again: Again) -> list[int] | None:
    """The plans that it takes; None: it does not fail again."""
    ran = range(request.first, session.number + 1)
    numbers = fewest(ran, lambda numbers: again.fails(joined(request, numbers)))
    if numbers is None and again.turn_to_another():
        return fewest(ran, lambda numbers: again.fails(joined(request, numbers)))
    return numbers


def _plan_of(request: Request, numbers: list[int]) -> Plan | None:
    """These plans as one; None: it is too long."""
    packed = joined(request, numbers)
    return Plan.from_bytes(packed.to_bytes()) if len(packed) <= MOST_CALLS else None


def failing_plan(target: Target, request: Request, session: Session) -> Plan | None:
    """What failed, as it was drawn, with the plans before it that it takes; None: not again."""
    again = _again(target, request, session.outcome)
    numbers = _needed(request, session, again)
    plan = None if numbers is None else _plan_of(request, numbers)
    return plan if plan is None else again.steadied(plan)


def _again(target: Target, request: Request, outcome: Outcome) -> Again:
    limit = HANG_SECONDS if outcome.status == "hang" else 30.0
    return Again(target, outcome, limit=limit, threaded=request.threads > 1)


def _shortened(target: Target, plan: Plan, again: Again) -> tuple[Plan, Outcome]:
    """The shortest plan found, and how it fails; the whole one where that does not last."""
    plan = again.steadied(plan)
    first = again.seen
    shortest = shrink_plan(
        target,
        plan,
        first,
        seconds=SHRINK_SECONDS,
        run=again.run if again.races else None,
        keeps_rounds=again.races,
    )
    shortest = again.steadied(shortest) if again.races else shortest
    return (shortest, again.seen) if again.fails(shortest) else (plan, first)
