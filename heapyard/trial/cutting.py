"""Calls, lives of blocks and rounds, left out as far as the plan still fails."""

from collections.abc import Callable

from heapyard.trial.folding import written_length
from heapyard.trial.lifetimes import Step
from heapyard.trial.operations import Call
from heapyard.trial.search import FEW, LARGE, Search
from heapyard.trial.structure import sections_of

__all__ = ["cut_rounds", "cut_tail", "drop_calls", "drop_lives"]

_ENDS_SHORTAGE = ("end_fail", "limit_space")
"""Without these, memory that is short stays short, and a failure is rightful."""


def cut_tail(search: Search) -> None:
    """Leave out what comes after the failing call, and number the slots afresh."""
    op = search.outcome.op
    if op is not None and search.accepts(search.steps[: op + 1]):
        return
    search.accepts(search.steps)


def cut_rounds(search: Search) -> None:
    """Run as few rounds as it takes."""
    for rounds in (1, 2, search.outcome.round + 1):
        if rounds < search.best.header.repeat:
            candidate = search.best.with_settings(repeat=rounds)
            if search.fails(candidate):
                search.best = candidate
                return


def drop_lives(search: Search, *, coarsely: bool = False) -> bool:
    """Leave out all calls on some blocks."""

    def units() -> list[frozenset[int]]:
        lives = dict.fromkeys(step.life for step in search.steps if step.life is not None)
        return [frozenset({life}) for life in lives]

    def without(dropped: frozenset[int]) -> list[Step]:
        return [step for step in search.steps if step.life not in dropped]

    return _drop(search, units, without, finest=len(units()) // 64 if coarsely else 1)


def drop_calls(search: Search) -> bool:
    """Leave out single calls (and with a block's first call, all on that block).

    What opens a section goes with its end: the calls inside stay.
    """

    def units() -> list[frozenset[int]]:
        ends = dict(sections_of([step.call for step in search.steps]))
        last = set(ends.values())
        return [
            frozenset({index, ends.get(index, index)})
            for index, step in enumerate(search.steps)
            if index not in last
            and not (search.frees_matter and _gives_back(step.call))
            and step.call.name not in _ENDS_SHORTAGE
        ]

    def without(dropped: frozenset[int]) -> list[Step]:
        return [step for index, step in enumerate(search.steps) if index not in dropped]

    return _drop(search, units, without)


def _drop(
    search: Search,
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
    while chunk >= max(1, finest) and not search.is_spent() and not _is_told_shortly(search):
        end = len(units())
        while end > 0 and not search.is_spent():
            present = units()
            end = min(end, len(present))
            starts = [max(0, stop - chunk) for stop in range(end, 0, -chunk)]
            taken = search.accepts_first(
                without(frozenset().union(*present[start : start + chunk])) for start in starts
            )
            if taken is None:
                break
            shrunk = True
            end = starts[taken]
        chunk = min(chunk, len(units())) // 2
    return shrunk


def _is_told_shortly(search: Search) -> bool:
    """Whether it is a few loops of very many calls."""
    many = len(search.steps) > LARGE
    return many and written_length([step.call for step in search.steps]) <= FEW


def _gives_back(call: Call) -> bool:
    return call.operation.ends or call.name in ("free_all", "trim")
