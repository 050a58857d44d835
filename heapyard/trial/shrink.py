"""From a plan that fails to the shortest one that fails in the same way.

Delta debugging (Zeller and Hildebrandt, 2002) over whole lives of blocks first, then over single
calls, then over sizes, counts and alignments; each candidate is run in a child. What is left out
must not make the failure a rightful one: where memory is short (a NULL, a runaway) no free is left
out, nor what ends a shortage that the plan itself makes; a call that must fail keeps its arguments,
no request shrinks to zero bytes, and what must stay in place, or be told as misuse, keeps all that
stands before it. Around a stale pointer nothing but whole lives goes: without its free, a double
free is none.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from heapyard._deadline import is_over
from heapyard.trial.lifetimes import Step, steps_of, written
from heapyard.trial.operations import Call, Expect
from heapyard.trial.outcome import Outcome
from heapyard.trial.plan import Plan
from heapyard.trial.run import run_plan
from heapyard.trial.structure import closed, sections_of
from heapyard.trial.targets import Target

__all__ = ["shrink_plan"]

HANG_SECONDS = 0.5
"""The time limit of a single run where the failure is a hang."""

SHORT = 100
"""Plans below this many calls are remembered, so that none is run twice for nothing."""

_ENDS_SHORTAGE = ("end_fail", "limit_space")
"""Without these, memory that is short stays short, and a failure is rightful."""

_FREES_MATTER = {("violation", "null"), ("runaway", "")}


def shrink_plan(  # noqa: PLR0913
    target: Target,
    plan: Plan,
    outcome: Outcome,
    *,
    runs: int = 2000,
    seconds: float = 20.0,
    run: Callable[[Plan], Outcome] | None = None,
) -> Plan:
    """Look for the shortest plan with the status and kind of `outcome`, at most `runs` children.

    The same plan, outcome and bounds give the same answer, unless `seconds` of wall time pass
    first or the target itself is not deterministic. What can't be reproduced comes back as it was.
    `run` replaces the running of a candidate on `target`.
    """
    if outcome.held or outcome.status == "refused" or _is_condensed(plan):
        return plan
    limit = HANG_SECONDS if outcome.status == "hang" else 10.0
    search = _Search(
        plan,
        outcome,
        run or (lambda candidate: run_plan(target, candidate, time_limit=limit)),
        runs=runs,
        deadline=time.monotonic() + seconds,
    )
    return search.shortest()


class _Search:
    """The best plan so far, and the ways to a better one."""

    def __init__(
        self,
        plan: Plan,
        outcome: Outcome,
        run: Callable[[Plan], Outcome],
        *,
        runs: int,
        deadline: float,
    ) -> None:
        self._best = plan
        self._steps = steps_of(plan.calls)
        self._outcome = outcome
        self._run = run
        self._runs_left = runs
        self._tried: set[tuple[Call, ...]] = set()
        self._deadline = deadline

    def shortest(self) -> Plan:
        """Run all passes, the single-call pass until it finds nothing more."""
        self._cut_tail()
        self._cut_rounds()
        if self._outcome.kind in ("in_place", "misuse"):
            return self._best
        self._drop_lives()
        if any(step.call.operation.misuses for step in self._steps):
            return self._best
        self._drop_calls()
        self._shrink_numbers()
        while self._drop_lives() or self._drop_calls():
            self._shrink_numbers()
        return self._best

    # --- candidates ---

    def _is_spent(self) -> bool:
        """Whether runs or time are used up."""
        return self._runs_left <= 0 or time.monotonic() > self._deadline or is_over()

    def _fails(self, candidate: Plan) -> bool:
        if self._is_spent():
            return False
        self._runs_left -= 1
        seen = self._run(candidate)
        if seen.signature != self._outcome.signature:
            return False
        self._outcome = seen
        return True

    def _accepts(self, steps: Sequence[Step]) -> bool:
        """Take these steps if they still fail in the same way."""
        calls = closed(written(steps))
        key = tuple(calls[:SHORT])
        if key in self._tried:
            return False
        candidate = self._best.with_calls(calls)
        if not self._fails(candidate):
            if len(calls) < SHORT:
                self._tried.add(key)
            return False
        self._best = candidate
        self._steps = steps_of(calls)
        self._cut_after_failure()
        return True

    # --- passes ---

    def _cut_tail(self) -> None:
        """Leave out what comes after the failing call, and number the slots afresh."""
        op = self._outcome.op
        if op is not None and self._accepts(self._steps[: op + 1]):
            return
        self._accepts(self._steps)

    def _cut_after_failure(self) -> None:
        """Calls after the failing one never ran: no need to try."""
        op = self._outcome.op
        if any(step.call.operation.structures for step in self._steps):
            return  # another thread's calls, or a handler's, may have run before it
        if op is not None and self._outcome.round == 0 and op + 1 < len(self._steps):
            self._steps = self._steps[: op + 1]
            self._best = self._best.with_calls([step.call for step in self._steps])

    def _cut_rounds(self) -> None:
        for rounds in (1, 2, self._outcome.round + 1):
            if rounds < self._best.header.repeat:
                candidate = self._best.with_settings(repeat=rounds)
                if self._fails(candidate):
                    self._best = candidate
                    return

    def _drop_lives(self) -> bool:
        """Leave out all calls on some blocks."""

        def units() -> list[frozenset[int]]:
            lives = dict.fromkeys(step.life for step in self._steps if step.life is not None)
            return [frozenset({life}) for life in lives]

        def without(dropped: frozenset[int]) -> list[Step]:
            return [step for step in self._steps if step.life not in dropped]

        return self._drop(units, without)

    def _drop_calls(self) -> bool:
        """Leave out single calls (and with a block's first call, all on that block).

        What opens a section goes with its end: the calls inside stay.
        """
        keeps_frees = self._outcome.signature in _FREES_MATTER

        def units() -> list[frozenset[int]]:
            ends = dict(sections_of([step.call for step in self._steps]))
            last = set(ends.values())
            return [
                frozenset({index, ends.get(index, index)})
                for index, step in enumerate(self._steps)
                if index not in last
                and not (keeps_frees and _gives_back(step.call))
                and step.call.name not in _ENDS_SHORTAGE
            ]

        def without(dropped: frozenset[int]) -> list[Step]:
            return [step for index, step in enumerate(self._steps) if index not in dropped]

        return self._drop(units, without)

    def _drop(
        self,
        units: Callable[[], list[frozenset[int]]],
        without: Callable[[frozenset[int]], list[Step]],
    ) -> bool:
        """Leave out chunks of units, from half of them down to one; whether any could go.

        From the back: late calls hang on early ones, so they go more easily.
        """
        shrunk = False
        chunk = len(units()) // 2 or 1
        while chunk and not self._is_spent():
            end = len(units())
            while end > 0 and not self._is_spent():
                present = units()
                end = min(end, len(present))
                start = max(0, end - chunk)
                if self._accepts(without(frozenset().union(*present[start:end]))):
                    shrunk = True
                end = start
            chunk = min(chunk, len(units())) // 2
        return shrunk

    # --- numbers ---

    def _shrink_numbers(self) -> None:
        for index in range(len(self._steps)):
            if index < len(self._steps) and not self._is_spent():
                self._shrink_call(index)

    def _shrink_call(self, index: int) -> None:
        call = self._steps[index].call
        if call.name == "parallel":
            self._minimise(index, (call._replace(size=n) for n in _smaller(call.size, 1)))
        if not call.operation.allocates or call.expect & (Expect.FAILURE | Expect.IN_PLACE):
            return
        if "alignment" in call.operation.fields:
            self._minimise(index, _smaller_alignments(call))
        if "count" in call.operation.fields:
            self._minimise(index, (call._replace(arg=n) for n in _smaller(call.arg or 0, 1)))
        self._minimise(index, self._smaller_sizes(index))

    def _smaller_sizes(self, index: int) -> Iterator[Call]:
        call = self._steps[index].call
        unit = call.arg if call.name == "aligned_alloc" and call.arg else 1
        multiple = call.size % unit == 0
        for size in _smaller(call.size, self._least_size()):
            rounded = -(-size // unit) * unit if multiple else size
            if rounded < call.size:
                yield call._replace(size=rounded)

    def _least_size(self) -> int:
        header = self._best.header
        if self._outcome.kind == "align" and not header.weak_alignment:
            return max(header.alignment, 16)
        return 1

    def _minimise(self, index: int, candidates: Iterator[Call]) -> None:
        """Take the first of these calls that still fails; they come smallest first."""
        for call in candidates:
            if index >= len(self._steps):
                return
            steps = list(self._steps)
            steps[index] = steps[index].with_call(call)
            if self._accepts(steps):
                return


def _is_condensed(plan: Plan) -> bool:
    """Whether a call stands for many: the plan is short then, and its slots have fixed places."""
    return any(call.operation.many for call in plan.calls)


def _gives_back(call: Call) -> bool:
    return call.operation.ends or call.name in ("free_all", "trim")


def _smaller(value: int, least: int) -> Iterator[int]:
    """Simple numbers below `value`: powers of two from below, then fractions, then one less."""
    power = least
    while power < value:
        yield power
        power *= 2
    for candidate in (value * 3 // 4, value * 7 // 8, value - 1):
        if least <= candidate < value:
            yield candidate


def _smaller_alignments(call: Call) -> Iterator[Call]:
    alignment = call.arg or 0
    if alignment & (alignment - 1):
        return
    power = 16
    while power < alignment:
        yield call._replace(arg=power)
        power *= 2
