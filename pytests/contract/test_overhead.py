"""HY-SIZE: what a block costs beyond what was asked for."""

from typing import NoReturn

from heapyard.contract.footprint import PLAIN, at_most, grown, percent
from heapyard.contract.grids import MIB
from heapyard.rules import PROFILE, SHOULD, Growth, Trial, rule
from heapyard.trial import Plan

LIVE = 64 * MIB
SPREAD = tuple(sorted({round(32 * 2 ** (step / 7)) for step in range(99)}))
"""Seven sizes to each doubling, 32 bytes to half a MiB."""


@rule(
    "HY-SIZE-01",
    level=SHOULD,
    source="whoever counts on memory for what was asked for",
    needs={"usable_size"},
)
def test_usable_size_is_no_more_than_twice_the_request(trial: Trial) -> None:
    """malloc_usable_size is at most twice what was asked for, and 64 bytes more.

    Rounding up to a power of two, the coarsest that is in use (buddy systems), stays below twice.
    Each of a hundred sizes, 32 bytes to half a MiB.
    """
    plan = trial.plan(PLAIN)
    for size in SPREAD:
        block = plan.malloc(size)
        plan.measure("usable_bytes")
        plan.forget(block)
    answers = trial.holds(plan).values("usable_bytes")
    for size, usable in zip(SPREAD, answers, strict=True):
        if usable > 2 * size + 64:
            _fail_of_one(trial, size, usable)


def _fail_of_one(trial: Trial, size: int, usable: int) -> NoReturn:
    most = 2 * size + 64
    plan = trial.plan(PLAIN)
    plan.malloc(size)
    plan.measure("usable_bytes")
    shown = Growth(figure="usable_bytes", most=most, since=None)
    expected = f"at most {most:,} usable bytes for {size:,}"
    trial.fail(expected, f"{usable:,}", plan=plan, growth=shown)


@rule(
    "HY-SIZE-02",
    level=PROFILE,
    source="whoever sizes a machine by what is asked for",
    needs={"usable_size"},
)
def test_usable_bytes_over_requested(trial: Trial) -> None:
    """How much more than asked for blocks hold by malloc_usable_size, in per cent.

    The mean of a hundred sizes, seven to each doubling. One may answer what was asked.
    """
    plan = trial.plan(PLAIN)
    for size in SPREAD:
        plan.malloc(size)
    plan.measure("live_bytes")
    plan.measure("usable_bytes")
    outcome = trial.holds(plan)
    asked, usable = outcome.values("live_bytes")[0], outcome.values("usable_bytes")[0]
    trial.figure("internal_waste", percent(usable - asked, asked), unit="%")


@rule("HY-SIZE-03", level=SHOULD, source="whoever has millions of objects")
def test_small_blocks_cost_no_more_than_twice_their_size(trial: Trial) -> None:
    """Small blocks take at most twice their size in memory, and 64 bytes each.

    40,000 blocks each of 16, 24, 40, 100, 300 and 1,000 bytes, written. A header of 16 bytes and
    rounding up to a power of two fit in; a page for each does not. Debugging allocators, which keep
    more of a block than it has, may fail.
    """
    for size in (16, 24, 40, 100, 300, 1000):
        cost = _cost_of(trial, size)
        if cost > 2 * size + 64:
            trial.fail(f"at most {2 * size + 64} bytes for a block of {size}", f"{cost:.0f}")


@rule("HY-SIZE-04", level=PROFILE, source="whoever has millions of objects")
def test_cost_of_a_block(trial: Trial) -> None:
    """Bytes of memory for each block of 16 bytes; and of 48, 100 and 1,000.

    Measured in resident memory, so what the allocator writes about a block counts too.
    """
    for size in (16, 48, 100, 1000):
        trial.figure(f"bytes_for_{size}", round(_cost_of(trial, size), 1), unit="B")


def _cost_of(trial: Trial, size: int) -> float:
    """Resident bytes for each of many blocks of a size."""
    count = 40_000
    plan = trial.plan(PLAIN)
    plan.malloc(size)
    plan.measure("rss")
    plan.malloc_many(count, size)
    plan.measure("rss")
    return grown(trial.holds(plan))[0] / count


BETWEEN = (1000, 4000, 9000, 20_000)
"""Sizes of the holes, which lie between live blocks."""

INTO_HOLES = (100, 500, 2000)
"""What is asked for then."""


@rule(
    "HY-SIZE-05",
    level=SHOULD,
    source="whoever counts on memory for what was asked for",
    needs={"usable_size", "free"},
)
def test_a_block_is_no_larger_for_the_hole_it_is_in(trial: Trial) -> None:
    """A block in a heap with holes has hardly more usable bytes than one in a fresh heap.

    200 blocks each of 100, 500 and 2,000 bytes, after every second of 400 blocks each of 1,000,
    4,000, 9,000 and 20,000 bytes was freed: at most a quarter more, and 64 bytes a block. That is
    room for a rest which is too small to be a block. A hole that one small block takes whole is
    lost for as long as that lives.
    """
    fresh = trial.plan(PLAIN)
    fresh.measure("usable_bytes")
    _ask_for_small(fresh)
    (before,) = grown(trial.holds(fresh), "usable_bytes")
    worn = trial.plan(PLAIN)
    for size in BETWEEN:
        worn.free_many(worn.malloc_many(400, size), step=2)
    worn.measure("usable_bytes")
    _ask_for_small(worn)
    (after,) = grown(trial.holds(worn), "usable_bytes")
    bound = before * 5 // 4 + 64 * 200 * len(INTO_HOLES)
    what = f"usable where holes are ({before:,} in a fresh heap)"
    at_most(trial, worn, after, bound, what, growth="usable_bytes", unit="bytes")


def _ask_for_small(plan: Plan) -> None:
    for size in INTO_HOLES:
        plan.malloc_many(200, size)
    plan.measure("usable_bytes")
