"""Whether a plan fails again: at once, or, where threads race, in one of several tries.

A race that is lost once in ten runs is lost for sure in a plan of a hundred rounds: so a racing
plan is made to repeat, in one child, until it fails each time.
"""

from collections import Counter

from heapyard.trial.outcome import Outcome
from heapyard.trial.packed import PackedPlan
from heapyard.trial.plan import Plan
from heapyard.trial.run import run_plan
from heapyard.trial.targets import Target

__all__ = ["Again"]

TRIES = 4
"""Runs of a plan with threads before it counts as one that holds."""

STEADY = 3
"""It fails each time if it fails so many times in a row."""

_ROUNDS = (1, 10, 100, 1000)


class Again:
    """Runs plans that should fail as one did before."""

    def __init__(self, target: Target, outcome: Outcome, *, limit: float, threaded: bool) -> None:
        self._target = target
        self._wanted = outcome.signature
        self._limit = limit
        self._threaded = threaded
        self.races = False
        """Whether it hangs on chance; `steadied` finds out."""
        self.seen = outcome
        """The last failure."""
        self._others: Counter[tuple[str, str]] = Counter()

    def fails(self, plan: Plan | PackedPlan) -> bool:
        """Whether it fails in the same way, in a try or in several."""
        tries = TRIES if self._threaded else 1
        return any(self._fails_once(plan) for _ in range(tries))

    def _fails_once(self, plan: Plan | PackedPlan) -> bool:
        outcome = run_plan(self._target, plan, time_limit=self._limit)
        if outcome.signature != self._wanted:
            if not outcome.held and outcome.status != "refused":
                self._others[outcome.signature] += 1
            return False
        self.seen = outcome
        return True

    def turn_to_another(self) -> bool:
        """From now on look for what was seen instead, most often; whether there was something.

        Where threads race, what comes of it is not always the same.
        """
        if not self._threaded or not self._others:
            return False
        self._wanted = self._others.most_common(1)[0][0]
        self._others.clear()
        return True

    def _always_fails(self, plan: Plan, times: int = STEADY) -> bool:
        return all(self._fails_once(plan) for _ in range(times))

    def steadied(self, plan: Plan) -> Plan:
        """The plan with the rounds that it takes to fail each time; if none do, as it is."""
        if not self._threaded or self._always_fails(plan):
            return plan
        self.races = True
        for rounds in _ROUNDS:
            longer = plan.with_settings(repeat=max(rounds, plan.header.repeat))
            if self._always_fails(longer):
                return longer
        return plan

    def run(self, plan: Plan) -> Outcome:
        """A run that fails only if the plan would fail again: what a race is shortened by."""
        first = run_plan(self._target, plan, time_limit=self._limit)
        if first.signature != self._wanted:
            return first
        second = run_plan(self._target, plan, time_limit=self._limit)
        return first if second.signature == self._wanted else second
