"""HY-API: what each call promises, beside alignment, contents and errno."""

from heapyard.contract.grids import (
    BORDERS,
    KIB,
    LARGEST_PROMISED,
    MIB,
    PAGE,
    PTRDIFF_MAX,
    SIZE_MAX,
    SMALL,
    entry_paths,
)
from heapyard.contract.memory import resident_growth
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check

APART = Check.OVERLAP | Check.CONTENT
"""Blocks that don't share a byte, and keep what was written into them."""


@rule(
    "HY-API-01",
    level=MUST,
    source="C17 7.22.3.4p2, 5.2.4.1p1: an object of 65,535 bytes",
    bug="rpmalloc 1.2: the largest size class, 2,097,120 bytes, was not served",
)
def test_malloc_gives_writable_bytes(trial: Trial) -> None:
    """malloc(n) answers n bytes that can be written and read back.

    Each size up to 1 KiB, and both sides of each power of two up to 4 MiB, all live at once. Sizes
    at the border between two ways of serving a request are where an allocator forgets one. What
    is larger than any object that C promises may be refused (HY-API-28 says what to expect).
    """
    plan = trial.plan(Check.NULL | Check.CONTENT)
    for size in SMALL + BORDERS:
        plan.malloc(size, may_fail=size > LARGEST_PROMISED)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-02",
    level=MUST,
    source="C17 7.22.3p1",
    needs={"free"},
    bug="rpmalloc 1.2: crash after malloc(0); hardened_malloc pull 318",
)
def test_block_of_zero_bytes_can_be_freed(trial: Trial) -> None:
    """malloc(0) answers NULL, or a block of its own that free takes.

    The standard lets the implementation choose. If it is a pointer, then it is a block like any
    other: freeing it must not touch a neighbour, nor hand out memory that is still in use.
    """
    plan = trial.plan(APART)
    for _ in range(32):
        nothing = plan.malloc(0, may_fail=True)
        plan.malloc(1)
        plan.free(nothing)
        plan.malloc(16)
    plan.check_all()
    trial.holds(plan)


@rule("HY-API-03", level=MUST, source="C17 7.22.3p1: disjoint from any other object")
def test_blocks_of_zero_bytes_are_distinct(trial: Trial) -> None:
    """Two live blocks of zero bytes never have one address.

    A request of zero bytes that is not refused behaves as one of some other size, so its block is
    an object of its own. Programs use such pointers as unique keys. By malloc, realloc(NULL, 0)
    and reallocarray(NULL, ...).
    """
    has = trial.target.capabilities.has
    plan = trial.plan(Check.OVERLAP)
    for _ in range(64):
        plan.malloc(0, may_fail=True)
        plan.malloc(8)
        if has("realloc"):
            plan.realloc(None, 0, may_fail=True)
        if has("reallocarray"):
            plan.reallocarray(None, 0, 8, may_fail=True)
            plan.reallocarray(None, 8, 0, may_fail=True)
    trial.holds(plan)


@rule(
    "HY-API-04",
    level=SHOULD,
    source="glibc manual 3.2.3; malloc(3): a unique pointer value",
    bug="mimalloc issue 622: realloc(NULL, 0) answered NULL, and grep said: memory exhausted",
)
def test_request_of_zero_bytes_is_not_null(trial: Trial) -> None:
    """malloc(0), calloc(0, n), calloc(n, 0) and realloc(NULL, 0) answer a pointer.

    NULL is allowed by the standard, but much software takes it for the end of memory.
    """
    plan = trial.plan(Check.NULL)
    plan.malloc(0)
    if trial.target.capabilities.has("calloc"):
        plan.calloc(0, 8)
        plan.calloc(8, 0)
    if trial.target.capabilities.has("realloc"):
        plan.realloc(None, 0)
    trial.holds(plan)


@rule("HY-API-05", level=MUST, source="C17 7.22.3.3p2", needs={"free"})
def test_free_of_null_does_nothing(trial: Trial) -> None:
    """free(NULL) has no effect.

    Not at the start of the process, not between other calls, and not on the block that was made or
    freed before it.
    """
    plan = trial.plan(APART)
    plan.free(None)
    for size in (1, 24, 100, 5000, 200 * KIB):
        plan.malloc(size)
        plan.free(None)
        block = plan.malloc(size)
        plan.malloc(size)
        plan.free(block)
        plan.free(None)
    plan.check_all()
    trial.holds(plan)


