"""HY-API: what the aligned entry points accept, and what they refuse."""

from heapyard.contract.grids import (
    MIB,
    PAGE,
)
from heapyard.contract.mixes import APART
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check


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
    plan = trial.plan(APART | Check.RETURN_CODE)
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
