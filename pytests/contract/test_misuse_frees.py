"""HY-MISUSE: what becomes of an allocator that is given a pointer which it must not be given.

The C standard leaves all of it undefined (C17 7.22.3.3p2, J.2), so nothing here is a demand: each
figure is a grade, from `named` (the process ends with a message that says what is wrong) over
`dies` and `unharmed` down to `two owners`, and the worst of several variants counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.contract.grades import grade_all
from heapyard.contract.misuse_plans import (
    CLASSES,
    LARGE,
    SMALL_CLASSES,
    WILD,
    Variant,
    begin,
    each_size,
    neighbours,
    probe,
)
from heapyard.rules import PROFILE, Trial, rule
from heapyard.trial import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from heapyard.trial import Plan

SOURCE = "C17 7.22.3.3p2: undefined; users rely on a clean end"
NEEDS = {"free"}


@rule("HY-MISUSE-01", level=PROFILE, source=SOURCE, needs=NEEDS)
def test_double_free_at_once(trial: Trial) -> None:
    """A block is freed twice in a row: what becomes of it.

    The second free comes before any other call, among live blocks of the same class. The grade is
    the worst over small, medium and large blocks.
    """

    def misuse(plan: Plan, size: int) -> None:
        block = neighbours(plan, size)[2]
        stale = plan.alias(block)
        plan.free(block)
        plan.free_stale(stale)

    grade_all(trial, "double free", each_size(trial, CLASSES, misuse))


@rule(
    "HY-MISUSE-02",
    level=PROFILE,
    source=SOURCE,
    needs=NEEDS,
    bug="glibc's fastbins compare with the head of the list only: free a, b, a goes through",
)
def test_double_free_later(trial: Trial) -> None:
    """A block is freed twice with other frees between: what becomes of it.

    One other block of the class between both frees, or forty, or forty of other classes.
    """
    grade_all(trial, "delayed double free", _delayed(trial))


def _delayed(trial: Trial) -> Iterator[Variant]:
    for size in (*SMALL_CLASSES, LARGE):
        for label, others in (("one", [size]), ("forty", [size] * 40), ("mixed", [64, 512] * 20)):
            plan = begin(trial)
            block = neighbours(plan, size)[2]
            stale = plan.alias(block)
            between = [plan.malloc(other, may_fail=True) for other in others]
            plan.free(block)
            for other in between:
                plan.free(other)
            plan.free_stale(stale)
            probe(plan, size)
            yield f"{size} bytes, {label} between", plan


@rule("HY-MISUSE-03", level=PROFILE, source=SOURCE, needs=NEEDS)
def test_double_free_after_reuse(trial: Trial) -> None:
    """A block is freed, another is allocated, the first is freed again: what becomes of it.

    Where the new block has the old address, the second free takes it from its owner. Only an
    allocator that does not hand out again what was freed just now can tell.
    """
    grade_all(trial, "double free after reuse", _reused(trial))


def _reused(trial: Trial) -> Iterator[Variant]:
    for size in SMALL_CLASSES:
        plan = begin(trial)
        blocks = neighbours(plan, size, 12)
        stale = plan.alias(blocks[5])
        for block in (blocks[1], blocks[9], blocks[5]):
            plan.free(block)
        plan.malloc(size, may_fail=True)
        plan.free_stale(stale)
        probe(plan, size)
        yield f"{size} bytes", plan


@rule("HY-MISUSE-04", level=PROFILE, source=SOURCE, needs={"free", "realloc"})
def test_free_of_the_old_block_after_realloc(trial: Trial) -> None:
    """A block that realloc moved is freed by its old address: what becomes of it."""

    def grown(checks: Check, size: int) -> Plan:
        plan = begin(trial, checks)
        block = neighbours(plan, size)[2]
        plan.alias(block)
        plan.realloc(block, 60 * size, in_place=True)
        return plan

    def variants() -> Iterator[Variant]:
        for size in SMALL_CLASSES:
            if trial.run(grown(Check.IN_PLACE, size)).kind != "in_place":
                continue  # it stays where it is: its address is no stale one
            plan = begin(trial)
            block = neighbours(plan, size)[2]
            stale = plan.alias(block)
            plan.realloc(block, 60 * size, may_fail=True)
            plan.free_stale(stale)
            probe(plan, size)
            yield f"{size} bytes", plan

    grade_all(trial, "free of what realloc moved", variants())


@rule("HY-MISUSE-05", level=PROFILE, source=SOURCE, needs=NEEDS)
def test_free_of_a_wild_pointer(trial: Trial) -> None:
    """A number that is no address of the process is freed: what becomes of it."""

    def variants() -> Iterator[Variant]:
        for label, address in WILD.items():
            plan = begin(trial)
            neighbours(plan, 100)
            plan.free_address(address)
            probe(plan, 100)
            yield label, plan

    grade_all(trial, "free of a wild pointer", variants())


def _foreign(trial: Trial, *kinds: str) -> Iterator[Variant]:
    """Memory that is not the allocator's, freed as if it were, and live all the same."""
    for kind in kinds:
        for size in (24, 100, 1000):
            plan = begin(trial)
            neighbours(plan, size)
            plan.free_at(plan.foreign(kind, 4096))
            probe(plan, 64, 16, size, 2000)
            yield f"{kind}, {size} bytes", plan


