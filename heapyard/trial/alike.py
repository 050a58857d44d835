"""Steps made more alike, so that a long plan which can't be shortened can at least be told shortly.

A failure that a counter triggers needs its thousand calls; but they may all be the same call, and
then they are a loop of one. Each function here proposes plans of the same length or less, in which
more calls are equal; whether one still fails is for the caller to see.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from heapyard.trial.folding import Loop, fold
from heapyard.trial.lifetimes import Step
from heapyard.trial.operations import BY_NAME, Call, Expect

__all__ = [
    "alike",
    "can_be_alike",
    "repeated",
    "runs_of_one",
    "singly",
    "without_looks",
    "without_turns",
]

Steps = list[Step]

_LOOKS = frozenset(
    {"nop", "usable_size", "fill_usable", "write", "check", "check_all", "distinct", "measure"}
)
_FIXED = Expect.FAILURE | Expect.IN_PLACE
"""What is expected of these hangs on the very call: it stays as it is."""

_OF_THREADS = frozenset({"on_thread", "join", "parallel", "in_destructor", "end_section"})

_SIMPLER = {"reallocarray": "realloc", "calloc": "malloc", "free_sized": "free"}
"""Calls that do the same in a simpler way, so far as a plan can tell."""


def can_be_alike(calls: Sequence[Call]) -> bool:
    """Whether a plan has only what these functions understand: blocks, made and freed once."""
    return all(
        not (call.operation.misuses or call.operation.points)
        and (call.code <= BY_NAME["forget"].code or call.name in _OF_THREADS)
        for call in calls
    )


def without_looks(steps: Steps) -> Steps:
    """Without the calls that only look."""
    return [step for step in steps if step.call.name not in _LOOKS]


def repeated(steps: Steps, failing: int) -> Iterator[Steps]:
    """Nothing but the life of the block that failed, once, late, and over and over.

    As often as there are calls of the failing one's kind, some more, or as there are calls at all;
    each copy freed before the next, or kept.
    """
    life = steps[failing].life if failing < len(steps) else None
    own = [step for step in steps[: failing + 1] if step.life == life]
    if life is None or not own[0].births or any(step.call.operation.has_other for step in own):
        return
    yield own
    yield from _after_others(own)
    frees = [step for step in steps if step.call.name == "free" and step.life is not None][:1]
    same = sum(step.call.code == steps[failing].call.code for step in steps)
    for times in dict.fromkeys((same, same + same // 4 + 16, len(steps))):
        for end in (frees, []) if frees else ([],):
            body = [*own, *end]
            copies = [replace(step, life=turn) for turn in range(times) for step in body]
            for last in (1, 2):
                kept = [replace(step, life=times + turn) for turn in range(last) for step in own]
                yield [*copies, *kept]


_OTHERS = (300, 1200)
"""So many calls of another kind come before the life that failed."""


def _after_others(own: Steps) -> Iterator[Steps]:
    """The life, after blocks of its size that are made and freed, one by one or all in the end."""
    first = own[0].call
    size = first.size * (first.arg or 1) if "count" in first.operation.fields else first.size
    made = Call(BY_NAME["malloc"].code, size=max(16, min(size, 1 << 16)))
    for times in _OTHERS:
        makes = [Step(made, life, births=True) for life in range(times)]
        frees = [Step(Call(BY_NAME["free"].code), life) for life in range(times)]
        last = [replace(step, life=times) for step in own]
        yield [*(step for pair in zip(makes, frees, strict=True) for step in pair), *last]
        yield [*makes, *frees, *last]


def runs_of_one(steps: Steps) -> list[Call]:
    """Nothing but blocks of one size, as many as have the bytes of all: what a border triggers.

    The end of a chunk is met by blocks of any size; that they must meet it in a certain way, by the
    right one of many sizes. Each is one `malloc_many`, which `singly` takes apart.
    """
    made = [step.call for step in steps if step.births and not step.call.expect & _FIXED]
    total = sum(min(call.size * (call.arg or 1), _LARGEST) for call in made)
    many = Call(BY_NAME["malloc_many"].code, slot=0)
    return [
        many._replace(size=size, arg=min(total // size + 1, _LONGEST_RUN))
        for size in range(_RUN_SIZES, 0, -_STEP)
    ]


def singly(many: Call) -> Steps:
    """The same blocks, each by a call of its own."""
    malloc = Call(BY_NAME["malloc"].code, size=many.size)
    return [Step(malloc, life, births=True) for life in range(many.arg or 0)]


_LARGEST = 1 << 16
_RUN_SIZES, _STEP, _LONGEST_RUN = 1024, 16, 20_000


def alike(steps: Steps, failing: int, *, frees_matter: bool) -> Iterator[Callable[[Steps], Steps]]:
    """Ways to make all calls alike, each applied to what is left then."""
    yield _freed_at_once
    yield _freed_in_order
    if not frees_matter:
        yield _never_freed
    yield from (_renamed(name) for name in _SIMPLER)
    yield _malloc_for_realloc_of_null
    for code in dict.fromkeys(step.call.code for step in steps if _can_change(step.call)):
        yield from (_all_as(code, model) for model in _models(steps, code, failing, frees_matter))


def _can_change(call: Call) -> bool:
    return call.operation.allocates and not call.expect & _FIXED


def _models(steps: Steps, code: int, failing: int, frees_matter: bool) -> list[Call]:
    """What the calls of this operation may be like: the most frequent, the smallest, the last."""
    calls = [step.call for step in steps if step.call.code == code and _can_change(step.call)]
    calls = [call for call in calls if call.size]
    if not calls:
        return []
    counted = Counter((call.size, call.arg) for call in calls)
    (size, arg), _ = counted.most_common(1)[0]
    frequent = next(call for call in calls if (call.size, call.arg) == (size, arg))
    smallest = min(calls, key=lambda call: (call.arg or 0, call.size))
    last = steps[failing].call if failing < len(steps) else calls[-1]
    models = [smallest] if frees_matter else [smallest, frequent, calls[-1]]
    if last.code == code and last.size:
        models.append(last)
    return list(dict.fromkeys(models))


def _all_as(code: int, model: Call) -> Callable[[Steps], Steps]:
    def change(steps: Steps) -> Steps:
        return [
            step.with_call(step.call._replace(size=model.size, arg=model.arg))
            if step.call.code == code and _can_change(step.call)
            else step
            for step in steps
        ]

    return change


def _renamed(name: str) -> Callable[[Steps], Steps]:
    """Each call of this name as the simpler one."""
    simpler = BY_NAME[_SIMPLER[name]].code

    def change(steps: Steps) -> Steps:
        return [
            step.with_call(_plain(step.call, simpler))
            if step.call.name == name and not step.call.expect & _FIXED
            else step
            for step in steps
        ]

    return change


def _plain(call: Call, code: int) -> Call:
    size = call.size * call.arg if call.arg is not None else call.size
    ends = call.operation.ends
    return call._replace(code=code, size=0 if ends else size % (1 << 64), arg=None)


def _malloc_for_realloc_of_null(steps: Steps) -> Steps:
    code = BY_NAME["malloc"].code
    return [
        step.with_call(step.call._replace(code=code))
        if step.births and step.call.name == "realloc" and not step.call.expect & _FIXED
        else step
        for step in steps
    ]


def _freed_at_once(steps: Steps) -> Steps:
    """Each block that is freed, freed right after its last other call."""
    ends = {step.life: step for step in steps if step.life is not None and step.call.operation.ends}
    others = [step for step in steps if not (step.life in ends and step.call.operation.ends)]
    last = {step.life: at for at, step in enumerate(others) if step.life is not None}
    moved: Steps = []
    for at, step in enumerate(others):
        moved.append(step)
        if step.life in ends and last[step.life] == at:
            moved.append(ends[step.life])
    return moved


def _freed_in_order(steps: Steps) -> Steps:
    """Blocks that are freed one right after the other, in the order in which they were made."""
    ordered: Steps = []
    for is_free, group in groupby(steps, _is_plain_free):
        run = list(group)
        ordered += sorted(run, key=lambda step: step.life or 0) if is_free else run
    return ordered


def _is_plain_free(step: Step) -> bool:
    return step.call.name == "free" and step.life is not None


def _never_freed(steps: Steps) -> Steps:
    return [step for step in steps if not step.call.operation.ends]


def without_turns(steps: Steps) -> Iterator[Steps]:
    """The steps with fewer turns of a loop, for each that there is: a few left, half, one less."""
    at = 0
    for item in fold([step.call for step in steps]):
        length = item.times * len(item.body) if isinstance(item, Loop) else 1
        if isinstance(item, Loop):
            body = len(item.body)
            fewer = item.times
            while fewer:
                yield steps[:at] + steps[at + fewer * body :]
                fewer //= 2
        at += length
