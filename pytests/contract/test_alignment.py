"""HY-ALIGN: where blocks may lie."""

from heapyard.contract.grids import BORDERS, KIB, MIB, PAGE, SMALL, powers
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check


@rule("HY-ALIGN-01", level=MUST, source="C17 7.22.3p1 with DR 445; C23 7.24.3")
def test_malloc_is_aligned_for_what_fits(trial: Trial) -> None:
    """malloc(n) is aligned for every type that fits into n bytes.

    So to 16 from 16 bytes up, to 8 for 8 to 15 bytes, and so on: the reading that DR 445 and C23
    allow. Two blocks of each size up to 1 KiB, and both sides of each power of two to 4 MiB.
    """
    plan = trial.plan(Check.ALIGN, weak_alignment=True)
    for size in SMALL + BORDERS:
        plan.malloc(size)
        plan.malloc(size)
    trial.holds(plan)


@rule(
    "HY-ALIGN-02",
    level=SHOULD,
    source="C17 7.22.3p1 as written; x86-64 psABI, malloc",
    bug="gperftools issue 724: blocks of up to 8 bytes are aligned to 8",
)
def test_malloc_is_aligned_to_max_align_t(trial: Trial) -> None:
    """malloc(n) is aligned to 16, however small n is.

    The standard's words before C23, and what compilers assume when they vectorise over a block
    whose size they don't know.
    """
    plan = trial.plan(Check.ALIGN)
    for size in range(1, 65):
        for _ in range(4):
            plan.malloc(size)
    trial.holds(plan)


@rule(
    "HY-ALIGN-03",
    level=MUST,
    source="C17 7.22.3.1",
    needs={"aligned_alloc"},
    bug="mimalloc issue 700: aligned_alloc(256, 256) was aligned to 128",
)
def test_aligned_alloc_grid(trial: Trial) -> None:
    """aligned_alloc answers a multiple of the alignment, for each power of two up to 64 KiB.

    Each with one, two, three and nine times the alignment as size, between other blocks.
    """
    plan = trial.plan(Check.ALIGN)
    for alignment in powers(1, 64 * KIB):
        for count in (1, 2, 3, 9):
            plan.malloc(24)
            plan.aligned_alloc(alignment, count * alignment)
            plan.aligned_alloc(alignment, count * alignment)
    trial.holds(plan)


