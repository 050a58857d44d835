"""HY-MERGE: memory that blocks of one size leave serves blocks of another.

Seen from outside, without a look at addresses: what an allocator does not merge, split or take back
it has to ask for again. One phase after another fills 64 MiB with blocks of one size and frees them
all; each of eight sizes fits into no block of the one before. An allocator that can use none of it
for the next size ends at eight times the live memory; one that merges, or gives back, stays at one.
Six is the bound: jemalloc 5.3.0, which keeps freed pages for ten seconds, has made up to 4.1.
"""

from collections.abc import Sequence

from heapyard.contract.footprint import (
    ORDERS,
    PLAIN,
    at_most,
    equal_blocks,
    fill,
    freed_in_order,
    grown,
    warm_up,
)
from heapyard.contract.grids import KIB, MIB, ask_aligned
from heapyard.rules import PROFILE, SHOULD, Trial, rule

LIVE = 64 * MIB
GROWING = (4300, 6000, 8500, 12_000, 17_000, 24_000, 34_000, 48_000)
"""Each some 1.4 times the one before: in another size class, wherever these lie."""

BOUND = 6
SETTLED = 3
"""Index of the figure of the eighth round: an allocator's caches are full by then."""
SOURCE = "whoever runs for long: memory of one phase must serve the next"


@rule("HY-MERGE-01", level=SHOULD, source=SOURCE, needs={"free"})
def test_blocks_freed_forward_serve_larger_ones(trial: Trial) -> None:
    """Memory of blocks that are freed as they were made serves blocks of other sizes.

    Eight phases, each of larger blocks, 64 MiB live in each: at most 384 MiB in memory. The block
    behind is live at each free; that before is free already.
    """
    _holds_live_bytes(trial, "forward", GROWING)


@rule("HY-MERGE-02", level=SHOULD, source=SOURCE, needs={"free"})
def test_blocks_freed_backward_serve_larger_ones(trial: Trial) -> None:
    """Memory of blocks that are freed in the opposite order serves blocks of other sizes.

    As HY-MERGE-01; the block before is live at each free, that behind is free already.
    """
    _holds_live_bytes(trial, "backward", GROWING)


@rule("HY-MERGE-03", level=SHOULD, source=SOURCE, needs={"free"})
def test_every_second_block_freed_first_serves_larger_ones(trial: Trial) -> None:
    """Memory of blocks of which every second one is freed first serves blocks of other sizes.

    As HY-MERGE-01; in the second half of the frees, both neighbours are free already.
    """
    _holds_live_bytes(trial, "even_odd", GROWING)


@rule(
    "HY-MERGE-04",
    level=SHOULD,
    source=SOURCE,
    needs={"free"},
    bug="Hoard issue 1: 600 MB could not be had after many small blocks were freed",
)
def test_blocks_freed_at_random_serve_larger_ones(trial: Trial) -> None:
    """Memory of blocks that are freed in random order serves blocks of other sizes.

    As HY-MERGE-01.
    """
    _holds_live_bytes(trial, "random", GROWING)


@rule("HY-MERGE-05", level=SHOULD, source=SOURCE, needs={"free"})
def test_blocks_freed_from_the_middle_serve_larger_ones(trial: Trial) -> None:
    """Memory of blocks that are freed from the middle outwards serves blocks of other sizes.

    As HY-MERGE-01; one free block grows at both its ends.
    """
    _holds_live_bytes(trial, "nested", GROWING)


@rule(
    "HY-MERGE-06",
    level=SHOULD,
    source=SOURCE,
    needs={"free"},
)
def test_large_free_blocks_serve_smaller_ones(trial: Trial) -> None:
    """Memory of large blocks serves smaller ones: what a split leaves over is used too.

    As HY-MERGE-01, with the sizes in the opposite order.
    """
    _holds_live_bytes(trial, "random", GROWING[::-1])


@rule(
    "HY-MERGE-07",
    level=PROFILE,
    source="whoever asks for one large block late",
    bug="Hoard issue 1: 600 MB could not be had after many small blocks were freed",
)
def test_one_request_for_the_whole(trial: Trial) -> None:
    """How much more memory one request of 48 MiB takes, after 64 MiB of small blocks were freed.

    In per cent of the request, above the most that was in memory before. 0: it lies where they
    lay, or they had gone back. Freed in random order; the worst of the other orders is the second
    figure.
    """
    seen = {order: _more_for_one(trial, order) for order in ("random", "forward", "even_odd")}
    for name, value in (("random", seen["random"]), ("worst", max(seen.values()))):
        trial.figure(f"more_{name}", round(100 * value / (48 * MIB)), unit="%")


