"""HY-API: the size of a block, told by the allocator (usable size) or to it (sized free)."""

from heapyard.contract.grids import (
    BORDERS,
    MIB,
    SIZE_MAX,
    SMALL,
    entry_paths,
)
from heapyard.contract.mixes import APART
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check


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
