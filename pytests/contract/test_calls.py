"""HY-API: what each call promises, beside alignment, contents and errno."""

from heapyard.contract.footprint import at_most
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
from heapyard.contract.mixes import APART
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check, Plan


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
    and p as it was. A thousand blocks of 64 KiB ended so leave at most 16 MiB more in memory than
    where free alone ends them.
    """
    freed, ended = (_thousand_blocks(trial, by_realloc=by) for by in (False, True))
    most = max(0, resident_growth(trial, freed)) + 16 * MIB
    grown = resident_growth(trial, ended)
    at_most(trial, ended, grown, most, "left of 1,000 blocks of 64 KiB", growth="rss")


def _thousand_blocks(trial: Trial, *, by_realloc: bool) -> Plan:
    plan = trial.plan(APART)
    plan.measure("rss")
    for _ in range(1000):
        block = plan.malloc(64 * KIB)
        if by_realloc:
            plan.realloc(block, 0, may_fail=True)
        plan.free(block)
    plan.measure("rss")
    return plan


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


@rule(
    "HY-API-29",
    level=SHOULD,
    source="C17 7.22.3p1 allows a failure; no program expects one while there is memory",
)
def test_a_million_blocks_are_served(trial: Trial) -> None:
    """A million small blocks are served, all live at once.

    700,000 of 16 bytes and 300,000 of 100, some 70 MiB with their headers: no table of blocks is
    full before memory is.
    """
    plan = trial.plan(Check.NULL | Check.CONTENT)
    plan.malloc_many(700_000, 16)
    plan.malloc_many(300_000, 100)
    plan.check_all()
    trial.holds(plan)