@rule("HY-API-06", level=MUST, source="C17 7.22.3p1, 7.22.3.2", needs={"calloc", "free"})
def test_calloc_of_zero_bytes(trial: Trial) -> None:
    """calloc(0, n), calloc(n, 0) and calloc(0, 0) answer NULL, or a block of their own.

    Counts and sizes up to SIZE_MAX, since a check for overflow may divide by zero. Each block is
    distinct from all others, and free takes it.
    """
    plan = trial.plan(APART)
    for count, size in ((0, 0), (0, 1), (1, 0), (0, SIZE_MAX), (SIZE_MAX, 0), (0, 4096)):
        block = plan.calloc(count, size, may_fail=True)
        plan.calloc(count, size, may_fail=True)
        plan.malloc(16)
        plan.free(block)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-07",
    level=MUST,
    source="C17 7.22.3.5p3, 5.2.4.1p1",
    needs={"realloc"},
    bug="mimalloc issue 622; hardened_malloc pull 221: realloc as the first call crashed",
)
def test_realloc_of_null_is_malloc(trial: Trial) -> None:
    """realloc(NULL, n) answers a block as malloc(n) does.

    Over small sizes and the borders above; from 64 KiB on it may fail, as malloc may.
    """
    plan = trial.plan(Check.NULL | Check.CONTENT)
    for size in SMALL[::7] + BORDERS:
        plan.realloc(None, size, may_fail=size > LARGEST_PROMISED)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-08",
    level=SHOULD,
    source="C17 7.22.3.5p3 with DR 400: implementation-defined; POSIX.1-2017 realloc",
    needs={"realloc", "free"},
)
def test_realloc_to_zero_bytes_ends_the_block(trial: Trial) -> None:
    """realloc(p, 0) leaves nothing of the old block behind.

    It answers NULL and has freed p, or a block of zero bytes that free takes, or NULL with ENOMEM
    and p as it was. A thousand blocks of 64 KiB ended so leave at most 16 MiB in memory.
    """
    plan = trial.plan(APART)
    plan.measure("rss")
    for _ in range(1000):
        block = plan.malloc(64 * KIB)
        plan.realloc(block, 0, may_fail=True)
        plan.free(block)
    plan.measure("rss")
    grown = resident_growth(trial, plan)
    if grown > 16 * MIB:
        trial.fail("at most 16 MiB left of 1,000 blocks of 64 KiB", f"{grown:,} bytes", plan=plan)


@rule(
    "HY-API-09",
    level=MUST,
    source="C17 7.22.3.5p4",
    needs={"realloc"},
    bug="SuperMalloc issue 3: a realloc that failed destroyed the block",
)
def test_failed_realloc_keeps_the_block(trial: Trial) -> None:
    """A realloc that fails leaves the old block as it was, and owned by the caller.

    Its contents are the same, and no later request is given its memory.
    """
    plan = trial.plan(APART)
    for size in (1, 16, 100, 1000, 5000, 60 * KIB, 200 * KIB, 2 * MIB):
        block = plan.malloc(size)
        plan.realloc(block, PTRDIFF_MAX + 1, fails=True)
        plan.check(block)
        plan.malloc(size)
        plan.malloc(size)
        plan.realloc(block, SIZE_MAX - PAGE, fails=True)
        plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-10",
    level=MUST,
    source="POSIX.1-2024 reallocarray; malloc(3)",
    needs={"reallocarray"},
)
def test_reallocarray_is_realloc_of_the_product(trial: Trial) -> None:
    """reallocarray(p, n, size) makes room for n * size bytes and keeps the contents.

    For a new block (p is NULL), growing and shrinking, with a live block behind each.
    """
    plan = trial.plan(Check.NULL | APART)
    for count, size in ((3, 5), (7, 16), (100, 24), (1000, 100), (24, 4096)):
        block = plan.reallocarray(None, count, size)
        plan.malloc(size)
        plan.reallocarray(block, 2 * count, size)
        plan.malloc(size)
        plan.reallocarray(block, 1, size)
        plan.malloc(size)
    plan.check_all()
    trial.holds(plan)


@rule("HY-API-11", level=MUST, source="malloc_usable_size(3)", needs={"usable_size"})
def test_usable_size_of_null_is_zero(trial: Trial) -> None:
    """malloc_usable_size(NULL) is 0, at the start and later."""
    plan = trial.plan(Check.USABLE)
    plan.usable_size(None)
    plan.malloc(100)
    plan.usable_size(None)
    trial.holds(plan)


