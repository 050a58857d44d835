"""Plans that misuse an allocator in one way each, and then probe what it hands out.

What stands before and after is the same everywhere: some live blocks of the class, so that there
are neighbours to harm; and at the end as many new ones as empty every cache, so that a block which
is there twice is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.contract.grids import KIB, MIB
from heapyard.trial import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from heapyard.rules import Trial
    from heapyard.trial import Plan, Slot

__all__ = [
    "CLASSES",
    "HARM",
    "LARGE",
    "SMALL_CLASSES",
    "WILD",
    "Variant",
    "begin",
    "each_size",
    "neighbours",
    "probe",
]

HARM = Check.OVERLAP | Check.CONTENT | Check.MAPPED
"""Two owners of a byte, a live block that changed, a block in memory that is nobody's."""

SMALL_CLASSES = (24, 104, 1000)
"""Sizes that many allocators fill to the last byte, or nearly."""
LARGE = 40 * KIB
CLASSES = (*SMALL_CLASSES, LARGE, 3 * MIB)

WILD = {
    "page zero": 0x10,
    "nothing mapped": 0x1000_0000_0010,
    "not canonical": 0x1234_5678_9ABC_DEF0,
    "the kernel's half": 0xFFFF_FFFF_FFFF_E010,
}

Variant = tuple[str, "Plan"]
"""A plan, and in a word or two what is particular about it."""


def begin(trial: Trial, checks: Check = HARM) -> Plan:
    """A plan in which no slot is used twice: stale pointers name the blocks that they meant."""
    return trial.plan(checks, reuse_slots=False)


def neighbours(plan: Plan, size: int, count: int = 5) -> list[Slot]:
    """Live blocks of one class, side by side in many an allocator."""
    return [plan.malloc(size, may_fail=True) for _ in range(count)]


def probe(plan: Plan, *sizes: int) -> None:
    """Take many blocks of these sizes, all live at once, free some, and take as many again."""
    for size in sizes:
        count = 96 if size < LARGE else 12
        taken = [plan.malloc(size, may_fail=True) for _ in range(count)]
        plan.check_all()
        for slot in taken[::3]:
            plan.free(slot)
        for _ in taken[::3]:
            plan.malloc(size, may_fail=True)
    plan.check_all()


def each_size(
    trial: Trial, sizes: Iterable[int], misuse: Callable[[Plan, int], None]
) -> Iterator[Variant]:
    """The misuse of blocks of each size."""
    for size in sizes:
        plan = begin(trial)
        misuse(plan, size)
        probe(plan, size)
        yield f"{size} bytes", plan
