"""From a plan that fails to the shortest one that fails in the same way.

Delta debugging (Zeller and Hildebrandt, 2002) over whole lives of blocks first, then over single
calls, then over sizes, counts and alignments; what can't be shortened is made more alike, so that
it can be told as loops (`alike`, `folding`). Candidates run in forks of one child (`batch`), each
on a target that nobody has called yet.

What is left out must not make the failure a rightful one: where memory is short (a NULL, a runaway)
no free is left out, nor what ends a shortage that the plan itself makes; a call that must fail
keeps its arguments, no request shrinks to zero bytes, and what must stay in place, or be told as
misuse, keeps all that stands before it. Around a stale pointer nothing but whole lives goes:
without its free, a double free is none.
"""

import functools
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from heapyard._deadline import is_over
from heapyard.trial.alike import (
    alike,
    can_be_alike,
    repeated,
    runs_of_one,
    singly,
    without_looks,
    without_turns,
)
from heapyard.trial.batch import can_run_batches, first_failing
from heapyard.trial.fewer_threads import (
    fewer_threads,
    handed_over,
    has_threads,
    one_after_another,
)
from heapyard.trial.folding import written_length
from heapyard.trial.lifetimes import Step, steps_of, written
from heapyard.trial.operations import Call, Expect
from heapyard.trial.outcome import Outcome
from heapyard.trial.plan import Plan
from heapyard.trial.run import run_plan
from heapyard.trial.structure import closed, sections_of
from heapyard.trial.targets import Target
from heapyard.trial.windows import windows, without_body_calls

__all__ = ["shrink_plan"]

HANG_SECONDS = 0.5
"""The time limit of a single run where the failure is a hang."""

SHORT = 100
"""Plans below this many calls are remembered, so that none is run twice for nothing."""

_ENDS_SHORTAGE = ("end_fail", "limit_space")
"""Without these, memory that is short stays short, and a failure is rightful."""

_BATCHES = (4, 64)
"""Candidates of one child: at first, and at most."""

_CALLS = 50_000
"""Of all candidates of one child."""

_LARGE = 300
"""Plans above this many calls that are a few loops are not taken apart call by call."""

_FEW = 20
"""So many calls as written are a short plan."""

_APART = (0, 4, 10)
"""So many last calls are left as they are while those before them are made alike."""

_SINGLE = 60
"""Plans up to this many calls have each number of theirs shrunk by itself."""

_OF_BORDERS = ("overlap", "content", "mapped", "engine")
"""What is seen where a block is longer than the place it lies in."""

_FREES_MATTER = {("violation", "null"), ("runaway", "")}


def shrink_plan(  # noqa: PLR0913
    target: Target,
    plan: Plan,
    outcome: Outcome,
    *,
    runs: int = 20_000,
    seconds: float = 20.0,
    run: Callable[[Plan], Outcome] | None = None,
    keeps_rounds: bool = False,
) -> Plan:
    """Look for the shortest plan with the status and kind of `outcome`, at most `runs` children.

    The same plan, outcome and bounds give the same answer, unless `seconds` of wall time pass
    first or the target itself is not deterministic. What can't be reproduced comes back as it was.
    `run` replaces the running of a candidate on `target`. `keeps_rounds`: the plan repeats so that
    a race is lost for sure.
    """
    if outcome.held or outcome.status == "refused" or _is_condensed(plan):
        return plan
    limit = HANG_SECONDS if outcome.status == "hang" else _time_limit(outcome)
    search = _Search(
        plan,
        outcome,
        run or (lambda candidate: run_plan(target, candidate, time_limit=limit)),
        runs=runs,
        deadline=time.monotonic() + seconds,
    )
    if has_threads(plan.calls):
        plan = search.with_fewer_threads()
    threaded = has_threads(plan.calls)
    if (
        run is None
        and not threaded
        and can_be_alike(plan.calls)
        and can_run_batches(target, outcome)
    ):
        search.batch = functools.partial(first_failing, target, outcome=outcome, time_limit=limit)
    return search.shortest(keeps_rounds=keeps_rounds)


def _time_limit(outcome: Outcome) -> float:
    """A candidate that takes much longer than the plan did is hardly the same failure."""
    return min(10.0, max(0.5, 5 * outcome.seconds))


