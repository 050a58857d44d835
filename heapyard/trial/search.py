"""The search for a shorter plan: the best so far, and whether another one takes its place.

Candidates run one by one, or many in forks of one child (`batch`), until runs or time are used up.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from heapyard._deadline import is_over
from heapyard.trial.folding import written_length
from heapyard.trial.lifetimes import Step, steps_of, written
from heapyard.trial.operations import Call
from heapyard.trial.outcome import Outcome
from heapyard.trial.plan import Plan
from heapyard.trial.structure import closed

__all__ = ["FEW", "LARGE", "Batch", "Search"]

LARGE = 300
"""Plans above this many calls that are a few loops are not taken apart call by call."""

FEW = 20
"""So many calls as written are a short plan."""

_SHORT = 100
"""Plans below this many calls are remembered, so that none is run twice for nothing."""

_BATCHES = (4, 64)
"""Candidates of one child: at first, and at most."""

_CALLS = 50_000
"""Of all candidates of one child."""

_FREES_MATTER = {("violation", "null"), ("runaway", "")}


class Batch(Protocol):
    """Which of several plans is the first that fails as it should, in so many seconds."""

    def __call__(self, plans: Sequence[Plan], *, seconds: float) -> int | None:
        """The index, or None."""


class Search:
    """The best plan so far, and what was tried."""

    def __init__(
        self,
        plan: Plan,
        outcome: Outcome,
        run: Callable[[Plan], Outcome],
        *,
        runs: int,
        deadline: float,
    ) -> None:
        self.batch: Batch | None = None
        """What runs many plans at once, where the target allows it."""
        self.in_batches = False
        """Whether candidates can run so: those with threads can't."""
        self._batch_size = _BATCHES[0]
        self.best = plan
        self.steps = steps_of(plan.calls)
        self.outcome = outcome
        self._run = run
        self._runs_left = runs
        self._tried: set[tuple[Call, ...]] = set()
        self.deadline = deadline
        self._length = plan, written_length(plan.calls)

    @property
    def written_length(self) -> int:
        """The calls of the best plan as written."""
        if self._length[0] is not self.best:
            self._length = self.best, written_length(self.best.calls)
        return self._length[1]

    def spare(self, runs: int) -> None:
        """Go on for at most so many runs: there is an answer already that will do."""
        self._runs_left = min(self._runs_left, runs)

    def is_spent(self) -> bool:
        """Whether runs or time are used up."""
        return self._runs_left <= 0 or time.monotonic() > self.deadline or is_over()

    @property
    def frees_matter(self) -> bool:
        """Whether memory was short: without a free that would be rightful."""
        return self.outcome.signature in _FREES_MATTER

    def fails(self, candidate: Plan) -> bool:
        """Whether it fails in the same way; how it did is kept."""
        if self.is_spent():
            return False
        self._runs_left -= 1
        seen = self._run(candidate)
        if seen.signature != self.outcome.signature:
            return False
        self.outcome = seen
        return True

    def accepts(self, steps: Sequence[Step]) -> bool:
        """Take these steps if they still fail in the same way."""
        calls = closed(written(steps))
        key = tuple(calls[:_SHORT])
        if key in self._tried:
            return False
        candidate = self.best.with_calls(calls)
        if not self.fails(candidate):
            if len(calls) < _SHORT:
                self._tried.add(key)
            return False
        self.best = candidate
        self.steps = steps_of(calls)
        self._cut_after_failure()
        return True

    def accepts_first(self, candidates: Iterable[Sequence[Step]]) -> int | None:
        """Take the first of these that still fails; its index. Each is made only when it is due."""
        due = enumerate(candidates)
        while not self.is_spent():
            several = list(islice(due, min(self._batch_size, _CALLS // (len(self.steps) + 1) + 1)))
            if not several:
                return None
            for index, steps in self._promising(several):
                if self.accepts(steps):
                    self._batch_size = _BATCHES[0]
                    return index
            self._batch_size = min(2 * self._batch_size, _BATCHES[1])
        return None

    def _promising(
        self, several: list[tuple[int, Sequence[Step]]]
    ) -> Iterator[tuple[int, Sequence[Step]]]:
        """Those of several that are worth a run of their own: the first that fails in a batch."""
        if not self.in_batches:
            yield from several
            return
        while several:
            plans = [self.best.with_calls(written(steps)) for _, steps in several]
            found = self._first_failing(plans)
            if found is None:
                return
            yield several[found]
            several = several[found + 1 :]  # alone it did not fail: another may

    def first_of(self, calls: list[Call]) -> Call | None:
        """The first of these that fails as a plan of its own, where many can be tried at once."""
        if self.is_spent():
            return None
        found = self._first_failing([self.best.with_calls([call]) for call in calls])
        return None if found is None else calls[found]

    def _first_failing(self, plans: list[Plan]) -> int | None:
        """The index of the first that fails in a batch; none where nothing runs batches."""
        if self.batch is None:
            return None
        self._runs_left -= len(plans)
        return self.batch(plans, seconds=max(0.5, self.deadline - time.monotonic()))

    def _cut_after_failure(self) -> None:
        """Calls after the failing one never ran: no need to try."""
        op = self.outcome.op
        if any(step.call.operation.structures for step in self.steps):
            return  # another thread's calls, or a handler's, may have run before it
        if op is not None and self.outcome.round == 0 and op + 1 < len(self.steps):
            self.steps = self.steps[: op + 1]
            self.best = self.best.with_calls([step.call for step in self.steps])
