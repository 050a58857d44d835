"""Sizes, counts and alignments, as small and simple as they go."""

from collections.abc import Iterator

from heapyard.trial.lifetimes import Step
from heapyard.trial.operations import Call, Expect
from heapyard.trial.search import Search

__all__ = ["shrink_numbers"]

_SINGLE = 60
"""Plans up to this many calls have each number of theirs shrunk by itself."""


def shrink_numbers(search: Search) -> None:
    """The numbers of equal calls together, then, in a short plan, those of each call."""
    for call in dict.fromkeys(_shape(step.call) for step in search.steps):
        if search.is_spent():
            return
        if call.operation.allocates:
            alike = [at for at, step in enumerate(search.steps) if _shape(step.call) == call]
            if len(alike) > 1:
                _shrink_calls(search, alike)
    if len(search.steps) > _SINGLE:
        return
    for index in range(len(search.steps)):
        if index < len(search.steps) and not search.is_spent():
            _shrink_calls(search, [index])


def _shrink_calls(search: Search, indices: list[int]) -> None:
    call = search.steps[indices[0]].call
    if call.name == "parallel":
        _minimise(search, indices, (call._replace(size=n) for n in _smaller(call.size, 1)))
    if not call.operation.allocates or call.expect & (Expect.FAILURE | Expect.IN_PLACE):
        return
    if "alignment" in call.operation.fields:
        _minimise(search, indices, _smaller_alignments(call))
    if "count" in call.operation.fields:
        _minimise(search, indices, (call._replace(arg=n) for n in _smaller(call.arg or 0, 1)))
    if indices[0] < len(search.steps):
        _minimise(search, indices, _smaller_sizes(search, indices[0]))


def _smaller_sizes(search: Search, index: int) -> Iterator[Call]:
    call = search.steps[index].call
    unit = call.arg if call.name == "aligned_alloc" and call.arg else 1
    multiple = call.size % unit == 0
    for size in _smaller(call.size, _least_size(search)):
        rounded = -(-size // unit) * unit if multiple else size
        if rounded < call.size:
            yield call._replace(size=rounded)


def _least_size(search: Search) -> int:
    header = search.best.header
    if search.outcome.kind == "align" and not header.weak_alignment:
        return max(header.alignment, 16)
    return 1


def _minimise(search: Search, indices: list[int], candidates: Iterator[Call]) -> None:
    """Take the first of these calls that still fails; they come smallest first."""

    def changed(call: Call) -> list[Step]:
        steps = list(search.steps)
        for index in indices:
            old = steps[index].call
            steps[index] = steps[index].with_call(old._replace(size=call.size, arg=call.arg))
        return steps

    if indices[-1] < len(search.steps):
        search.accepts_first(changed(call) for call in candidates)


def _shape(call: Call) -> Call:
    """The call without the block that it is about."""
    return call._replace(slot=None)


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
