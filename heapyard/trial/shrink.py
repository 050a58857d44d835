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

import contextlib
import functools
import time
from collections.abc import Callable, Iterator

from heapyard.trial.alike import can_be_alike, without_looks
from heapyard.trial.batch import can_run_batches, first_failing
from heapyard.trial.cutting import cut_rounds, cut_tail, drop_calls, drop_lives
from heapyard.trial.fewer_threads import fewer_threads, has_threads
from heapyard.trial.folding import written_length
from heapyard.trial.looping import as_a_loop, make_alike
from heapyard.trial.outcome import Outcome
from heapyard.trial.plan import Plan
from heapyard.trial.run import run_plan
from heapyard.trial.search import FEW, LARGE, Search
from heapyard.trial.smaller import shrink_numbers
from heapyard.trial.targets import Target

__all__ = ["shrink_plan"]

HANG_SECONDS = 0.5
"""The time limit of a single run where the failure is a hang."""

_RUNS_BESIDE_A_LOOP = 600
"""A few calls that fail are found in fewer; where a loop of a few fails, more would not pay."""


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
    search = Search(
        plan,
        outcome,
        run or (lambda candidate: run_plan(target, candidate, time_limit=limit)),
        runs=runs,
        deadline=time.monotonic() + seconds,
    )
    if has_threads(plan.calls):
        plan = _with_fewer_threads(search)
    if run is None and can_run_batches(target, outcome):
        search.batch = functools.partial(first_failing, target, outcome=outcome, time_limit=limit)
        search.in_batches = can_be_alike(plan.calls) and not has_threads(plan.calls)
    return _shortest(search, keeps_rounds=keeps_rounds)


def _time_limit(outcome: Outcome) -> float:
    """A candidate that takes much longer than the plan did is hardly the same failure."""
    return min(10.0, max(0.5, 5 * outcome.seconds))


def _with_fewer_threads(search: Search) -> Plan:
    """As few threads as it takes; where one is enough, what comes after goes much faster."""
    cut_tail(search)
    with _half_the_time(search):
        _use_fewer_threads(search)
    return search.best


def _use_fewer_threads(search: Search) -> None:
    while search.accepts_first(fewer_threads(search.steps)) is not None:
        pass


def _shortest(search: Search, *, keeps_rounds: bool) -> Plan:
    """Run all passes, those that leave out calls until they find nothing more."""
    cut_tail(search)
    if not keeps_rounds:
        cut_rounds(search)
    if search.outcome.kind in ("in_place", "misuse"):
        return search.best
    if any(step.call.operation.misuses for step in search.steps):
        drop_lives(search)
        return search.best
    if can_be_alike([step.call for step in search.steps]):
        search.accepts(without_looks(search.steps))
    loop = _loop_or_short(search)
    if loop is None or len(search.best) <= FEW:
        return search.best
    return min(search.best, loop, key=lambda plan: written_length(plan.calls))


def _loop_or_short(search: Search) -> Plan | None:
    """Shorten it, and look for a loop: where candidates run in batches, for that first."""
    if not has_threads(search.best.calls):
        loop = as_a_loop(search)
        if loop is not None and written_length(loop.calls) <= FEW:
            search.spare(_RUNS_BESIDE_A_LOOP)
        _shorten(search)
        return loop
    with _half_the_time(search):
        _shorten(search)
    return as_a_loop(search)


@contextlib.contextmanager
def _half_the_time(search: Search) -> Iterator[None]:
    """Inside, no more than half of the time that is left."""
    whole, now = search.deadline, time.monotonic()
    search.deadline = now + (whole - now) / 2
    yield
    search.deadline = whole


def _shorten(search: Search) -> None:
    if len(search.steps) > LARGE:
        drop_lives(search, coarsely=True)
    if len(search.steps) > LARGE:
        make_alike(search)
    drop_lives(search)
    drop_calls(search)
    _use_fewer_threads(search)
    make_alike(search)
    shrink_numbers(search)
    while drop_lives(search) or drop_calls(search):
        _use_fewer_threads(search)
        make_alike(search)
        shrink_numbers(search)


def _is_condensed(plan: Plan) -> bool:
    """Whether a call stands for many: the plan is short then, and its slots have fixed places."""
    return any(call.operation.many for call in plan.calls)
