"""Plans with fewer threads: the same calls by others, one after the other, or without some threads.

Each function proposes plans; whether one still fails is for the caller to see.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from heapyard.trial.lifetimes import Step
from heapyard.trial.operations import BY_NAME, Call
from heapyard.trial.structure import sections_of

__all__ = ["fewer_threads", "handed_over", "has_threads", "one_after_another", "threads_of"]

Steps = list[Step]

_ON_THREAD, _JOIN = BY_NAME["on_thread"].code, BY_NAME["join"].code
_PARALLEL = BY_NAME["parallel"].code
_OF_THREADS = frozenset({"parallel", "in_destructor"})


def has_threads(calls: Sequence[Call]) -> bool:
    """Whether it says which thread makes the calls."""
    return any(call.code in (_ON_THREAD, _PARALLEL) for call in calls)


def threads_of(calls: Sequence[Call]) -> list[int]:
    """The threads that make calls, main's (0) apart."""
    return sorted({call.size for call in calls if call.code == _ON_THREAD} - {0})


def fewer_threads(steps: Steps) -> Iterator[Steps]:
    """All that could be done by fewer threads or less at once, the most that can go first."""
    calls = [step.call for step in steps]
    threads = threads_of(calls)
    if not has_threads(calls):
        return
    yield _by_main(steps)
    if any(call.code == _PARALLEL for call in calls):
        yield _by_main(_unrolled(steps))
        yield _in_turn(steps)
    yield from (_without(steps, thread) for thread in reversed(threads))
    for thread in reversed(threads):
        yield from (_as(steps, thread, other) for other in [0, *threads] if other < thread)
    if threads != list(range(1, len(threads) + 1)):
        yield _numbered(steps, threads)


def one_after_another(steps: Steps, failing: int) -> Iterator[Steps]:
    """The life of the block that failed, by thread after thread: what a number of them triggers."""
    life = steps[failing].life if failing < len(steps) else None
    own = [step for step in steps[: failing + 1] if step.life == life]
    joins = [step for step in steps if step.call.code in (_ON_THREAD, _JOIN)]
    if life is None or not own[0].births or len(joins) < _MANY:
        return
    for copies in (1, 2):
        for times in (len(joins), 4 * len(joins)):
            lives = iter(range(copies * times))
            turns = [[_ON, *_lives(own, lives, copies), _END] for _ in range(times)]
            yield [step for turn in turns for step in turn]


def handed_over(steps: Steps, failing: int) -> Iterator[Steps]:
    """Many blocks as the one that failed, made by one thread, freed by another."""
    step = steps[failing] if failing < len(steps) else None
    if step is None or not step.births or len(steps) < _LONG:
        return
    for times in (16, 128, 1024):
        made = [replace(step, life=life) for life in range(times)]
        freed = [Step(Call(_FREE), life) for life in range(times)]
        more = [replace(step, life=times + life) for life in range(2)]
        yield [_ON, *made, _ON_OTHER, *freed, *more]
        yield [_ON, *made, *more[:1], _ON_OTHER, *freed, *more[1:]]


def _lives(own: Steps, lives: Iterator[int], copies: int) -> Steps:
    """The same life, so many times, each with a number of its own."""
    return [replace(step, life=life) for life in islice(lives, copies) for step in own]


_MANY = 16
"""Threads that are enough to think of a number of them."""

_LONG = 60
"""Calls that are enough to think of a list that overflows."""

_FREE = BY_NAME["free"].code
_ON_OTHER = Step(Call(_ON_THREAD, size=2))
_ON, _END = Step(Call(_ON_THREAD, size=1)), Step(Call(_JOIN, size=1))


def _by_main(steps: Steps) -> Steps:
    """Every call by main, in the order in which they stand."""
    borders = _borders(steps, _OF_THREADS)
    return [
        step
        for at, step in enumerate(steps)
        if at not in borders and step.call.code not in (_ON_THREAD, _JOIN)
    ]


def _in_turn(steps: Steps) -> Steps:
    """No two threads at once."""
    borders = _borders(steps, frozenset({"parallel"}))
    return [step for at, step in enumerate(steps) if at not in borders]


def _unrolled(steps: Steps) -> Steps:
    """Sections that are done several times, written so many times."""
    ends = dict(sections_of([step.call for step in steps]))
    lives = 1 + max((step.life or 0 for step in steps), default=0)
    whole: Steps = []
    at = 0
    while at < len(steps):
        call = steps[at].call
        if call.code != _PARALLEL or at not in ends:
            whole.append(steps[at])
            at += 1
            continue
        inside = steps[at + 1 : ends[at]]
        for turn in range(min(call.size, _MOST_TURNS)):
            whole += (_in_turn_of(step, turn * lives) for step in inside)
        at = ends[at] + 1
    return whole


_MOST_TURNS = 512


def _in_turn_of(step: Step, first: int) -> Step:
    """The step on a block of its own; the first turn keeps what is there."""
    return step if step.life is None else replace(step, life=first + step.life)


def _borders(steps: Steps, names: frozenset[str]) -> set[int]:
    """Where sections of these names open and end."""
    calls = [step.call for step in steps]
    found = [each for each in sections_of(calls) if calls[each[0]].name in names]
    return {at for section in found for at in section}


def _without(steps: Steps, thread: int) -> Steps:
    """Nothing that this thread does."""
    makers = _makers([step.call for step in steps])
    return [
        step
        for step, maker in zip(steps, makers, strict=True)
        if (_thread_of(step.call) != thread if step.call.operation.structures else maker != thread)
    ]


def _thread_of(call: Call) -> int | None:
    """The thread that the call names."""
    return call.size if call.code in (_ON_THREAD, _JOIN) else None


def _makers(calls: Sequence[Call]) -> list[int]:
    """Which thread makes each call."""
    opened = {end: start for start, end in sections_of(calls) if calls[start].name == "parallel"}
    makers: list[int] = []
    thread = 0
    for at, call in enumerate(calls):
        if call.code == _ON_THREAD:
            thread = call.size
        elif call.code == _JOIN and call.size == thread:
            thread = 0
        elif at in opened:
            thread = makers[opened[at]]
        makers.append(thread)
    return makers


def _as(steps: Steps, thread: int, other: int) -> Steps:
    """What this thread does, another does."""
    return [
        step if _thread_of(step.call) != thread else _by(step, other)
        for step in steps
        if other or step.call.code != _JOIN or step.call.size != thread
    ]


def _numbered(steps: Steps, threads: Sequence[int]) -> Steps:
    """Their numbers without holes."""
    numbers = {thread: number for number, thread in enumerate(threads, 1)}
    return [
        _by(step, numbers[thread]) if (thread := _thread_of(step.call)) in numbers else step
        for step in steps
    ]


def _by(step: Step, other: int) -> Step:
    return step.with_call(step.call._replace(size=other))