class Batch(Protocol):
    """Which of several plans is the first that fails as it should, in so many seconds."""

    def __call__(self, plans: Sequence[Plan], *, seconds: float) -> int | None:
        """The index, or None."""


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
        self.batch: Batch | None = None
        """What runs many candidates at once, where that is possible."""
        self._batch_size = _BATCHES[0]
        self._best = plan
        self._steps = steps_of(plan.calls)
        self._outcome = outcome
        self._run = run
        self._runs_left = runs
        self._tried: set[tuple[Call, ...]] = set()
        self._deadline = deadline

    def with_fewer_threads(self) -> Plan:
        """As few threads as it takes; where one is enough, what comes after goes much faster."""
        self._cut_tail()
        self._use_fewer_threads()
        return self._best

    def _use_fewer_threads(self) -> None:
        while self._accepts_first(fewer_threads(self._steps)) is not None:
            pass

    def shortest(self, *, keeps_rounds: bool) -> Plan:
        """Run all passes, those that leave out calls until they find nothing more."""
        self._cut_tail()
        if not keeps_rounds:
            self._cut_rounds()
        if self._outcome.kind in ("in_place", "misuse"):
            return self._best
        if any(step.call.operation.misuses for step in self._steps):
            self._drop_lives()
            return self._best
        if can_be_alike([step.call for step in self._steps]):
            self._accepts(without_looks(self._steps))
        loop = self._loop_or_short()
        if loop is None or len(self._best) <= _FEW:
            return self._best
        return min(self._best, loop, key=lambda plan: written_length(plan.calls))

    def _loop_or_short(self) -> Plan | None:
        """Shorten it, and look for a loop: where candidates run in batches, for that first."""
        if not has_threads(self._best.calls):
            loop = self._as_a_loop()
            self._shorten()
            return loop
        whole, now = self._deadline, time.monotonic()
        self._deadline = now + (whole - now) / 2
        self._shorten()
        self._deadline = whole
        return self._as_a_loop()

    def _shorten(self) -> None:
        if len(self._steps) > _LARGE:
            self._drop_lives(coarsely=True)
        if len(self._steps) > _LARGE:
            self._make_alike()
        self._drop_lives()
        self._drop_calls()
        self._use_fewer_threads()
        self._make_alike()
        self._shrink_numbers()
        while self._drop_lives() or self._drop_calls():
            self._use_fewer_threads()
            self._make_alike()
            self._shrink_numbers()

    def _as_a_loop(self) -> Plan | None:
        """The life of the failing block alone, again and again, if that fails too: for later."""
        kept = self._best, self._steps, self._outcome
        if not self._repeat():
            return None
        self._shrink_loops()
        loop = self._best
        self._best, self._steps, self._outcome = kept
        return loop

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

    def _accepts_first(self, candidates: Iterable[Sequence[Step]]) -> int | None:
        """Take the first of these that still fails; its index. Each is made only when it is due."""
        due = enumerate(candidates)
        while not self._is_spent():
            several = list(islice(due, min(self._batch_size, _CALLS // (len(self._steps) + 1) + 1)))
            if not several:
                return None
            for index, steps in self._promising(several):
                if self._accepts(steps):
                    self._batch_size = _BATCHES[0]
                    return index
            self._batch_size = min(2 * self._batch_size, _BATCHES[1])
        return None

    def _promising(
        self, several: list[tuple[int, Sequence[Step]]]
    ) -> Iterator[tuple[int, Sequence[Step]]]:
        """Those of several that are worth a run of their own: the first that fails in a batch."""
        if self.batch is None:
            yield from several
            return
        while several:
            plans = [self._best.with_calls(written(steps)) for _, steps in several]
            self._runs_left -= len(plans)
            found = self.batch(plans, seconds=max(0.5, self._deadline - time.monotonic()))
            if found is None:
                return
            yield several[found]
            several = several[found + 1 :]  # alone it did not fail: another may

    # --- passes ---

    def _make_alike(self) -> None:
        """Make all calls alike, and loops of them short, so far as it still fails."""
        if not can_be_alike([step.call for step in self._steps]):
            return
        frees_matter = self._outcome.signature in _FREES_MATTER
        failing = len(self._steps) - 1
        for apart in _APART if len(self._steps) > _FEW else (0,):
            for change in alike(self._steps, failing, frees_matter=frees_matter):
                if self._is_spent():
                    return
                at = len(self._steps) - apart
                changed = [*change(self._steps[:at]), *self._steps[at:]]
                if len(changed) < len(self._steps) or self._is_simpler(changed):
                    self._accepts(changed)
        self._shrink_turns()

    def _repeat(self) -> bool:
        if len(self._steps) <= _FEW:
            return False
        if self._accepts_first(itertools.chain(*self._loops())) is not None:
            return True
        if self._outcome.signature in _FREES_MATTER or has_threads(self._best.calls):
            return False
        if self._is_a_run_of_one():
            return True
        return self._accepts_first(windows(self._steps, len(self._steps) - 1)) is not None

    def _loops(self) -> Iterator[Iterator[Sequence[Step]]]:
        steps, op = self._steps, self._outcome.op
        failing = len(steps) - 1 if op is None else min(op, len(steps) - 1)
        threaded = has_threads(self._best.calls)
        matter = self._outcome.signature in _FREES_MATTER
        if threaded:
            yield one_after_another(steps, failing)
            yield handed_over(steps, failing)
        if not matter and can_be_alike([step.call for step in steps]):
            yield repeated(steps, failing)

    def _is_a_run_of_one(self) -> bool:
        """Whether so many blocks of one size fail in the same way."""
        run = None
        if self._outcome.kind in _OF_BORDERS or self._outcome.status == "crash":
            run = self._first_of(runs_of_one(self._steps))
        if run is None:
            return False
        times = run.arg or 1
        halves = (
            run._replace(arg=times >> shift) for shift in range(times.bit_length() - 1, 0, -1)
        )
        return self._accepts(singly(self._first_of(list(halves)) or run))

    def _first_of(self, calls: list[Call]) -> Call | None:
        """The first of these that fails as a plan of its own, where many can be tried at once."""
        if self.batch is None or self._is_spent():
            return None
        self._runs_left -= len(calls)
        plans = [self._best.with_calls([call]) for call in calls]
        found = self.batch(plans, seconds=max(0.5, self._deadline - time.monotonic()))
        return None if found is None else calls[found]

    def _shrink_loops(self) -> None:
        self._shrink_turns()
        while (
            not self._is_spent()
            and self._accepts_first(without_body_calls(self._steps)) is not None
        ):
            self._shrink_turns()
        self._shrink_numbers()

    def _shrink_turns(self) -> None:
        while not self._is_spent() and self._accepts_first(without_turns(self._steps)) is not None:
            pass

    def _is_simpler(self, steps: list[Step]) -> bool:
        now = written_length([step.call for step in self._steps])
        return written(steps) != list(self._best.calls) and written_length(written(steps)) <= now

    def _is_told_shortly(self) -> bool:
        """Whether it is a few loops of very many calls."""
        many = len(self._steps) > _LARGE
        return many and written_length([step.call for step in self._steps]) <= _FEW

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

    def _drop_lives(self, *, coarsely: bool = False) -> bool:
        """Leave out all calls on some blocks."""

        def units() -> list[frozenset[int]]:
            lives = dict.fromkeys(step.life for step in self._steps if step.life is not None)
            return [frozenset({life}) for life in lives]

        def without(dropped: frozenset[int]) -> list[Step]:
            return [step for step in self._steps if step.life not in dropped]

        return self._drop(units, without, finest=len(units()) // 64 if coarsely else 1)

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
        *,
        finest: int = 1,
    ) -> bool:
        """Leave out chunks of units, from half of them down to few; whether any could go.

        From the back: late calls hang on early ones, so they go more easily.
        """
        shrunk = False
        chunk = len(units()) // 2 or 1
        while chunk >= max(1, finest) and not self._is_spent() and not self._is_told_shortly():
            end = len(units())
            while end > 0 and not self._is_spent():
                present = units()
                end = min(end, len(present))
                starts = [max(0, stop - chunk) for stop in range(end, 0, -chunk)]
                taken = self._accepts_first(
                    without(frozenset().union(*present[start : start + chunk])) for start in starts
                )
                if taken is None:
                    break
                shrunk = True
                end = starts[taken]
            chunk = min(chunk, len(units())) // 2
        return shrunk

    # --- numbers ---

    def _shrink_numbers(self) -> None:
        """The numbers of equal calls together, then, in a short plan, those of each call."""
        for call in dict.fromkeys(_shape(step.call) for step in self._steps):
            if self._is_spent():
                return
            if call.operation.allocates:
                alike = [at for at, step in enumerate(self._steps) if _shape(step.call) == call]
                if len(alike) > 1:
                    self._shrink_calls(alike)
        if len(self._steps) > _SINGLE:
            return
        for index in range(len(self._steps)):
            if index < len(self._steps) and not self._is_spent():
                self._shrink_calls([index])

    def _shrink_calls(self, indices: list[int]) -> None:
        call = self._steps[indices[0]].call
        if call.name == "parallel":
            self._minimise(indices, (call._replace(size=n) for n in _smaller(call.size, 1)))
        if not call.operation.allocates or call.expect & (Expect.FAILURE | Expect.IN_PLACE):
            return
        if "alignment" in call.operation.fields:
            self._minimise(indices, _smaller_alignments(call))
        if "count" in call.operation.fields:
            self._minimise(indices, (call._replace(arg=n) for n in _smaller(call.arg or 0, 1)))
        if indices[0] < len(self._steps):
            self._minimise(indices, self._smaller_sizes(indices[0]))

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

    def _minimise(self, indices: list[int], candidates: Iterator[Call]) -> None:
        """Take the first of these calls that still fails; they come smallest first."""

        def changed(call: Call) -> list[Step]:
            steps = list(self._steps)
            for index in indices:
                old = steps[index].call
                steps[index] = steps[index].with_call(old._replace(size=call.size, arg=call.arg))
            return steps

        if indices[-1] < len(self._steps):
            self._accepts_first(changed(call) for call in candidates)


def _shape(call: Call) -> Call:
    """The call without the block that it is about."""
    return call._replace(slot=None)


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
