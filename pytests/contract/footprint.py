"""What a plan leaves in memory: fills, orders of freeing, and figures held against the first one.

How a figure of resident memory can be trusted: the child is fresh, has no Python in it and no huge
pages; the first figure is taken after each size was served once, so that an allocator's own start
is not counted; the effect is 64 MiB or more; and what comes back late is waited for (`stir`).
"""

from collections.abc import Sequence
from random import Random
from typing import Literal

from heapyard.contract.grids import GIB, MIB
from heapyard.rules import Growth, Trial
from heapyard.trial import Check, Outcome, Plan, Slot, Slots

__all__ = [
    "ORDERS",
    "PLAIN",
    "SECONDS",
    "at_most",
    "equal_blocks",
    "fill",
    "free_between_survivors",
    "freed_in_order",
    "grown",
    "percent",
    "warm_up",
]

PLAIN = Check.NULL
"""Of a rule that only measures: every request is served. Blocks are written all the same."""

_SIZES = {"MiB": MIB, "GiB": GIB}

SECONDS = 2
"""How long memory that was freed may take to go back."""

ORDERS = ("forward", "backward", "even_odd", "random", "nested")
"""In which blocks are freed: as made, the other way, every second one first, shuffled, and from the
middle outwards."""


def warm_up(plan: Plan, sizes: Sequence[int], figure: str = "rss") -> None:
    """Have each size served once, then take the first figure."""
    for size in sizes:
        plan.free(plan.malloc(size))
    plan.measure(figure)


def fill(plan: Plan, sizes: Sequence[int], total: int, random: Random) -> list[Slot]:
    """Blocks of these sizes, drawn evenly, until they have `total` bytes."""
    blocks: list[Slot] = []
    while total > 0:
        size = random.choice(sizes)
        blocks.append(plan.malloc(size))
        total -= size
    return blocks


def equal_blocks(plan: Plan, size: int, total: int) -> list[Slot]:
    """The same of one size, by one call of the plan."""
    return list(plan.malloc_many(-(-total // size), size))


def free_between_survivors(plan: Plan, size: int, total: int, distance: int) -> None:
    """Blocks of one size until they have `total` bytes; all but one in `distance` are freed.

    [ ... distance / 2 ... ][survivor][ ... ] [ ... distance / 2 ... ][survivor][ ... ]
    """
    runs: list[Slots] = []
    before = distance // 2
    for _ in range(total // size // distance):
        runs.append(plan.malloc_many(before, size))
        plan.malloc(size)
        runs.append(plan.malloc_many(distance - before - 1, size))
    for run in runs:
        plan.free_many(run)


def freed_in_order(blocks: Sequence[Slot], order: str, random: Random) -> list[Slot]:
    """The same blocks in the order in which they are to be freed."""
    if order == "backward":
        return list(reversed(blocks))
    if order == "even_odd":
        return [*blocks[::2], *blocks[1::2]]
    if order == "random":
        return random.sample(blocks, len(blocks))
    if order == "nested":
        middle = len(blocks) // 2
        pairs = zip(blocks[middle:], reversed(blocks[:middle]), strict=False)
        return [*(block for pair in pairs for block in pair), *blocks[2 * middle :]]
    return list(blocks)


def grown(outcome: Outcome, figure: str = "rss") -> list[int]:
    """By how much each figure of this name exceeds the first; a process can't shrink below it."""
    first, *more = outcome.values(figure)
    return [max(0, value - first) for value in more]


def percent(part: float, whole: float) -> float:
    """A share for people, to a tenth."""
    return round(100 * part / whole, 1)


def at_most(
    trial: Trial,
    plan: Plan,
    seen: int,
    bound: int,
    what: str,
    *,
    growth: str,
    since: int | None = 0,
    until: Literal["last", "highest", "steady"] = "last",
    unit: str = "MiB",
) -> None:
    """Fail the rule where more than `bound` were seen: bytes, told in MiB or GiB; or other units.

    They are what `growth`, a figure of the plan, has gained: see Growth. A C program shows it too.
    """
    if seen > bound:
        shown = Growth(figure=growth, most=bound, since=since, until=until)
        size = _SIZES.get(unit)
        told = f"{seen:,}" if size is None else f"{seen / size:.1f}"
        expected = f"at most {bound / (size or 1):,.0f} {unit} {what}"
        trial.fail(expected, f"{told} {unit}", plan=plan, growth=shown)
