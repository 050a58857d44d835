"""A few calls out of a long plan, over and over: what it takes where a counter counts some of them.

    ... | a b c d | e f ... failing     =>     a b c d | a b c d | ... | a b c d

The blocks of a window are made in it, and freed at its end or kept. Whether that fails is for the
caller to see.
"""

from collections.abc import Iterator
from dataclasses import replace

from heapyard.trial.folding import LONGEST_BODY, Loop, fold
from heapyard.trial.lifetimes import Step
from heapyard.trial.operations import BY_NAME, Call

__all__ = ["windows", "without_body_calls"]

Steps = list[Step]

_SIZES = (2, 3, 4, 6)
_PLACES = 12
"""So many windows of each size are tried, the last ones first."""

_TURNS = (300, 1200)
_FREE = BY_NAME["free"].code


def windows(steps: Steps, failing: int) -> Iterator[Steps]:
    """Windows of a few calls, each repeated: some hundred times, then more often."""
    bodies = list(_bodies(steps[: failing + 1]))
    for turns in _TURNS:
        for body in bodies:
            yield [step for turn in range(turns) for step in _turn(body, turn)]


def _bodies(steps: Steps) -> Iterator[Steps]:
    for size in _SIZES:
        stride = max(1, size // 2)
        for place in range(_PLACES):
            end = len(steps) - place * stride
            if end < size:
                break
            window = _made_inside(steps[end - size : end])
            ended = [*window, *_frees_of(window)]
            if len(window) >= 2:
                yield window
            if len(window) < len(ended) <= LONGEST_BODY:
                yield ended


def _made_inside(window: Steps) -> Steps:
    """What is about blocks from before is about a block of the same kind, made for it."""
    made: set[int] = set()
    whole: Steps = []
    for step in window:
        if step.life is None:
            continue
        if step.life not in made and not step.births:
            whole.append(Step(Call(BY_NAME["malloc"].code, size=16), step.life, births=True))
        made.add(step.life)
        whole.append(step)
    return whole


def _frees_of(window: Steps) -> Steps:
    """An end for each block that has none."""
    ended = {step.life for step in window if step.call.operation.ends}
    lives = dict.fromkeys(step.life for step in window if step.life not in ended)
    return [Step(Call(_FREE), life) for life in lives]


def _turn(body: Steps, turn: int) -> Steps:
    """The body with blocks of its own."""
    first = turn * (1 + max(step.life or 0 for step in body))
    return [replace(step, life=first + (step.life or 0)) for step in body]


def without_body_calls(steps: Steps) -> Iterator[Steps]:
    """For each loop: all its turns without one call of the body."""
    at = 0
    for item in fold([step.call for step in steps]):
        if not isinstance(item, Loop):
            at += 1
            continue
        body = len(item.body)
        end = at + item.times * body
        for gone in range(body if body > 1 else 0):
            left = [steps[i] for i in range(at, end) if (i - at) % body != gone]
            yield [*steps[:at], *left, *steps[end:]]
        at = end