@rule(
    "HY-API-12",
    level=MUST,
    source="malloc_usable_size(3)",
    needs={"usable_size"},
    bug="mimalloc issue 231: malloc_usable_size of an aligned block read out of bounds",
)
def test_usable_size_covers_the_request(trial: Trial) -> None:
    """malloc_usable_size is at least what was asked for, by whichever call.

    Over each entry point that makes a block, and a block that realloc grew and shrank.
    """
    plan = trial.plan(Check.USABLE)
    for path in entry_paths(trial):
        for size in (*SMALL[::37], *BORDERS[::5]):
            plan.usable_size(path.ask(plan, size))
    if trial.target.capabilities.has("realloc"):
        block = plan.malloc(10)
        for size in (1000, 100_000, 3 * MIB, 50_000, 20):
            plan.usable_size(plan.realloc(block, size))
    trial.holds(plan)


@rule(
    "HY-API-13",
    level=SHOULD,
    source="malloc_usable_size(3), man-pages 6.03: can be overwritten without ill effects",
    needs={"usable_size"},
    bug="rpmalloc pull 65: usable size of an aligned block counted from its base",
)
def test_usable_bytes_can_all_be_written(trial: Trial) -> None:
    """All bytes that malloc_usable_size counts can be written without harm to a neighbour.

    Later editions of the manual advise against it, but programs do it. Each block is filled to the
    end, then verified together with the one that was made after it.
    """
    plan = trial.plan(APART)
    for path in entry_paths(trial):
        for size in (1, 8, 24, 100, 500, 1000, 4000, 33_000, 140_000):
            pairs = [(path.ask(plan, size), plan.malloc(size)) for _ in range(4)]
            for block, neighbour in pairs:
                plan.fill_usable(block)
                plan.check(neighbour)
    plan.check_all()
    trial.holds(plan)


