"""HY-ERRNO: what each call says through errno, and what it leaves alone."""

from errno import EINVAL, ENOMEM, ERANGE
from itertools import product

from heapyard.contract.grids import (
    KIB,
    MIB,
    PAGE,
    PTRDIFF_MAX,
    SIZE_MAX,
    SMALL,
    TOO_LARGE,
    entry_paths,
)
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check

WRAPPING = ((SIZE_MAX, 2), (2, SIZE_MAX), (1 << 32, 1 << 32), (SIZE_MAX, SIZE_MAX), (3, 1 << 63))
"""Counts and sizes whose product does not fit a size_t."""

ALIGNED_TOO_LARGE = tuple(product((8, 16, 64, PAGE), TOO_LARGE))
"""Alignments and sizes that no aligned request can be given."""


@rule(
    "HY-ERRNO-01",
    level=MUST,
    source="POSIX.1-2017 malloc [CX]",
    needs={"errno"},
    bug="mimalloc issue 1135: failures left errno alone",
)
def test_failing_malloc_says_enomem(trial: Trial) -> None:
    """A malloc that fails for want of memory sets errno to ENOMEM."""
    plan = trial.plan(Check.ERRNO)
    for size in TOO_LARGE:
        plan.malloc(size, fails=ENOMEM)
    trial.holds(plan)


@rule("HY-ERRNO-02", level=MUST, source="POSIX.1-2017 calloc [CX]", needs={"calloc", "errno"})
def test_failing_calloc_says_enomem(trial: Trial) -> None:
    """A calloc that fails sets errno to ENOMEM, also where only the product is too large."""
    plan = trial.plan(Check.ERRNO)
    for size in TOO_LARGE:
        plan.calloc(1, size, fails=ENOMEM)
    for count, size in WRAPPING:
        plan.calloc(count, size, fails=ENOMEM)
    trial.holds(plan)


@rule(
    "HY-ERRNO-03",
    level=MUST,
    source="POSIX.1-2017 realloc [CX]",
    needs={"realloc", "errno"},
    bug="snmalloc issue 461, jemalloc pull 2620: realloc to a size too large did not set errno",
)
def test_failing_realloc_says_enomem(trial: Trial) -> None:
    """A realloc that fails sets errno to ENOMEM, for a small block, a large one, and for NULL."""
    plan = trial.plan(Check.ERRNO)
    small, large = plan.malloc(100), plan.malloc(MIB)
    for size in TOO_LARGE:
        plan.realloc(small, size, fails=ENOMEM)
        plan.realloc(large, size, fails=ENOMEM)
        plan.realloc(None, size, fails=ENOMEM)
    trial.holds(plan)


@rule(
    "HY-ERRNO-04",
    level=MUST,
    source="POSIX.1-2024 reallocarray; malloc(3)",
    needs={"reallocarray", "errno"},
)
def test_failing_reallocarray_says_enomem(trial: Trial) -> None:
    """A reallocarray whose product is too large, or wraps, sets errno to ENOMEM."""
    plan = trial.plan(Check.ERRNO)
    block = plan.malloc(100)
    for count, size in (*WRAPPING, (1, PTRDIFF_MAX + 1), (PTRDIFF_MAX, 1)):
        plan.reallocarray(block, count, size, fails=ENOMEM)
        plan.reallocarray(None, count, size, fails=ENOMEM)
    trial.holds(plan)


