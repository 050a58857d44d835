"""A plan as loops of few calls: calls made alike, the life of one block again and again."""

import itertools
from collections.abc import Iterator, Sequence

from heapyard.trial.alike import (
    alike,
    can_be_alike,
    repeated,
    runs_of_one,
    singly,
    without_turns,
)
from heapyard.trial.fewer_threads import handed_over, has_threads, one_after_another
from heapyard.trial.folding import written_length
from heapyard.trial.lifetimes import Step, written
from heapyard.trial.plan import Plan
from heapyard.trial.search import FEW, Search
from heapyard.trial.smaller import shrink_numbers
from heapyard.trial.windows import windows, without_body_calls

__all__ = ["as_a_loop", "make_alike"]

_APART = (0, 4, 10)
"""So many last calls are left as they are while those before them are made alike."""

_OF_BORDERS = ("overlap", "content", "mapped", "engine")
"""What is seen where a block is longer than the place it lies in."""


def make_alike(search: Search) -> None:
    """Make all calls alike, and loops of them short, so far as it still fails."""
    if not can_be_alike([step.call for step in search.steps]):
        return
    failing = len(search.steps) - 1
    for apart in _APART if len(search.steps) > FEW else (0,):
        for change in alike(search.steps, failing, frees_matter=search.frees_matter):
            if search.is_spent():
                return
            at = len(search.steps) - apart
            changed = [*change(search.steps[:at]), *search.steps[at:]]
            if len(changed) < len(search.steps) or _is_simpler(search, changed):
                search.accepts(changed)
    _shrink_turns(search)


def as_a_loop(search: Search) -> Plan | None:
    """The life of the failing block alone, again and again, if that fails too: for later."""
    kept = search.best, search.steps, search.outcome
    if not _repeat(search):
        return None
    _shrink_loops(search)
    loop = search.best
    search.best, search.steps, search.outcome = kept
    return loop


def _repeat(search: Search) -> bool:
    if len(search.steps) <= FEW:
        return False
    if not search.frees_matter and _is_a_run_of_one(search):
        return True
    if search.accepts_first(itertools.chain(*_loops(search))) is not None:
        return True
    if search.frees_matter or has_threads(search.best.calls):
        return False
    return search.accepts_first(windows(search.steps, len(search.steps) - 1)) is not None


def _loops(search: Search) -> Iterator[Iterator[Sequence[Step]]]:
    steps, op = search.steps, search.outcome.op
    failing = len(steps) - 1 if op is None else min(op, len(steps) - 1)
    threaded = has_threads(search.best.calls)
    if threaded:
        yield one_after_another(steps, failing)
        yield handed_over(steps, failing)
    if not search.frees_matter and can_be_alike([step.call for step in steps]):
        yield repeated(steps, failing)


def _is_a_run_of_one(search: Search) -> bool:
    """Whether so many blocks of one size fail in the same way."""
    run = None
    if search.outcome.kind in _OF_BORDERS or search.outcome.status == "crash":
        run = search.first_of(runs_of_one(search.steps))
    if run is None:
        return False
    times = run.arg or 1
    halves = (run._replace(arg=times >> shift) for shift in range(times.bit_length() - 1, 0, -1))
    return search.accepts(singly(search.first_of(list(halves)) or run))


def _shrink_loops(search: Search) -> None:
    _shrink_turns(search)
    while (
        not search.is_spent() and search.accepts_first(without_body_calls(search.steps)) is not None
    ):
        _shrink_turns(search)
    shrink_numbers(search)


def _shrink_turns(search: Search) -> None:
    while not search.is_spent() and search.accepts_first(without_turns(search.steps)) is not None:
        pass


def _is_simpler(search: Search, steps: list[Step]) -> bool:
    calls = written(steps)
    return calls != list(search.best.calls) and written_length(calls) <= search.written_length
