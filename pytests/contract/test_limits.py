"""HY-LIMIT: sizes, counts and alignments that no allocator can serve, and sums that wrap."""

from collections.abc import Iterator

from heapyard.contract.grids import GIB, KIB, MIB, PAGE, PTRDIFF_MAX, SIZE_MAX, TOO_LARGE, powers
from heapyard.rules import MUST, Trial, rule
from heapyard.trial import Check, Plan, Slot

WHOLE = Check.MAPPED | Check.OVERLAP | Check.USABLE
"""A block whose every page is there."""

LITTLE = 256 * MIB
"""Resident memory that shows that a calloc clears by hand."""


@rule(
    "HY-LIMIT-01",
    level=MUST,
    source="C17 7.22.3.4; malloc(3)",
    bug="glibc CVE-2017-17426; isoalloc issue 7 and ffmalloc issue 1: malloc(-8) gave a block",
)
def test_malloc_near_size_max_fails(trial: Trial) -> None:
    """malloc of SIZE_MAX, and of each size down to 4 KiB below it, fails.

    A header or a rounding that is added to the size wraps to something small.
    """
    plan = trial.plan(Check.REFUSE)
    for below in (*range(130), *(edge + near for edge in powers(128, PAGE) for near in (-1, 0, 1))):
        plan.malloc(SIZE_MAX - below, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-02",
    level=MUST,
    source="malloc(3): more than PTRDIFF_MAX bytes is an error; C17 6.5.6p9",
    bug="mattconte/tlsf issue 22; isoalloc issue 7: a size with its sign bit set gave a block",
)
def test_malloc_around_ptrdiff_max_fails(trial: Trial) -> None:
    """malloc of PTRDIFF_MAX, and of what lies around it and above, fails.

    No address space has room for it, and a size that is taken for a signed number turns negative.
    """
    plan = trial.plan(Check.REFUSE)
    for near in (*range(-64, 130), PAGE, MIB, GIB):
        plan.malloc(PTRDIFF_MAX + near, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-03",
    level=MUST,
    source="C17 7.22.3.2; malloc(3)",
    needs={"calloc"},
    bug="BadAlloc (2021): calloc of 25 embedded systems did not check its product",
)
def test_calloc_whose_product_wraps_fails(trial: Trial) -> None:
    """calloc fails where count * size does not fit a size_t.

    Products that wrap to something small, in both orders of the factors.
    """
    plan = trial.plan(Check.REFUSE)
    for size in (2, 3, 7, 16, 24, 100, PAGE, MIB, 1 << 32, (1 << 32) + 1, (1 << 62) + 1):
        count = SIZE_MAX // size + 1
        for factor in (count, count + 1, count + 5, SIZE_MAX):
            plan.calloc(factor, size, fails=True)
            plan.calloc(size, factor, fails=True)
    trial.holds(plan)


