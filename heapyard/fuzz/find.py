"""From a session that failed to a find: a short plan that fails in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass

from heapyard.fuzz.history import fewest, joined
from heapyard.fuzz.request import Request
from heapyard.fuzz.session import Session
from heapyard.trial.outcome import Outcome
from heapyard.trial.packed import PackedPlan  # noqa: TC001
from heapyard.trial.plan import Plan
from heapyard.trial.run import run_plan
from heapyard.trial.shrink import shrink_plan
from heapyard.trial.targets import Target

__all__ = ["Find", "first_signature", "investigate"]

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
    def label(self) -> str:
        """A short name, for files."""
        what = self.outcome.kind or self.outcome.status
        call = self.outcome.operation.partition("(")[0] or "end"
        return "-".join(word.replace(" ", "_") for word in (what, call))


def first_signature(outcome: Outcome) -> Signature:
    """What is known before the plan is shortened."""
    return (*outcome.signature, outcome.operation.partition("(")[0])


def investigate(target: Target, request: Request, session: Session) -> Find:
    """Make it fail again, alone or after the fewest plans, and shorten that."""
    outcome = session.outcome
    limit = HANG_SECONDS if outcome.status == "hang" else 30.0
    last: dict[tuple[int, ...], tuple[PackedPlan, Outcome]] = {}

    def fails(numbers: Sequence[int]) -> bool:
        plan = joined(request, numbers)
        again = run_plan(target, plan, time_limit=limit)
        last[tuple(numbers)] = plan, again
        return again.signature == outcome.signature

    numbers = fewest(range(request.first, session.number + 1), fails)
    found = Find(seed=request.seed, number=session.number, outcome=outcome, plan=None)
    if numbers is None:
        return found
    packed, again = last[tuple(numbers)]
    if len(packed) > MOST_CALLS:
        return found
    plan, again = _shortened(target, Plan.from_bytes(packed.to_bytes()), again)
    return Find(
        seed=request.seed,
        number=session.number,
        outcome=again,
        plan=plan,
        plans_before=len(numbers) - 1,
    )


def _shortened(target: Target, plan: Plan, outcome: Outcome) -> tuple[Plan, Outcome]:
    """The shortest plan found, and how it fails; the whole one where that does not last."""
    shortest = shrink_plan(target, plan, outcome, seconds=SHRINK_SECONDS)
    limit = HANG_SECONDS if outcome.status == "hang" else 30.0
    again = run_plan(target, shortest, time_limit=limit)
    return (shortest, again) if again.signature == outcome.signature else (plan, outcome)