@rule(
    "HY-MERGE-08",
    level=SHOULD,
    source="whoever aligns buffers: what lies before and behind must not be lost",
    needs={"free"},
    bug="glibc BZ 14581: memory of memalign was often not used again after free",
)
def test_gaps_around_aligned_blocks_are_used_again(trial: Trial) -> None:
    """Aligned blocks that come and go take no more memory each time.

    Alignments of 64 bytes to 64 KiB, blocks of odd sizes, 32 of each live, twelve hundred rounds of
    them: at most 32 MiB more are mapped than after the first eight.
    """
    plan = trial.plan(PLAIN, repeat=1200)
    ask = ask_aligned(trial)
    for alignment in (64, 512, 4 * KIB, 64 * KIB):
        blocks = [ask(plan, alignment, size) for size in (24, 1000, 5000) for _ in range(10)]
        for block in blocks:
            plan.free(block)
    plan.trend("mapped")
    figures = trial.holds(plan).values("mapped")
    more = max(0, figures[-1] - figures[SETTLED])
    trial.figure("more_mapped", round(more / KIB), unit="KiB")
    what = "more after 1,200 rounds of aligned blocks"
    at_most(trial, plan, more, 32 * MIB, what, growth="mapped", since=SETTLED)


@rule(
    "HY-MERGE-09",
    level=SHOULD,
    source="whoever frees what they have allocated",
    needs={"free"},
)
def test_freed_blocks_of_every_size_are_used_again(trial: Trial) -> None:
    """A block that is freed is used again at some point, whatever its size.

    Forty sizes of 16 bytes to 256 KiB; 64 KiB of blocks of each come and go, 256 times over: at
    most 8 MiB more in memory than after the first quarter. Blocks of any one size that are lost
    would be 12 MiB.
    """
    plan = trial.plan(PLAIN, repeat=256)
    for size in _SIZES:
        plan.free_many(plan.malloc_many(max(1, 64 * KIB // size), size))
    plan.trend("rss")
    figures = trial.holds(plan, time_limit=25).values("rss")
    more = max(0, figures[-1] - figures[-3])
    trial.figure("more_in_memory", round(more / KIB), unit="KiB")
    what, settled = "more after 12 MiB of blocks of each size", len(figures) - 3
    at_most(trial, plan, more, 8 * MIB, what, growth="rss", since=settled)


@rule("HY-MERGE-10", level=SHOULD, source=SOURCE, needs={"free"})
def test_all_that_was_freed_serves_one_block(trial: Trial) -> None:
    """Once all blocks are freed, in whatever order, their memory serves one block.

    48 MiB of blocks of 100 to 60,000 bytes, freed in five orders, then a block of seven eighths of
    them. One that gives nothing back (`keeps_memory`: a region over a span of memory), and whose
    blocks lay side by side, must find it where they lay: nothing is mapped for it. An eighth is
    left to lists whose bins are that coarse. Of others, what is mapped for it is a figure: address
    space, the worst of the orders.
    """
    figures = [_mapped_for_whole(trial, order) for order in ORDERS]
    trial.figure("mapped_worst", max(figures), unit="%")


WHOLE = 48 * MIB


def _mapped_for_whole(trial: Trial, order: str) -> int:
    """Address space that one block takes beyond the most that was mapped before, in per cent."""
    plan = trial.plan(PLAIN)
    warm_up(plan, (100, 60_000), "mapped")
    blocks = fill(plan, (100, 1000, 5000, 20_000, 60_000), WHOLE, trial.random)
    plan.measure("extent")
    plan.measure("mapped")
    for block in freed_in_order(blocks, order, trial.random):
        plan.free(block)
    plan.malloc(WHOLE // 8 * 7)
    plan.measure("mapped")
    outcome = trial.holds(plan, time_limit=25)
    before, after = grown(outcome, "mapped")
    side_by_side = outcome.values("extent")[0] < WHOLE * 3 // 2
    if side_by_side and not trial.target.capabilities.has("release"):
        what = f"mapped for it, all freed {order}"
        at_most(trial, plan, after - before, MIB, what, growth="mapped", since=1)
    return round(100 * max(0, after - before) / WHOLE)


_SIZES = tuple(sorted({16 * round(2 ** (step / 3)) for step in range(43)}))
"""Three to each doubling, 16 bytes to 256 KiB."""


def _holds_live_bytes(trial: Trial, order: str, sizes: Sequence[int]) -> None:
    """One phase for each size; the most that was in memory is at most BOUND times the live."""
    plan = trial.plan(PLAIN)
    warm_up(plan, sizes)
    for size in sizes:
        blocks = equal_blocks(plan, size, LIVE)
        plan.measure("rss")
        for block in freed_in_order(blocks, order, trial.random):
            plan.free(block)
    most = max(grown(trial.holds(plan, time_limit=25)))
    trial.figure("memory", round(most / LIVE, 2), unit="x live")
    what = "for 64 MiB live in each phase"
    at_most(trial, plan, most, BOUND * LIVE, what, growth="rss", until="highest")


def _more_for_one(trial: Trial, order: str) -> int:
    """What one large block takes beyond the most that was in memory before."""
    plan = trial.plan(PLAIN)
    warm_up(plan, (5000,))
    blocks = equal_blocks(plan, 5000, LIVE)
    plan.measure("rss")
    for block in freed_in_order(blocks, order, trial.random):
        plan.free(block)
    plan.malloc(48 * MIB)
    plan.measure("rss")
    before, after = grown(trial.holds(plan, time_limit=25))
    return max(0, after - before)
