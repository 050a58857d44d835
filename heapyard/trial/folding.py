"""Runs of calls that repeat, as loops: how a long plan is counted, shown and printed as C.

A loop is a body of a few calls, done so many times; from one turn to the next a call's slot and
size may grow by a fixed step. The length of a plan *as written* is the number of calls in this
form: a loop counts as its body. `for 998 times: malloc(48), free` is two calls.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heapyard.trial.operations import OPERATIONS, Call

__all__ = ["LONGEST_BODY", "Loop", "Turning", "fold", "written_length"]

LONGEST_BODY = 8
_NAMED = frozenset(row.code for row in OPERATIONS if {"figure", "unit"} & set(row.fields))
"""Operations whose size is one of a list of words: it is no number that could step."""

_FEWEST_TURNS = 3
_FEWEST_CALLS = 4


@dataclass(frozen=True)
class Turning:
    """A call of a loop's body, as in the first turn, and what each turn adds."""

    call: Call
    slot_step: int = 0
    size_step: int = 0

    def at(self, turn: int) -> Call:
        """The call of one turn."""
        slot = None if self.call.slot is None else self.call.slot + turn * self.slot_step
        return self.call._replace(slot=slot, size=self.call.size + turn * self.size_step)


@dataclass(frozen=True)
class Loop:
    """A body, done `times` times."""

    times: int
    body: tuple[Turning, ...]

    def calls(self) -> Iterable[Call]:
        """All calls, turn by turn."""
        return (each.at(turn) for turn in range(self.times) for each in self.body)


def written_length(calls: Sequence[Call]) -> int:
    """How many calls the plan has as written."""
    return sum(len(item.body) if isinstance(item, Loop) else 1 for item in fold(calls))


def fold(calls: Sequence[Call]) -> list[Call | Loop]:
    """The same calls, those that repeat as loops. From the left, the longest run first."""
    folded: list[Call | Loop] = []
    at = 0
    while at < len(calls):
        loop = _longest_run(calls, at)
        if loop is None:
            folded.append(calls[at])
            at += 1
        else:
            folded.append(loop)
            at += loop.times * len(loop.body)
    return folded


def _longest_run(calls: Sequence[Call], at: int) -> Loop | None:
    best: Loop | None = None
    for length in range(1, LONGEST_BODY + 1):
        loop = _run(calls, at, length)
        if loop is not None and (best is None or _covers(loop) > _covers(best)):
            best = loop
    return best


def _covers(loop: Loop) -> int:
    return loop.times * len(loop.body)


def _run(calls: Sequence[Call], at: int, length: int) -> Loop | None:
    """The run that begins here with a body of this length."""
    body = _body(calls, at, length)
    if body is None:
        return None
    times = 2
    while _turns(calls, at, body, times):
        times += 1
    loop = Loop(times, body)
    return loop if times >= _FEWEST_TURNS and _covers(loop) >= _FEWEST_CALLS else None


def _body(calls: Sequence[Call], at: int, length: int) -> tuple[Turning, ...] | None:
    """The steps between the first turn and the second; None where they are not alike."""
    if at + 2 * length > len(calls):
        return None
    turns = list(zip(calls[at : at + length], calls[at + length : at + 2 * length], strict=True))
    if not all(_are_alike(one, other) for one, other in turns):
        return None
    return tuple(
        Turning(one, (other.slot or 0) - (one.slot or 0), other.size - one.size)
        for one, other in turns
    )


def _are_alike(one: Call, other: Call) -> bool:
    """Whether nothing but the slot and the size differ. What differs most often comes first."""
    return (
        one.code == other.code
        and one.arg == other.arg
        and one.expect == other.expect
        and (one.slot is None) == (other.slot is None)
        and (one.size == other.size or one.code not in _NAMED)
    )


def _turns(calls: Sequence[Call], at: int, body: tuple[Turning, ...], turn: int) -> bool:
    """Whether the calls go on with one more turn."""
    first = at + turn * len(body)
    return first + len(body) <= len(calls) and all(
        calls[first + offset] == each.at(turn) for offset, each in enumerate(body)
    )