@rule("HY-API-14", level=MUST, source="C23 7.24.3.4", needs={"free_sized"})
def test_free_sized_is_free(trial: Trial) -> None:
    """free_sized(p, n) of a block of n bytes does what free(p) does.

    The blocks given back are used again for requests of every size: none may overlap.
    """
    plan = trial.plan(APART)
    for _ in range(2):
        trios = [[plan.malloc(size) for _ in range(3)] for size in range(1, 1200, 9)]
        for trio in trios:
            plan.free_sized(trio[1])
        for size in range(1, 1200, 9):
            plan.malloc(size)
    block = plan.calloc(10, 100) if trial.target.capabilities.has("calloc") else plan.malloc(1000)
    plan.free_sized(block, 1000)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-15",
    level=MUST,
    source="C23 7.24.3.4: the result of malloc, realloc or calloc",
    needs={"free_sized", "realloc"},
    bug="gperftools 2.17: crash in free_sized(p, b) after p = realloc(malloc(a), b)",
)
def test_free_sized_after_realloc(trial: Trial) -> None:
    """free_sized takes a block with the size that realloc gave it.

    A block that was resized in place still lies in the size class of its first size.
    """
    plan = trial.plan(APART)
    for first in (8, 24, 100, 500, 1000, 5000, 30_000, 200_000):
        for numerator, denominator in ((1, 4), (6, 10), (9, 10), (1, 1), (11, 10), (4, 1)):
            block = plan.malloc(first)
            plan.malloc(first)
            plan.realloc(block, max(1, first * numerator // denominator))
            plan.free_sized(block)
            plan.malloc(first)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-16",
    level=MUST,
    source="C23 7.24.3.5",
    needs={"free_aligned_sized", "aligned_alloc"},
    bug="rpmalloc issue 20: a freed aligned block was filed at the wrong address",
)
def test_free_aligned_sized_is_free(trial: Trial) -> None:
    """free_aligned_sized(p, a, n) of a block of aligned_alloc(a, n) does what free(p) does.

    What is given back is used again: no two live blocks overlap.
    """
    plan = trial.plan(APART)
    for alignment in (16, 32, 64, 256, 1024):
        for size in (alignment * count for count in (1, 3, 5, 9, 11)):
            blocks = [
                block
                for _ in range(6)
                for block in (plan.aligned_alloc(alignment, size), plan.malloc(size))
            ]
            for block in blocks[::4]:
                plan.free_aligned_sized(block)
            for extra in (alignment, 0, 16, 2 * alignment):
                plan.malloc(size + extra)
                plan.aligned_alloc(alignment, size)
    plan.check_all()
    trial.holds(plan)


@rule("HY-API-17", level=MUST, source="C23 7.24.3.4p2", needs={"free_sized"})
def test_free_sized_of_null_does_nothing(trial: Trial) -> None:
    """free_sized(NULL, n) has no effect, for any n."""
    plan = trial.plan(APART)
    for size in (0, 1, 16, 4096, SIZE_MAX):
        plan.malloc(16)
        plan.free_sized(None, size)
        plan.malloc(16)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-18", level=MUST, source="posix_memalign(3): pvalloc", needs={"pvalloc", "usable_size"}
)
def test_pvalloc_gives_whole_pages(trial: Trial) -> None:
    """pvalloc(n) makes room for n rounded up to whole pages."""
    plan = trial.plan(Check.USABLE)
    for size in (1, 100, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE - 5, 20 * PAGE + 1):
        for _ in range(4):
            plan.usable_size(plan.pvalloc(size), at_least=-(-size // PAGE) * PAGE)
    trial.holds(plan)


@rule("HY-API-19", level=MUST, source="malloc_trim(3)", needs={"trim", "free"})
def test_trim_leaves_live_blocks_alone(trial: Trial) -> None:
    """malloc_trim changes no byte of a live block.

    With free blocks between the live ones, from small ones to mappings.
    """
    plan = trial.plan(APART)
    for size in (16, 100, 1000, 10_000, 100_000, MIB):
        blocks = [plan.malloc(size) for _ in range(12)]
        plan.trim()
        for block in blocks[::2]:
            plan.free(block)
        plan.trim(64 * KIB)
        plan.check_all()
        for _ in range(6):
            plan.malloc(size)
    trial.holds(plan)


@rule(
    "HY-API-20",
    level=MUST,
    source="C17 7.22.3: no call is a condition of another",
    bug="hardened_malloc pull 221: a thread whose first call is realloc crashed",
)
def test_any_call_may_be_the_first(trial: Trial) -> None:
    """The first call of a process may be to any entry point.

    One fresh process for each: an allocator that sets itself up lazily must do so everywhere.
    """
    for path in entry_paths(trial):
        plan = trial.plan(Check.NULL | APART)
        path.ask(plan, 100)
        plan.malloc(100)
        trial.holds(plan)
    for name in ("free", "usable_size", "trim"):
        if trial.target.capabilities.has(name):
            plan = trial.plan(Check.NULL)
            plan.trim() if name == "trim" else getattr(plan, name)(None)
            plan.malloc(100)
            trial.holds(plan)


@rule(
    "HY-API-21",
    level=MUST,
    source="POSIX.1-2017 posix_memalign; C17 7.22.3p1",
    needs={"posix_memalign", "free"},
    bug="jemalloc 5.2.0: posix_memalign(&p, 64, 0) went wrong",
)
def test_aligned_block_of_zero_bytes_can_be_freed(trial: Trial) -> None:
    """An aligned request of zero bytes fails, or answers NULL or a block of its own.

    Each block is distinct from all others, and free takes it; valloc and pvalloc too.
    """
    has = trial.target.capabilities.has
    plan = trial.plan(APART)
    for alignment in (8, 16, 64, 1024, PAGE):
        blocks = [plan.posix_memalign(alignment, 0, may_fail=True) for _ in range(2)]
        for name in filter(has, ("aligned_alloc", "memalign")):
            blocks += [getattr(plan, name)(alignment, 0, may_fail=True) for _ in range(2)]
        for name in filter(has, ("valloc", "pvalloc")):
            blocks += [getattr(plan, name)(0, may_fail=True) for _ in range(2)]
        plan.malloc(16)
        for block in blocks[::2]:
            plan.free(block)
        plan.malloc(16)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-22",
    level=MUST,
    source="C17 7.22.3.1p2 (DR 460), 6.2.8p4",
    needs={"aligned_alloc"},
    bug="glibc before 2.38 rounded such an alignment up",
)
def test_aligned_alloc_refuses_what_is_no_alignment(trial: Trial) -> None:
    """aligned_alloc fails where the alignment is not a power of two.

    Every valid alignment is a power of two, and for any other value the function shall fail by
    returning a null pointer. A caller that misspells an alignment is told so, not given something
    else. The size is a multiple of the alignment.
    """
    plan = trial.plan(Check.REFUSE)
    for alignment in (3, 5, 6, 7, 9, 12, 20, 24, 48, 100, 1000, 4095, 4097, 3 * MIB):
        plan.aligned_alloc(alignment, 4 * alignment, fails=True)
    trial.holds(plan)


@rule("HY-API-23", level=SHOULD, source="C17 7.22.3.1p2, 6.2.8p4", needs={"aligned_alloc"})
def test_aligned_alloc_refuses_alignment_zero(trial: Trial) -> None:
    """aligned_alloc with the alignment 0 fails.

    Zero is no power of two. It is a rule of its own, and no MUST, since _Alignas(0) has a meaning
    and some libraries take 0 for 'no matter'.
    """
    plan = trial.plan(Check.REFUSE)
    for size in (0, 1, 64, 4096):
        plan.aligned_alloc(0, size, fails=True)
    trial.holds(plan)


@rule(
    "HY-API-24",
    level=SHOULD,
    source="C17 7.22.3.1 (DR 460 dropped the condition)",
    needs={"aligned_alloc"},
    bug="jemalloc issue 2647: documented as undefined though C17 allows it",
)
def test_aligned_alloc_serves_any_size(trial: Trial) -> None:
    """aligned_alloc serves a size that is not a multiple of the alignment.

    C11 forbade it; since C17 such a request is as good as any other.
    """
    plan = trial.plan(Check.NULL | Check.CONTENT)
    for alignment in (16, 64, 256, PAGE):
        for size in (1, alignment - 1, alignment + 1, 3 * alignment + 7):
            plan.aligned_alloc(alignment, size)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-25",
    level=SHOULD,
    source="posix_memalign(3): memalign may not check its alignment",
    needs={"memalign"},
)
def test_memalign_with_an_odd_alignment_does_no_harm(trial: Trial) -> None:
    """memalign with an alignment that is no power of two fails, or gives a whole block.

    The manual demands a power of two but allows that nobody looks. Then the block may be aligned
    anyhow, but must not run into another.
    """
    plan = trial.plan(APART)
    for alignment in (0, 3, 12, 24, 48, 100, 1000, 5000):
        for size in (10, 100, 1000):
            plan.memalign(alignment, size, may_fail=True)
            plan.malloc(size)
            plan.malloc(size // 2)
    plan.check_all()
    trial.holds(plan)


@rule("HY-API-26", level=SHOULD, source="C17 7.22.3: a request stands for itself")
def test_allocator_recovers_from_a_request_too_large(trial: Trial) -> None:
    """After a request that can't be served, others are served as before."""
    plan = trial.plan(Check.NULL | Check.CONTENT)
    has = trial.target.capabilities.has
    for size in (16, 1000, 100_000):
        plan.malloc(PTRDIFF_MAX + 1, fails=True)
        plan.malloc(size)
        if has("calloc"):
            plan.calloc(SIZE_MAX, SIZE_MAX, fails=True)
            plan.malloc(size)
        if has("posix_memalign"):
            plan.posix_memalign(64, SIZE_MAX - 64, fails=True)
            plan.posix_memalign(64, size)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-27",
    level=MUST,
    source="C17 7.22.3.1, 6.2.8p2: each fundamental alignment is supported",
    needs={"aligned_alloc"},
    bug="snmalloc issue 668: alignments below sizeof(void *) were refused",
)
def test_aligned_alloc_takes_every_fundamental_alignment(trial: Trial) -> None:
    """aligned_alloc serves the alignments 1, 2, 4, 8 and 16.

    The alignment of char is 1, and a valid one. The wish for a multiple of sizeof(void *) is
    posix_memalign's alone.
    """
    plan = trial.plan(Check.NULL | Check.CONTENT)
    for alignment in (1, 2, 4, 8, 16):
        for count in (1, 3, 100):
            plan.aligned_alloc(alignment, count * alignment)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-API-28",
    level=SHOULD,
    source="C17 7.22.3p1 allows a failure; hardly any program expects one of a few MiB",
    bug="rpmalloc 1.2: the largest size class, 2,097,120 bytes, was not served",
)
def test_requests_up_to_megabytes_are_served(trial: Trial) -> None:
    """malloc serves requests of up to 4 MiB while there is memory.

    Both sides of each power of two from 64 KiB on, all live at once.
    """
    plan = trial.plan(Check.NULL | Check.CONTENT)
    for size in BORDERS:
        if size > LARGEST_PROMISED:
            plan.malloc(size)
    plan.check_all()
    trial.holds(plan)
