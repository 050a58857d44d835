"""Random plans: calls drawn with given weights, on blocks that the plan knows to be live.

A mix only asks for what every allocator must serve, and takes a refusal of what is larger, so any
violation is one of the allocator's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from heapyard.contract.grids import LARGEST_PROMISED
from heapyard.rules import Trial
from heapyard.trial import Check, Plan, Slot

__all__ = ["APART", "MODEL", "Mix", "draw_size", "extend"]

APART = Check.OVERLAP | Check.CONTENT
"""Blocks that don't share a byte, and keep what was written into them."""

MODEL = Check.DEFAULT
"""What is verified of a random plan: all but the target's own check."""

_NEEDS = {"write": "", "check_all": ""}
"""The entry point of a call, where it is not the call's name; empty: it needs none."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What a random plan is made of.

    `weights` gives how often each call comes, relative to the others; sizes are drawn up to
    `largest` bytes, small ones more often. At most `live` blocks are live at once.
    """

    weights: Mapping[str, int]
    largest: int
    live: int
    alignments: tuple[int, ...] = (16, 32, 64, 128, 512, 4096)


def draw_size(random: Random, largest: int) -> int:
    """A size from 1 to `largest`: even over the powers of two, and often a border itself."""
    bits = random.uniform(0, largest.bit_length() - 1)
    size = max(1, min(largest, int(2**bits)))
    return size if random.random() < 0.7 else 1 << size.bit_length() - 1


def extend(trial: Trial, plan: Plan, mix: Mix, count: int) -> None:
    """Add `count` random calls to the plan; calls that the target lacks are never drawn."""
    has = trial.target.capabilities.has
    names = [
        name for name in mix.weights if not _NEEDS.get(name, name) or has(_NEEDS.get(name, name))
    ]
    weights = [mix.weights[name] for name in names]
    live: list[Slot] = []
    for name in trial.random.choices(names, weights, k=count):
        _add(trial.random, plan, mix, live, name)


def _add(random: Random, plan: Plan, mix: Mix, live: list[Slot], name: str) -> None:
    if len(live) >= mix.live:
        name = "free"
    if name in _ON_LIVE:
        if live:
            _on_live(random, plan, mix, live, name)
        return
    if name == "trim":
        plan.trim()
    elif name == "check_all":
        plan.check_all()
    else:
        live.append(_create(random, plan, mix, name))


_ON_LIVE = frozenset({"free", "realloc", "reallocarray", "write", "usable_size"})


def _on_live(random: Random, plan: Plan, mix: Mix, live: list[Slot], name: str) -> None:
    index = random.randrange(len(live))
    block = live[index]
    if name == "free":
        live[index] = live[-1]
        live.pop()
        plan.free(block)
    elif name == "realloc":
        size = draw_size(random, mix.largest)
        plan.realloc(block, size, may_fail=size > LARGEST_PROMISED)
    elif name == "reallocarray":
        count, size = random.randrange(1, 9), draw_size(random, mix.largest // 8)
        plan.reallocarray(block, count, size, may_fail=count * size > LARGEST_PROMISED)
    elif name == "write":
        plan.write(block)
    else:
        plan.usable_size(block)


def _create(random: Random, plan: Plan, mix: Mix, name: str) -> Slot:
    size = draw_size(random, mix.largest)
    if name == "calloc":
        return plan.calloc(random.randrange(1, 5), -(-size // 4), may_fail=size > LARGEST_PROMISED)
    if name in ("memalign", "posix_memalign", "aligned_alloc"):
        alignment = random.choice(mix.alignments)
        whole = -(-size // alignment) * alignment if name == "aligned_alloc" else size
        slot: Slot = getattr(plan, name)(alignment, whole)
        return slot
    return plan.malloc(size, may_fail=size > LARGEST_PROMISED)