@rule(
    "HY-ERRNO-05",
    level=MUST,
    source="POSIX.1-2024 aligned_alloc; posix_memalign(3)",
    needs={"aligned_alloc", "errno"},
)
def test_failing_aligned_alloc_says_enomem(trial: Trial) -> None:
    """An aligned_alloc that fails for want of memory sets errno to ENOMEM."""
    plan = trial.plan(Check.ERRNO)
    for alignment, size in ALIGNED_TOO_LARGE:
        plan.aligned_alloc(alignment, size // alignment * alignment, fails=ENOMEM)
    trial.holds(plan)


@rule(
    "HY-ERRNO-06",
    level=MUST,
    source="posix_memalign(3): memalign",
    needs={"memalign", "errno"},
)
def test_failing_memalign_says_enomem(trial: Trial) -> None:
    """A memalign that fails for want of memory sets errno to ENOMEM."""
    plan = trial.plan(Check.ERRNO)
    for alignment, size in ALIGNED_TOO_LARGE:
        plan.memalign(alignment, size, fails=ENOMEM)
    trial.holds(plan)


@rule(
    "HY-ERRNO-07",
    level=MUST,
    source="POSIX.1-2017 posix_memalign, ERRORS",
    needs={"posix_memalign"},
)
def test_posix_memalign_answers_enomem(trial: Trial) -> None:
    """A posix_memalign that fails for want of memory returns ENOMEM.

    Its result is the error number: neither -1 nor EINVAL.
    """
    plan = trial.plan(Check.RETURN_CODE)
    for alignment, size in ALIGNED_TOO_LARGE:
        plan.posix_memalign(alignment, size, fails=ENOMEM)
    trial.holds(plan)


@rule(
    "HY-ERRNO-08",
    level=MUST,
    source="POSIX.1-2017 posix_memalign, ERRORS",
    needs={"posix_memalign"},
    bug="mimalloc pull 55: an alignment that is no power of two was taken",
)
def test_posix_memalign_answers_einval(trial: Trial) -> None:
    """posix_memalign returns EINVAL unless the alignment is a power of two times sizeof(void *).

    Zero, powers of two below 8, multiples of 8 that are no power of two, and odd values up to
    SIZE_MAX.
    """
    plan = trial.plan(Check.RETURN_CODE | Check.REFUSE)
    for alignment in (0, 1, 2, 3, 4, 5, 7, 9, 12, 15, 24, 40, 48, 100, 1000, PAGE + 8, SIZE_MAX):
        for size in (1, 64, PAGE):
            plan.posix_memalign(alignment, size, fails=EINVAL)
    trial.holds(plan)


@rule(
    "HY-ERRNO-09",
    level=SHOULD,
    source="posix_memalign(3): does not modify memptr on failure",
    needs={"posix_memalign"},
)
def test_failing_posix_memalign_leaves_the_pointer_alone(trial: Trial) -> None:
    """A posix_memalign that fails leaves *memptr as it was.

    POSIX.1-2017 allows a null pointer there too; libraries on Linux leave it alone, and callers
    that pass a live pointer count on it.
    """
    plan = trial.plan(Check.MEMPTR)
    for alignment, size in ((64, SIZE_MAX), (PAGE, PTRDIFF_MAX + 1), (24, 64), (3, 64), (0, 64)):
        plan.posix_memalign(alignment, size, fails=True)
    trial.holds(plan)


@rule(
    "HY-ERRNO-10",
    level=SHOULD,
    source="posix_memalign(3): the value of errno is not set",
    needs={"posix_memalign"},
)
def test_posix_memalign_leaves_errno_alone(trial: Trial) -> None:
    """posix_memalign does not touch errno, whether it succeeds or fails.

    Its result says all; no other of the family has that.
    """
    plan = trial.plan(Check.ERRNO)
    plan.set_errno(ERANGE)
    for size in (1, 100, 5000, 200 * KIB):
        plan.posix_memalign(64, size, errno_kept=True)
    plan.posix_memalign(64, SIZE_MAX - PAGE, fails=True, errno_kept=True)
    plan.posix_memalign(24, 64, fails=True, errno_kept=True)
    trial.holds(plan)


@rule(
    "HY-ERRNO-11",
    level=SHOULD,
    source="POSIX.1-2017 XSH 2.3: unspecified; callers test errno after a run of calls",
)
def test_successful_call_leaves_errno_alone(trial: Trial) -> None:
    """A call that succeeds leaves errno as it was.

    By every entry point, while the heap grows by some MiB, so that the allocator has to ask the
    system for more.
    """
    plan = trial.plan(Check.ERRNO)
    plan.set_errno(ERANGE)
    for size in (*SMALL[::9], 5000, 40 * KIB, 300 * KIB, 2 * MIB):
        for path in entry_paths(trial):
            path.ask(plan, size, errno_kept=True)
    trial.holds(plan)


@rule(
    "HY-ERRNO-12",
    level=MUST,
    source="POSIX.1-2024 free; malloc(3)",
    needs={"free"},
    bug="glibc BZ 17924: free of a mapped block could set errno",
)
def test_free_leaves_errno_alone(trial: Trial) -> None:
    """free does not modify errno.

    For NULL and for blocks from 1 byte to 8 MiB, so that some are given back to the system.
    """
    plan = trial.plan(Check.ERRNO)
    plan.set_errno(ERANGE)
    plan.free(None, errno_kept=True)
    blocks = [plan.malloc(size) for size in (1, 100, 1000, 10_000, 100_000, MIB, 8 * MIB) * 8]
    for block in blocks:
        plan.free(block, errno_kept=True)
    trial.holds(plan)


@rule(
    "HY-ERRNO-13",
    level=SHOULD,
    source="POSIX.1-2017 XSH 2.3: unspecified; callers test errno after a run of calls",
    bug="jemalloc before 3.4.1: reading its configuration link at the first call set errno",
)
def test_first_call_leaves_errno_alone(trial: Trial) -> None:
    """The first call of the process, whichever it is, leaves errno as it was.

    A fresh process for each entry point: setting up reads files, the environment and the number of
    processors, and each of these may fail and leave its mark.
    """
    for path in entry_paths(trial):
        plan = trial.plan(Check.ERRNO)
        plan.set_errno(ERANGE)
        path.ask(plan, 100, errno_kept=True)
        trial.holds(plan)


@rule(
    "HY-ERRNO-14",
    level=SHOULD,
    source="POSIX.1-2017 XSH 2.3: unspecified; callers test errno after a run of calls",
    needs={"realloc"},
)
def test_realloc_that_moves_leaves_errno_alone(trial: Trial) -> None:
    """A realloc that succeeds leaves errno as it was, wherever the block goes.

    Growing and shrinking over every way of keeping blocks: a failed attempt to grow in place must
    not show.
    """
    plan = trial.plan(Check.ERRNO)
    plan.set_errno(ERANGE)
    block = plan.malloc(10)
    for size in (50, 500, 5000, 40 * KIB, 300 * KIB, 3 * MIB, 9 * MIB, 200 * KIB, 20 * KIB, 9):
        plan.malloc(size)
        plan.realloc(block, size, errno_kept=True)
    trial.holds(plan)


@rule(
    "HY-ERRNO-15",
    level=MUST,
    source="posix_memalign(3): valloc, pvalloc",
    needs={"valloc", "errno"},
)
def test_failing_valloc_says_enomem(trial: Trial) -> None:
    """A valloc or pvalloc that fails for want of memory sets errno to ENOMEM."""
    plan = trial.plan(Check.ERRNO)
    for size in TOO_LARGE:
        plan.valloc(size, fails=ENOMEM)
        if trial.target.capabilities.has("pvalloc"):
            plan.pvalloc(size, fails=ENOMEM)
    trial.holds(plan)


@rule(
    "HY-ERRNO-16",
    level=MUST,
    source="POSIX.1-2024 aligned_alloc, ERRORS; posix_memalign(3)",
    needs={"aligned_alloc", "errno"},
)
def test_aligned_alloc_says_einval(trial: Trial) -> None:
    """An aligned_alloc that refuses its alignment sets errno to EINVAL.

    That it does refuse is another rule's matter (HY-API-22).
    """
    plan = trial.plan(Check.ERRNO)
    for alignment in (3, 6, 12, 24, 100, 1000, PAGE + 16):
        plan.aligned_alloc(alignment, 4 * alignment, fails=EINVAL, may_fail=True)
    trial.holds(plan)