@rule("HY-LIMIT-04", level=MUST, source="C17 7.22.3.2; malloc(3)", needs={"calloc"})
def test_calloc_whose_product_is_a_power_too_far_fails(trial: Trial) -> None:
    """calloc fails where count * size is exactly 2 to the 64, which wraps to zero.

    A check that looks at the halves of the factors only, or at the product only, misses this one.
    """
    plan = trial.plan(Check.REFUSE)
    for bit in range(1, 64):
        plan.calloc(1 << bit, 1 << (64 - bit), fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-05",
    level=MUST,
    source="POSIX.1-2024 reallocarray; malloc(3)",
    needs={"reallocarray"},
)
def test_reallocarray_whose_product_wraps_fails(trial: Trial) -> None:
    """reallocarray fails where count * size does not fit a size_t, for NULL and for a block."""
    plan = trial.plan(Check.REFUSE)
    block = plan.malloc(100)
    for size in (2, 3, 16, 100, PAGE, 1 << 32, 1 << 63):
        for count in (SIZE_MAX // size + 1, SIZE_MAX // size + 7, SIZE_MAX):
            plan.reallocarray(block, count, size, fails=True)
            plan.reallocarray(None, count, size, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-06",
    level=MUST,
    source="C17 7.22.3.1",
    needs={"aligned_alloc"},
    bug="glibc CVE-2018-6485: size + alignment wrapped",
)
def test_aligned_alloc_too_large_fails(trial: Trial) -> None:
    """aligned_alloc fails for sizes whose sum with the alignment wraps, and for all too large.

    The sizes are multiples of the alignment.
    """
    plan = trial.plan(Check.REFUSE)
    for alignment, size in _aligned_too_large():
        plan.aligned_alloc(alignment, size // alignment * alignment, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-07",
    level=MUST,
    source="POSIX.1-2017 posix_memalign",
    needs={"posix_memalign"},
    bug="glibc CVE-2018-6485, BZ 22343: size + alignment wrapped",
)
def test_posix_memalign_too_large_fails(trial: Trial) -> None:
    """posix_memalign fails for sizes whose sum with the alignment wraps, and for all too large."""
    plan = trial.plan(Check.REFUSE)
    for alignment, size in _aligned_too_large():
        plan.posix_memalign(alignment, size, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-08",
    level=MUST,
    source="posix_memalign(3): memalign",
    needs={"memalign"},
    bug="glibc CVE-2013-4332: size + alignment wrapped",
)
def test_memalign_too_large_fails(trial: Trial) -> None:
    """memalign fails for sizes whose sum with the alignment wraps, and for all too large."""
    plan = trial.plan(Check.REFUSE)
    for alignment, size in _aligned_too_large():
        plan.memalign(alignment, size, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-09",
    level=MUST,
    source="posix_memalign(3): pvalloc",
    needs={"pvalloc"},
    bug="glibc CVE-2013-4332: pvalloc(SIZE_MAX) gave a block",
)
def test_pvalloc_too_large_fails(trial: Trial) -> None:
    """pvalloc fails where the size rounded up to pages wraps to zero, and for all too large."""
    plan = trial.plan(Check.REFUSE)
    for size in (*range(SIZE_MAX - PAGE - 8, SIZE_MAX, 127), *TOO_LARGE):
        plan.pvalloc(size, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-10",
    level=MUST,
    source="POSIX.1-2017 posix_memalign",
    needs={"posix_memalign"},
    bug="jemalloc 4.4.0; glibc BZ 22343",
)
def test_huge_alignments_fail_or_hold(trial: Trial) -> None:
    """posix_memalign with an alignment of 1 GiB to 2 to the 63 fails, or is right.

    For sizes from one byte to SIZE_MAX: sums and masks of both may wrap, or lose their upper half.
    What is given is judged by its place; blocks aligned to more than 1 GiB are not freed.
    """
    plan = trial.plan(Check.ALIGN | Check.OVERLAP | Check.MAPPED)
    for alignment in powers(GIB, 1 << 63):
        for size in (1, PAGE, alignment - 1, alignment, PTRDIFF_MAX, SIZE_MAX - alignment + 2):
            # A block as large as its alignment could be given, and would fill the machine.
            if size <= PAGE or size > 1 << 48:
                block = plan.posix_memalign(alignment, size, may_fail=True)
                if alignment > GIB:
                    plan.forget(block)
    trial.holds(plan)


@rule("HY-LIMIT-11", level=MUST, source="C17 7.22.3.5; malloc(3)", needs={"realloc"})
def test_realloc_too_large_fails(trial: Trial) -> None:
    """realloc to a size too large fails, for NULL, a small block, a large one and a mapping."""
    plan = trial.plan(Check.REFUSE)
    blocks = [plan.malloc(size) for size in (1, 1000, 50 * KIB, 2 * MIB)]
    for size in TOO_LARGE:
        plan.realloc(None, size, fails=True)
        for block in blocks:
            plan.realloc(block, size, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-12",
    level=MUST,
    source="C17 7.22.3.4",
    needs={"large"},
    bug="glibc BZ 24027, gperftools issue 470: realloc to more lost the upper half of a size",
)
def test_block_of_more_than_four_gigabytes_is_whole(trial: Trial) -> None:
    """A request of more than 4 GiB fails, or has each of its pages.

    A size kept in 32 bits, somewhere on its way, loses its upper half. By malloc, a realloc that
    grows, from 100 bytes and from just what 32 bits keep, and an aligned request. Nothing is
    written, so no memory is used.
    """
    plan = trial.plan(WHOLE)
    for size in (4 * GIB, 4 * GIB + 1, 4 * GIB + 100 * KIB, 5 * GIB + 12_352):
        _ask_whole(trial, plan, size)
    trial.holds(plan)


@rule(
    "HY-LIMIT-13",
    level=MUST,
    source="posix_memalign(3): valloc",
    needs={"valloc"},
    bug="glibc CVE-2013-4332: valloc of almost SIZE_MAX gave a block",
)
def test_valloc_too_large_fails(trial: Trial) -> None:
    """valloc fails where size + page size wraps, and for all too large."""
    plan = trial.plan(Check.REFUSE)
    for size in (*range(SIZE_MAX - PAGE - 8, SIZE_MAX, 127), *TOO_LARGE):
        plan.valloc(size, fails=True)
    trial.holds(plan)


@rule(
    "HY-LIMIT-14",
    level=MUST,
    source="C17 7.22.3.4",
    needs={"large"},
)
def test_block_of_two_to_four_gigabytes_is_whole(trial: Trial) -> None:
    """A request of 2 to 4 GiB fails, or has each of its pages.

    A size kept in an int is negative there; with its rounding or header it wraps at 4 GiB. As in
    HY-LIMIT-12 nothing is written.
    """
    plan = trial.plan(WHOLE)
    for size in (2 * GIB - 1, 2 * GIB, 2 * GIB + 100 * KIB, 3 * GIB, 4 * GIB - PAGE, 4 * GIB - 1):
        _ask_whole(trial, plan, size)
    trial.holds(plan)


@rule(
    "HY-LIMIT-15",
    level=MUST,
    source="C17 7.22.3.2p2; POSIX.1-2024 reallocarray",
    needs={"calloc", "large"},
)
def test_product_of_more_than_four_gigabytes_is_whole(trial: Trial) -> None:
    """calloc and reallocarray of more than 4 GiB fail, or answer the whole array.

    Both factors fit 32 bits, their product fits a size_t: only 32 bits between lose its upper
    half. A calloc that clears by hand what it gives is stopped early, and takes no harm by it.
    """
    for count, size in ((65_537, 65_536), (65_536, 65_537), (3, 2 * GIB), (5 * GIB, 1)):
        plan = trial.plan(WHOLE)
        _verify_size(trial, plan, plan.calloc(count, size, may_fail=True))
        if trial.run(plan, memory_limit=LITTLE).status != "runaway":
            trial.holds(plan)
        if trial.target.capabilities.has("reallocarray"):
            plan = trial.plan(WHOLE)
            _verify_size(trial, plan, plan.reallocarray(None, count, size, may_fail=True))
            trial.holds(plan)


def _ask_whole(trial: Trial, plan: Plan, size: int) -> None:
    has = trial.target.capabilities.has
    _verify_size(trial, plan, plan.malloc(size, may_fail=True))
    for old in (100, *_lower_parts(size)) if has("realloc") else ():
        _verify_size(trial, plan, plan.realloc(plan.malloc(old), size, may_fail=True))
    if has("memalign"):
        _verify_size(trial, plan, plan.memalign(64, size, may_fail=True))


def _lower_parts(size: int) -> set[int]:
    """What 31 or 32 bits keep of it, where a block may well be as large."""
    return {part for bits in (31, 32) if 0 < (part := size & ((1 << bits) - 1)) <= MIB}


def _verify_size(trial: Trial, plan: Plan, block: Slot) -> None:
    """The block is as large as it should be, and what comes next lies elsewhere."""
    if trial.target.capabilities.has("usable_size"):
        plan.usable_size(block)
    for size in (16, 1000, 100 * KIB):
        plan.malloc(size)
    plan.free_all()


def _aligned_too_large() -> Iterator[tuple[int, int]]:
    """Each alignment up to 1 MiB, with each size that is too large beside it."""
    for alignment in powers(8, MIB):
        for size in (*_wrapping_with(alignment), *TOO_LARGE):
            yield alignment, size


def _wrapping_with(alignment: int) -> tuple[int, ...]:
    """Sizes whose sum with the alignment wraps, or all but wraps."""
    near = (-alignment, -1, 0, 1, 2, alignment // 2)
    return tuple(SIZE_MAX - alignment + distance for distance in near)