@rule("HY-MISUSE-06", level=PROFILE, source=SOURCE, needs=NEEDS)
def test_free_of_a_variable(trial: Trial) -> None:
    """The address of a local or a static variable is freed: what becomes of it.

    The variable stays in use. An allocator that takes it for a block of its own hands it out.
    """
    grade_all(trial, "free of a variable", _foreign(trial, "stack", "static"))


@rule(
    "HY-MISUSE-07",
    level=PROFILE,
    source=SOURCE,
    needs=NEEDS,
    bug="rpmalloc pull 374: blocks of libc's own malloc reached rpfree",
)
def test_free_of_another_allocators_block(trial: Trial) -> None:
    """A page of mmap, or a block of another allocator, is freed: what becomes of it.

    The block of another allocator has a header in front of it that holds a plausible size.
    """
    grade_all(trial, "free of another's block", _foreign(trial, "mapping", "other"))


def _inside(trial: Trial, offsets: Mapping[int, tuple[int, ...]]) -> Iterator[Variant]:
    """A pointer into a live block is freed; the block stays live."""
    for size, steps in offsets.items():
        for offset in steps:
            plan = begin(trial)
            plan.free_at(neighbours(plan, size)[2], offset)
            probe(plan, size, max(16, size - offset), offset)
            yield f"{size} bytes + {offset}", plan


@rule("HY-MISUSE-08", level=PROFILE, source=SOURCE, needs=NEEDS)
def test_free_of_an_interior_pointer(trial: Trial) -> None:
    """An aligned pointer into the middle of a live block is freed: what becomes of it."""
    steps = {104: (16, 48), 1000: (16, 512), LARGE: (16, 4096), 3 << 20: (16, 4096)}
    grade_all(trial, "free of an interior pointer", _inside(trial, steps))


@rule("HY-MISUSE-09", level=PROFILE, source=SOURCE, needs=NEEDS)
def test_free_of_a_misaligned_pointer(trial: Trial) -> None:
    """A pointer a few bytes behind the start of a live block is freed: what becomes of it."""
    steps = {24: (1, 8), 104: (1, 4), 1000: (1, 8), LARGE: (1, 8)}
    grade_all(trial, "free of a misaligned pointer", _inside(trial, steps))


@rule("HY-MISUSE-16", level=PROFILE, source="C17 7.22.3.5p3: undefined", needs={"free", "realloc"})
def test_realloc_of_a_freed_block(trial: Trial) -> None:
    """A freed block is resized, or asked for its size: what becomes of it.

    What realloc answers is a live block from then on. An allocator that resizes in place, without
    a look at whether the block is live, gives it to two owners.
    """

    def misused(name: str, size: int, asked: int) -> Variant:
        plan = begin(trial)
        block = neighbours(plan, size)[2]
        stale = plan.alias(block)
        plan.free(block)
        if name == "usable_size":
            plan.usable_stale(stale)
        else:
            plan.realloc_stale(stale, asked)
        probe(plan, size)
        return f"{name}, {size} bytes to {asked}", plan

    def variants() -> Iterator[Variant]:
        for size in CLASSES:
            for asked in (size - 4, size, 2 * size):
                yield misused("realloc", size, asked)
            if trial.target.capabilities.has("usable_size"):
                yield misused("usable_size", size, size)

    grade_all(trial, "realloc of a freed block", variants())
