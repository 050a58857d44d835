"""Plans for rules about cost: the same calls beside few blocks and beside many.

What a call costs is counted in instructions, one by one, so that neither load nor caches nor the
clock have a say: the same heap gives the same number. Between few and many a cost may double and
rise by ALLOWANCE, which is room for a tree's or a bit map's levels, for a cache that is refilled
and for a page that is cut up; a walk over all blocks, or over a tenth of them, is far above that.
"""

from collections.abc import Callable
from itertools import cycle

from heapyard.rules import Trial
from heapyard.trial import Check, Plan, Slots

__all__ = ["ALLOWANCE", "SIZES", "cost_stays", "counted", "populate", "with_holes"]

SIZES = (40, 200, 1000, 3000)
"""Of the blocks that are there."""

SMALL_SIZES = (16, 48, 100, 200)
"""The same, where there are a million."""

LARGER_SIZES = (300, 1500, 5000, 12_000)
"""That no single free block among SIZES can serve."""

ALLOWANCE = 4000
"""Instructions by which a call may cost more among many blocks than twice that among few."""

SAMPLES = 12

Build = Callable[[Plan, int], None]
"""Adds to a plan what is measured, beside so many blocks."""


def populate(plan: Plan, count: int, sizes: tuple[int, ...] = SIZES) -> list[Slots]:
    """`count` live blocks, as many of each size."""
    return [plan.malloc_many(count // len(sizes), size) for size in sizes]


def with_holes(plan: Plan, count: int) -> list[Slots]:
    """The same, every other one freed: long free lists, nothing to merge with.

    A few larger requests follow, so that work put off by free is done before anything is counted.
    """
    blocks = populate(plan, count)
    for same_size in blocks:
        plan.free_many(same_size, step=2)
    for _, size in zip(range(64), cycle((*LARGER_SIZES, *SIZES)), strict=False):
        plan.malloc(size)
    return blocks


def counted(plan: Plan, call: Callable[[int], object]) -> None:
    """Count the instructions of SAMPLES calls, told their number."""
    plan.count_cost("instructions")
    for number in range(SAMPLES):
        call(number)
    plan.end_cost()
    plan.measure("cost_p90")


def cost_stays(trial: Trial, build: Build, counts: tuple[int, ...]) -> None:
    """The cost of nine calls of ten beside each of `counts` blocks, held against the first."""
    costs: list[int] = []
    for count in counts:
        plan = trial.plan(Check.NONE, reuse_slots=False)
        build(plan, count)
        costs.append(trial.holds(plan).values("cost_p90")[-1])
        bound = ALLOWANCE + 2 * costs[0]
        if costs[-1] > bound:
            trial.fail(
                f"at most {bound} instructions with {count} blocks ({costs[0]} with {counts[0]})",
                f"{costs[-1]} or more in one call of ten",
                plan=plan,
            )
    trial.figure("cost among most blocks", costs[-1], unit="instructions")
