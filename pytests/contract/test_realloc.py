"""HY-REALLOC: what realloc keeps, and what it costs."""

from heapyard.contract.costs import ALLOWANCE
from heapyard.contract.footprint import at_most
from heapyard.contract.grids import KIB, MIB, powers
from heapyard.contract.memory import resident_figures, resident_growth
from heapyard.rules import MUST, SHOULD, Growth, Trial, rule
from heapyard.trial import Check, Plan, Slot

KEPT = Check.CONTENT | Check.OVERLAP
"""The bytes that realloc must carry over, in a block of its own."""

CLASSES = (8, 16, 24, 40, 64, 100, 128, 200, 256, 400, 512, 768, 1024, 1280, 2000, 3072, 4096, 6000)
"""Sizes in eighteen different size classes, or more."""

CROSSING = (100, 3000, 20 * KIB, 33 * KIB, 70 * KIB, 130 * KIB, 300 * KIB, 2 * MIB, 5 * MIB)
"""Sizes on all sides of the borders between small blocks, large ones and mappings."""


@rule("HY-REALLOC-01", level=MUST, source="C17 7.22.3.5p2", needs={"realloc"})
def test_growing_keeps_the_contents(trial: Trial) -> None:
    """A block that grows keeps all its bytes.

    From each size up to 512 to one and a half, three and twenty times that, with live neighbours.
    """
    plan = trial.plan(KEPT)
    for size in range(1, 513, 5):
        for grown in (size + 1, size * 3 // 2 + 1, 3 * size, 20 * size):
            block = plan.malloc(size)
            plan.malloc(16)
            plan.realloc(block, grown)
    plan.check_all()
    trial.holds(plan)


@rule("HY-REALLOC-02", level=MUST, source="C17 7.22.3.5p2", needs={"realloc"})
def test_shrinking_keeps_the_contents(trial: Trial) -> None:
    """A block that shrinks keeps the bytes that are left.

    From sizes up to 40,000 bytes to seven eighths, a third and a tenth of that, and to one byte.
    """
    plan = trial.plan(KEPT)
    for size in (*range(2, 513, 7), 1000, 3000, 9000, 40_000):
        for shrunk in (size * 7 // 8, size // 3, size // 10, 1):
            block = plan.malloc(size)
            plan.realloc(block, max(1, shrunk))
            plan.malloc(16)
    plan.check_all()
    trial.holds(plan)


@rule("HY-REALLOC-03", level=MUST, source="C17 7.22.3.5p2", needs={"realloc"})
def test_every_pair_of_size_classes_keeps_the_contents(trial: Trial) -> None:
    """realloc from any size class to any other keeps what both hold.

    Eighteen sizes, each to each other and back.
    """
    plan = trial.plan(KEPT)
    for first in CLASSES:
        for second in CLASSES:
            block = plan.malloc(first)
            plan.realloc(block, second)
            plan.realloc(block, first)
    plan.check_all()
    trial.holds(plan)


@rule("HY-REALLOC-04", level=MUST, source="C17 7.22.3.5p2", needs={"realloc"})
def test_crossing_from_small_to_large_keeps_the_contents(trial: Trial) -> None:
    """realloc across the borders between small blocks, large ones and mappings keeps the contents.

    Nine sizes from 100 bytes to 5 MiB, each to each other.
    """
    plan = trial.plan(KEPT)
    for first in CROSSING:
        for second in CROSSING:
            block = plan.malloc(first)
            plan.realloc(block, second)
            plan.check(block)
            plan.free_all()
    trial.holds(plan)


@rule(
    "HY-REALLOC-05",
    level=MUST,
    source="C17 7.22.3.5p2",
    needs={"realloc", "posix_memalign"},
    bug="gperftools issue 467: realloc of a memalign block lost its contents",
)
def test_realloc_of_an_aligned_block_keeps_the_contents(trial: Trial) -> None:
    """realloc of an aligned block keeps its contents, growing and shrinking."""
    plan = trial.plan(KEPT)
    for alignment in powers(16, 64 * KIB):
        for size in (24, 500, 5000, 200_000):
            grown = plan.posix_memalign(alignment, size)
            shrunk = plan.posix_memalign(alignment, size)
            plan.realloc(grown, 3 * size)
            plan.realloc(shrunk, size // 3)
        plan.check_all()
        plan.free_all()
    trial.holds(plan)


@rule(
    "HY-REALLOC-06",
    level=MUST,
    source="C17 7.22.3.5p2",
    needs={"realloc"},
    bug="emmalloc (wasi-libc issue 421): crash when a block was grown past 64 KiB by doubling",
)
def test_two_buffers_that_grow_in_turn_keep_their_contents(trial: Trial) -> None:
    """Two buffers that grow in turn, by a little or by doubling, keep their contents.

    As two strings are built that way: each stands in the other's way.
    """
    plan = trial.plan(KEPT)
    first, second = plan.malloc(1), plan.malloc(1)
    for size in powers(2, 4 * MIB):
        plan.realloc(first, size)
        plan.realloc(second, size + 1)
    third, fourth = plan.malloc(1), plan.malloc(1)
    for size in range(1, 20_000, 97):
        plan.realloc(third, size)
        plan.realloc(fourth, size)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-REALLOC-07",
    level=SHOULD,
    source="C17 7.22.3.5: the old object is deallocated",
    needs={"realloc", "free"},
)
def test_realloc_again_and_again_does_not_grow_memory(trial: Trial) -> None:
    """A block that swings between two sizes uses no more memory each time.

    Twelve hundred moves between 24 KiB and 96 KiB, and as many of a small block, leave at most
    16 MiB more than the first ones.
    """
    plan = trial.plan(KEPT)
    large, small = plan.malloc(24 * KIB), plan.malloc(100)
    _swing(plan, large, small, 20)
    plan.measure("rss")
    _swing(plan, large, small, 600)
    plan.measure("rss")
    grown = resident_growth(trial, plan)
    at_most(trial, plan, grown, 16 * MIB, "more after 1,200 moves", growth="rss")


@rule(
    "HY-REALLOC-08",
    level=SHOULD,
    source="whoever shrinks a buffer to save memory",
    needs={"realloc", "free", "large"},
    bug="glibc BZ 30579: realloc to a small size kept the whole chunk",
)
def test_memory_of_a_shrunk_block_is_free_again(trial: Trial) -> None:
    """What a shrunk block no longer needs is used again, or given back.

    Sixteen buffers of 8 MiB, each shrunk to 4 KiB before the next is made, have at most 64 MiB of
    the 128 MiB in memory; as many bytes in 1,280 buffers of 100 KiB, shrunk to 1 KiB, no more.
    """
    for count, size, less in ((16, 8 * MIB, 4 * KIB), (1280, 100 * KIB, KIB)):
        plan = trial.plan(KEPT)
        plan.measure("rss")
        for _ in range(count):
            plan.realloc(plan.malloc(size), less)
        plan.measure("rss")
        grown = resident_growth(trial, plan)
        what = f"for {count:,} blocks of {less:,} bytes"
        at_most(trial, plan, grown, 64 * MIB, what, growth="rss")


@rule("HY-REALLOC-09", level=MUST, source="C17 7.22.3.5p2", needs={"realloc"})
def test_realloc_to_the_same_size_keeps_the_contents(trial: Trial) -> None:
    """realloc to the size that a block has keeps its contents."""
    plan = trial.plan(KEPT)
    for size in (1, 7, 16, 100, 512, 1000, 5000, 40_000, 200_000, 2 * MIB):
        block = plan.malloc(size)
        plan.realloc(block, size)
        plan.malloc(size)
        plan.realloc(block, size)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-REALLOC-10",
    level=SHOULD,
    source="C17 7.22.3.5p4 allows a failure; hardly any caller expects one",
    needs={"realloc"},
)
def test_shrinking_never_fails(trial: Trial) -> None:
    """realloc to a smaller size does not fail while there is memory."""
    plan = trial.plan(Check.NULL)
    for size in (32, 200, 1000, 5000, 40_000, 200_000, 2 * MIB, 10 * MIB):
        for shrunk in (size - 1, size * 3 // 4, size // 2, size // 10, 1):
            plan.realloc(plan.malloc(size), shrunk)
    trial.holds(plan)


@rule(
    "HY-REALLOC-11",
    level=SHOULD,
    source="whoever appends to one buffer",
    needs={"realloc", "free", "large"},
    bug="SuperMalloc issue 38: resident memory grew with each realloc",
)
def test_growing_one_buffer_keeps_no_copies(trial: Trial) -> None:
    """A buffer that grows step by step takes at most three times its size in memory.

    By eighths from 1 MiB to 48 MiB, measured between the steps from 8 MiB on. Before each of these
    a sixth of a second passes, since an allocator may give back late.
    """
    sizes = _by_eighths(MIB, 48 * MIB)
    start, *after = resident_figures(trial, _growing(trial, sizes))
    costs = [
        ((used - start) / size, step)
        for step, (used, size) in enumerate(zip(after, sizes, strict=True))
        if size >= 8 * MIB
    ]
    worst, step = max(costs)
    trial.figure("growth_cost", round(worst, 3), unit="x")
    if worst > 3:
        short = _growing(trial, sizes[: step + 1])
        bound = Growth(figure="rss", most=3 * sizes[step])
        expected = "at most 3 times the buffer's size in memory"
        trial.fail(expected, f"{worst:.2f} times, at {sizes[step]} bytes", plan=short, growth=bound)


def _growing(trial: Trial, sizes: list[int]) -> Plan:
    """One buffer that gets these sizes, one after the other."""
    plan = trial.plan(KEPT)
    plan.measure("rss")
    block = plan.malloc(MIB)
    for size in sizes:
        if size >= 8 * MIB:
            plan.idle(160)
        plan.realloc(block, size)
        plan.measure("rss")
    return plan


@rule(
    "HY-REALLOC-12",
    level=MUST,
    source="C17 7.22.3.5p2, 7.22.3p1",
    needs={"realloc", "posix_memalign"},
    bug="snmalloc issue 175: realloc took the size of the memory for that of the block",
)
def test_aligned_block_that_grows_stays_within_its_own(trial: Trial) -> None:
    """An aligned block that realloc grows does not run into the block behind it."""
    plan = trial.plan(KEPT)
    for alignment in powers(32, 4 * KIB):
        for size in (24, alignment, 2 * alignment):
            blocks = [plan.posix_memalign(alignment, size) for _ in range(6)]
            for block in blocks:
                plan.realloc(block, size + alignment - 8)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-REALLOC-13",
    level=SHOULD,
    source="C17 7.22.3.5p2: contents up to the lesser of the new and old sizes",
    needs={"realloc"},
)
def test_growing_costs_what_the_block_held(trial: Trial) -> None:
    """A small block that becomes large costs what its few bytes cost, not what it is to hold.

    Twelve blocks of 64 bytes grow to 256 KiB: half of the calls cost at most 4,000 instructions
    more than twice a malloc of 256 KiB. Whoever copies as many bytes as the new block has, reads
    past the old one: other blocks, and at the end of a mapping nothing at all.
    """
    plan = trial.plan(Check.NONE)
    blocks = [plan.malloc(64) for _ in range(12)]
    plan.count_cost("instructions")
    for _ in blocks:
        plan.malloc(256 * KIB)
    plan.end_cost()
    plan.measure("cost_median")
    plan.count_cost("instructions")
    for block in blocks:
        plan.realloc(block, 256 * KIB)
    plan.end_cost()
    plan.measure("cost_median")
    fresh, grown = trial.holds(plan).values("cost_median")
    bound = 2 * fresh + ALLOWANCE
    if grown > bound:
        expected = f"at most {bound} instructions in every other call ({fresh} in malloc)"
        trial.fail(expected, f"{grown} or more", plan=plan)


def _swing(plan: Plan, large: Slot, small: Slot, times: int) -> None:
    for _ in range(times):
        for factor in (4, 1):
            plan.realloc(large, factor * 24 * KIB)
            plan.realloc(small, factor * 100)


def _by_eighths(first: int, last: int) -> list[int]:
    sizes = []
    size = first
    while size < last:
        size += size // 8
        sizes.append(size)
    return sizes
