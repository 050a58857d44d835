"""HY-MERGE, continued: phases of small blocks, and of large ones.

As test_merging.py does with blocks of a few pages; these are what caches hold that are bounded by
nothing, or by a number of blocks of whatever size.
"""

from collections.abc import Sequence

from heapyard.contract.footprint import PLAIN, at_most, grown, warm_up
from heapyard.contract.grids import MIB
from heapyard.rules import SHOULD, Trial, rule

SOURCE = "whoever runs for long: memory of one phase must serve the next"

SMALL = (64, 104, 170, 280, 460, 750, 1250, 2050)
"""Each some 1.6 times the one before: in another size class, wherever these lie."""

LARGE = (70_000, 140_000, 280_000, 560_000, 1_100_000, 2_200_000, 4_400_000, 8_800_000)


@rule(
    "HY-MERGE-11",
    level=SHOULD,
    source=SOURCE,
    needs={"free"},
    bug="glibc BZ 24531: a thread's cache had no bound but that of its counter",
)
def test_small_blocks_that_were_freed_serve_other_small_ones(trial: Trial) -> None:
    """Memory of small blocks serves other small ones once it is freed.

    Eight phases, 64 to 2,050 bytes, 12 MiB live in each, freed as they were made: at most 72 MiB in
    memory. A cache that keeps each freed block for its own size ends at 96. jemalloc 5.3.0, which
    keeps freed pages for ten seconds, has made up to 56.
    """
    _serve_each_other(trial, SMALL, 12 * MIB, 6)


@rule("HY-MERGE-12", level=SHOULD, source=SOURCE, needs={"free"})
def test_large_blocks_that_were_freed_serve_other_large_ones(trial: Trial) -> None:
    """Memory of large blocks serves other large ones once it is freed, or goes back.

    Eight phases, 70 KB to 9 MB, 48 MiB live in each; then eight from large to small. At most 192
    MiB in memory: a cache of mappings whose bound is their number, and not their size, holds more.
    """
    _serve_each_other(trial, LARGE, 48 * MIB, 4)
    _serve_each_other(trial, LARGE[::-1], 48 * MIB, 4)


def _serve_each_other(trial: Trial, sizes: Sequence[int], live: int, times: int) -> None:
    plan = trial.plan(PLAIN)
    warm_up(plan, sizes)
    for size in sizes:
        blocks = plan.malloc_many(-(-live // size), size)
        plan.measure("rss")
        plan.free_many(blocks)
    most = max(grown(trial.holds(plan, time_limit=20)))
    trial.figure("memory", round(most / live, 2), unit="x live")
    what = f"for {live // MIB} MiB live in each phase"
    at_most(trial, plan, most, times * live, what, growth="rss", until="highest")
