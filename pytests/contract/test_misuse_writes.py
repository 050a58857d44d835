"""HY-MISUSE: what becomes of an allocator whose blocks were written beside, or after their end.

The grades are those of the frees. What is written leaves out the bytes of live blocks, so a block
that changes was changed by the allocator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.contract.grades import grade_all
from heapyard.contract.grids import SIZE_MAX
from heapyard.contract.misuse_plans import (
    LARGE,
    SMALL_CLASSES,
    Variant,
    begin,
    neighbours,
    probe,
)
from heapyard.rules import PROFILE, Trial, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from heapyard.trial import Plan, Slot

SOURCE = "C17 J.2: undefined; users rely on a clean end"
STRAY = (1, 8, 16)
"""How many bytes are written beside a block."""


def _beside(trial: Trial, write: Callable[[Plan, Slot, int], None]) -> Iterator[Variant]:
    """The middle one of five blocks is written beside; then it and its neighbours are freed."""
    for size in (*SMALL_CLASSES, 48):
        for count in STRAY:
            plan = begin(trial)
            blocks = neighbours(plan, size)
            write(plan, blocks[2], count)
            for block in (blocks[2], blocks[3], blocks[1]):
                plan.free(block)
            probe(plan, size, 160, 2000, 32 << 10)
            yield f"{size} bytes, {count} beside", plan


@rule(
    "HY-MISUSE-10",
    level=PROFILE,
    source=SOURCE,
    needs={"free"},
    bug="one byte past a block, over the size of the next: the classic 'poison null byte' of glibc",
)
def test_overflow(trial: Trial) -> None:
    """1, 8 or 16 bytes behind a block's usable end are written, then it is freed.

    Where the allocator keeps its own data there, it is damaged; freeing the block and both
    neighbours shows whether it notices.
    """
    grade_all(trial, "overflow", _beside(trial, lambda plan, slot, n: plan.write_past(slot, n)))


@rule("HY-MISUSE-11", level=PROFILE, source=SOURCE, needs={"free"})
def test_underflow(trial: Trial) -> None:
    """1, 8 or 16 bytes in front of a block are written, then it is freed: what becomes of it."""
    grade_all(trial, "underflow", _beside(trial, lambda plan, slot, n: plan.write_at(slot, -n, n)))


@rule("HY-MISUSE-12", level=PROFILE, source=SOURCE, needs={"free"})
def test_use_after_free(trial: Trial) -> None:
    """A freed block is read and written, in its first bytes or all of it: what becomes of it.

    The free list of many an allocator is kept there.
    """

    def variants() -> Iterator[Variant]:
        for size in (*SMALL_CLASSES, LARGE):
            for count in (8, 16, min(size, 4096)):
                plan = begin(trial)
                blocks = neighbours(plan, size)
                stale = plan.alias(blocks[2])
                plan.free(blocks[4])
                plan.free(blocks[2])
                plan.read_stale(stale, min(size, 4096))
                plan.write_stale(stale, count)
                probe(plan, size)
                yield f"{size} bytes, {count} written", plan

    grade_all(trial, "use after free", variants())


@rule("HY-MISUSE-13", level=PROFILE, source=SOURCE, needs={"free"})
def test_forged_free_list(trial: Trial) -> None:
    """The address of a live block is written into a freed one: what becomes of it.

    An allocator that follows it as the next link of its free list hands out the live block: the
    first step of an attack.
    """

    def variants() -> Iterator[Variant]:
        for size in (*SMALL_CLASSES, LARGE):
            plan = begin(trial)
            victim, *blocks = neighbours(plan, size, 12)
            stale = [plan.alias(block) for block in blocks]
            for block in blocks[::2]:
                plan.free(block)
            for pointer in stale[::2]:
                plan.link_stale(pointer, victim)
            probe(plan, size)
            yield f"{size} bytes", plan

    grade_all(trial, "forged free list", variants())


@rule(
    "HY-MISUSE-14",
    level=PROFILE,
    source="C23 7.24.3.4: undefined",
    needs={"free", "free_sized"},
    bug="hardened_malloc pull 318: free_sized(malloc(0), SIZE_MAX) went through",
)
def test_sized_free_of_another_size(trial: Trial) -> None:
    """free_sized is given a smaller size, a larger one, or SIZE_MAX: what becomes of it."""

    def variants() -> Iterator[Variant]:
        for size in (0, 24, 104, 1000, LARGE):
            for told in (size // 4, 4 * size + 200, 40 * size + 2000, SIZE_MAX):
                plan = begin(trial)
                blocks = neighbours(plan, size)
                plan.free_sized(blocks[2], told)
                probe(plan, size, *({told} - {0, SIZE_MAX}))
                yield f"{size} bytes freed as {told}", plan

    grade_all(trial, "wrong size", variants())


@rule(
    "HY-MISUSE-15",
    level=PROFILE,
    source="C23 7.24.3.5: undefined",
    needs={"free", "aligned_alloc", "free_aligned_sized"},
)
def test_sized_free_of_another_alignment(trial: Trial) -> None:
    """free_aligned_sized is given an alignment that was not asked for: what becomes of it."""

    def variants() -> Iterator[Variant]:
        for asked, told in ((64, 16), (64, 4096), (4096, 64), (64, 63), (64, 0)):
            plan = begin(trial)
            neighbours(plan, 256)
            blocks = [plan.aligned_alloc(asked, 256, may_fail=True) for _ in range(5)]
            plan.free_aligned_sized(blocks[2], told, 256)
            probe(plan, 256, 320)
            yield f"{asked} freed as {told}", plan

    grade_all(trial, "wrong alignment", variants())