@rule(
    "HY-ALIGN-04",
    level=MUST,
    source="POSIX.1-2017 posix_memalign",
    needs={"posix_memalign"},
    bug="mimalloc issue 602: a request of 256 bytes aligned to 256 was not",
)
def test_posix_memalign_grid(trial: Trial) -> None:
    """posix_memalign answers a multiple of the alignment, for each of 8 bytes to 64 KiB.

    For sizes below, at and above the alignment, between other blocks.
    """
    plan = trial.plan(Check.ALIGN)
    for alignment in powers(8, 64 * KIB):
        for size in (1, 24, alignment // 2 + 1, alignment - 1, alignment, 3 * alignment + 5):
            plan.malloc(40)
            plan.posix_memalign(alignment, size)
            plan.posix_memalign(alignment, size)
    trial.holds(plan)


@rule(
    "HY-ALIGN-05",
    level=MUST,
    source="posix_memalign(3): memalign",
    needs={"memalign"},
    bug="jdz_allocator issue 2: alignment 64 was missed for sizes 192 to 3136",
)
def test_memalign_grid(trial: Trial) -> None:
    """memalign answers a multiple of the alignment, for each power of two up to 64 KiB.

    For sizes from one byte over each multiple of 192 to 3,136, and around the alignment.
    """
    plan = trial.plan(Check.ALIGN)
    for alignment in powers(8, 64 * KIB):
        for size in (1, *range(192, 3137, 736), alignment - 1, alignment, alignment + 1):
            plan.malloc(56)
            plan.memalign(alignment, size)
    trial.holds(plan)


@rule("HY-ALIGN-06", level=MUST, source="posix_memalign(3): valloc, pvalloc", needs={"valloc"})
def test_valloc_is_aligned_to_a_page(trial: Trial) -> None:
    """valloc and pvalloc answer the start of a page."""
    plan = trial.plan(Check.ALIGN)
    for size in (1, 100, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE, MIB + 1):
        plan.malloc(100)
        plan.valloc(size)
        if trial.target.capabilities.has("pvalloc"):
            plan.pvalloc(size)
    trial.holds(plan)


@rule("HY-ALIGN-07", level=MUST, source="C17 7.22.3p1 with DR 445", needs={"calloc"})
def test_calloc_is_aligned_for_what_fits(trial: Trial) -> None:
    """calloc's block is aligned as malloc's is, whatever the product is made of."""
    plan = trial.plan(Check.ALIGN, weak_alignment=True)
    for size in (*SMALL[::3], *BORDERS[::2]):
        plan.calloc(1, size)
    for count, size in ((3, 5), (7, 24), (100, 3), (1000, 1), (33, 1000), (3, 100_000)):
        plan.calloc(count, size)
    trial.holds(plan)


@rule("HY-ALIGN-08", level=MUST, source="C17 7.22.3p1 with DR 445", needs={"realloc"})
def test_realloc_is_aligned_for_what_fits(trial: Trial) -> None:
    """realloc's block is aligned as malloc's is, whether it moved, grew or shrank."""
    plan = trial.plan(Check.ALIGN, weak_alignment=True)
    blocks = [plan.malloc(size) for size in (1, 9, 24, 100, 1000)]
    for size in (30, 500, 48, 5000, 700, 40_000, 100, 300_000, 20_000, 3 * MIB, 17):
        for block in blocks:
            plan.realloc(block, size)
            plan.malloc(size % 1000 + 1)
    trial.holds(plan)


@rule(
    "HY-ALIGN-09",
    level=MUST,
    source="POSIX.1-2017 posix_memalign",
    needs={"posix_memalign"},
    bug="isoalloc pull 212: posix_memalign(256, 16) was aligned to 16",
)
def test_alignment_above_the_size_holds_for_many_blocks(trial: Trial) -> None:
    """An alignment above the size holds, for the hundredth live block as for the first.

    The size class of a small request has no blocks of a large alignment, or not many.
    """
    plan = trial.plan(Check.ALIGN)
    for alignment in (16, 32, 64, 128, 256, 512, PAGE):
        for _ in range(100):
            plan.posix_memalign(alignment, 16)
    trial.holds(plan)


@rule(
    "HY-ALIGN-10",
    level=MUST,
    source="POSIX.1-2017 posix_memalign",
    needs={"posix_memalign"},
    bug="jemalloc 4.4.0: alignments of 2 MiB and more were wrong",
)
def test_alignments_of_megabytes_hold(trial: Trial) -> None:
    """A block with an alignment from 128 KiB to 64 MiB lies there, if it is given at all."""
    plan = trial.plan(Check.ALIGN)
    for alignment in powers(128 * KIB, 64 * MIB):
        for size in (1, 5000, MIB):
            plan.posix_memalign(alignment, size, may_fail=True)
    trial.holds(plan)


@rule(
    "HY-ALIGN-11",
    level=MUST,
    source="C17 7.22.3p1, 7.22.3.5",
    needs={"realloc", "posix_memalign"},
    bug="mimalloc issue 603: an aligned realloc answered a misaligned block",
)
def test_realloc_of_an_aligned_block_is_aligned_for_what_fits(trial: Trial) -> None:
    """realloc of an aligned block answers one that is aligned as malloc's is.

    The larger alignment need not survive; the fundamental one must.
    """
    plan = trial.plan(Check.ALIGN, weak_alignment=True)
    for alignment in powers(16, 8 * KIB):
        block = plan.posix_memalign(alignment, 40)
        for size in (39, 100, alignment, 3000, 50_000, 300_000, 24):
            plan.realloc(block, size)
    trial.holds(plan)


@rule("HY-ALIGN-12", level=MUST, source="C17 7.22.3p1")
def test_many_blocks_of_a_class_are_all_aligned(trial: Trial) -> None:
    """Thousands of live blocks of one size are all aligned for long double and __int128.

    For sizes that are multiples of 16, so that an array of them is aligned too. Headers of pages
    and chunks come in between.
    """
    plan = trial.plan(Check.ALIGN)
    for size in (16, 32, 48, 112, 160, 480, 1008, 2032):
        for _ in range(2 * MIB // (size * 8) if size < 100 else 500):
            plan.malloc(size)
    trial.holds(plan)


@rule(
    "HY-ALIGN-13",
    level=SHOULD,
    source="POSIX.1-2017 posix_memalign: any power of two",
    needs={"posix_memalign"},
)
def test_alignments_up_to_a_megabyte_are_served(trial: Trial) -> None:
    """posix_memalign serves alignments of 128 KiB to 1 MiB.

    Nothing in POSIX bounds the alignment; huge pages and arenas want such blocks.
    """
    plan = trial.plan(Check.NULL)
    for alignment in powers(128 * KIB, MIB):
        plan.posix_memalign(alignment, alignment)
        plan.posix_memalign(alignment, 100)
    trial.holds(plan)


@rule(
    "HY-ALIGN-14",
    level=MUST,
    source="POSIX.1-2017 posix_memalign",
    needs={"posix_memalign", "free"},
    bug="jemalloc pull 1900: a block was reused in place though its alignment did not suit",
)
def test_alignment_holds_for_memory_used_again(trial: Trial) -> None:
    """An aligned request is aligned also where freed blocks of its size lie about.

    Plain and aligned blocks of the same sizes are freed in between and used again.
    """
    plan = trial.plan(Check.ALIGN)
    for turn in range(6):
        for alignment in (16, 32, 64, 128, 512):
            plain = [plan.malloc(size) for size in (48, 80, 160, 500)]
            aligned = [plan.posix_memalign(alignment, size) for size in (40, 80, 160, 500)]
            for block in plain[turn % 2 :] + aligned[::2]:
                plan.free(block)
    trial.holds(plan)
