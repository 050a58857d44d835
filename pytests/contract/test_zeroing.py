"""HY-ZERO: every byte that calloc was asked for is zero, wherever the memory comes from.

The engine fills each block with a pattern as soon as it is made, so whatever is freed is dirty.
"""

from heapyard.contract.grids import BORDERS, KIB, MIB, PAGE, SMALL
from heapyard.rules import MUST, Trial, rule
from heapyard.trial import Check, Plan

SOURCE = "C17 7.22.3.2p2"
MIXED = (1, 8, 16, 24, 40, 64, 100, 200, 256, 500, 512, 1000, 2000, 4000, 8000, 20_000)


@rule("HY-ZERO-01", level=MUST, source=SOURCE, needs={"calloc"})
def test_calloc_of_fresh_memory_is_zero(trial: Trial) -> None:
    """calloc's bytes are zero in a process that has freed nothing yet.

    Each small size and the borders up to 4 MiB. What the system gives is zero, but allocators keep
    their own data in it, and not every source of memory is the system.
    """
    plan = trial.plan(Check.ZERO)
    for size in SMALL[::2] + BORDERS:
        plan.calloc(1, size)
    trial.holds(plan)


@rule("HY-ZERO-02", level=MUST, source=SOURCE, needs={"calloc", "free"})
def test_calloc_of_used_memory_is_zero(trial: Trial) -> None:
    """calloc's bytes are zero where the memory was used before.

    Blocks of sixteen sizes are written, freed and asked for again with calloc.
    """
    plan = trial.plan(Check.ZERO)
    for size in MIXED:
        _dirty(plan, size, 8)
        for _ in range(8):
            plan.calloc(1, size)
    trial.holds(plan)


@rule("HY-ZERO-03", level=MUST, source=SOURCE, needs={"calloc", "free"})
def test_calloc_of_large_used_blocks_is_zero(trial: Trial) -> None:
    """calloc's bytes are zero for large blocks too, though their memory may come from a cache.

    Sizes from 33 KiB to 8 MiB: allocators skip the clearing of what they believe to be fresh. A
    fresh process for each, so that no cache is full of other sizes.
    """
    for size in (33 * KIB, 70 * KIB, 130 * KIB, 300 * KIB, MIB, 2 * MIB + 5, 8 * MIB):
        plan = trial.plan(Check.ZERO)
        for _ in range(3):
            plan.free(plan.malloc(size))
            plan.free(plan.calloc(1, size))
        _dirty(plan, size, 3)
        blocks = [plan.calloc(size // 3, 3) for _ in range(3)]
        for block in blocks:
            plan.free(block)
        trial.holds(plan)


@rule("HY-ZERO-04", level=MUST, source=SOURCE, needs={"calloc", "free", "trim"})
def test_calloc_after_trim_is_zero(trial: Trial) -> None:
    """calloc's bytes are zero after malloc_trim, in memory that it gave back and in what it kept.

    Pages that were given back lazily may come back with their old contents.
    """
    plan = trial.plan(Check.ZERO)
    for size in (*MIXED, 50 * KIB, 300 * KIB, 2 * MIB):
        _dirty(plan, size, 12)
        plan.trim()
        for _ in range(12):
            plan.calloc(1, size)
    trial.holds(plan)


@rule(
    "HY-ZERO-05",
    level=MUST,
    source=SOURCE,
    needs={"calloc", "realloc", "free"},
    bug="mimalloc issue 763: the tail of a zeroed block kept garbage after realloc to and fro",
)
def test_calloc_of_what_realloc_left_is_zero(trial: Trial) -> None:
    """calloc's bytes are zero in memory that a realloc left behind, by moving or by shrinking."""
    plan = trial.plan(Check.ZERO)
    for size in (*MIXED[3:], 60 * KIB, 400 * KIB):
        for _ in range(4):
            block = plan.malloc(size)
            plan.malloc(size)
            plan.realloc(block, 4 * size)
            plan.calloc(1, size)
            plan.realloc(block, size // 4 + 1)
            plan.calloc(1, 4 * size)
            plan.calloc(1, 2 * size)
    trial.holds(plan)


@rule("HY-ZERO-06", level=MUST, source=SOURCE, needs={"calloc", "free"})
def test_calloc_clears_the_whole_array(trial: Trial) -> None:
    """calloc(n, size) clears all n items, whatever the shape of the array.

    Many small items, few large ones, and odd numbers of odd sizes, in used memory.
    """
    plan = trial.plan(Check.ZERO)
    for count, size in ((1000, 1), (1, 1000), (3, 333), (333, 3), (7, 13), (100, 24), (17, 4099)):
        _dirty(plan, count * size, 6)
        for _ in range(3):
            plan.calloc(count, size)
            plan.calloc(size, count)
    trial.holds(plan)


@rule("HY-ZERO-07", level=MUST, source=SOURCE, needs={"calloc", "free", "posix_memalign"})
def test_calloc_of_what_was_aligned_is_zero(trial: Trial) -> None:
    """calloc's bytes are zero where an aligned block lay before."""
    plan = trial.plan(Check.ZERO)
    for alignment in (32, 64, 256, PAGE):
        for size in (40, 100, 500, 3000, 40_000, 200_000):
            blocks = [plan.posix_memalign(alignment, size) for _ in range(6)]
            for block in blocks:
                plan.free(block)
            for extra in (0, alignment // 2, alignment):
                plan.calloc(1, size + extra)
                plan.calloc(1, size + extra)
    trial.holds(plan)


@rule("HY-ZERO-08", level=MUST, source=SOURCE, needs={"calloc", "free"})
def test_calloc_clears_the_last_byte(trial: Trial) -> None:
    """calloc clears up to the last byte, for sizes that are no multiple of a word.

    Each size from 1 to 260 bytes, in used memory.
    """
    plan = trial.plan(Check.ZERO)
    for size in range(1, 261):
        _dirty(plan, size, 3)
        blocks = [plan.calloc(size, 1) for _ in range(3)]
        for block in blocks:
            plan.free(block)
    trial.holds(plan)


@rule("HY-ZERO-09", level=MUST, source=SOURCE, needs={"calloc", "realloc", "free"})
def test_calloc_where_a_block_grew_is_zero(trial: Trial) -> None:
    """calloc's bytes are zero where a block grew in place before.

    Where the newest block grows, it takes memory that was never handed out; an allocator that
    remembers how far it ever went has to count that too. The next calloc lies in the same place,
    or behind a block that takes a quarter of it.
    """
    plan = trial.plan(Check.ZERO)
    for size in (100, 1000, 5000, 20 * KIB, 60 * KIB, 200 * KIB):
        for first, then in ((0, 8), (2, 4)):
            block = plan.malloc(size)
            plan.realloc(block, 8 * size)
            plan.free(block)
            if first:
                plan.malloc(first * size)
            plan.calloc(1, then * size)
    trial.holds(plan)


def _dirty(plan: Plan, size: int, count: int) -> None:
    """Leave `count` freed blocks of `size` bytes behind, full of patterns."""
    blocks = [plan.malloc(size) for _ in range(count)]
    for block in blocks:
        plan.free(block)
