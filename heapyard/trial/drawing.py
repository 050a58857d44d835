"""Random plans: rows that say what to do next, and how a plan is played from them.

A row that names "the k-th live block" means something whatever was left out before it, so rows can
be dropped and numbers lowered freely: by Hypothesis (`strategies`), or not at all (`random_plan`,
whose failures `shrink_plan` shortens).
"""

import random
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from heapyard.trial.checks import Check
from heapyard.trial.plan import Plan, Slot

__all__ = ["DRAWN_FUNCTIONS", "Row", "play", "random_plan", "row_names"]

DRAWN_FUNCTIONS = frozenset({"malloc", "calloc", "realloc", "free", "aligned_alloc", "usable_size"})
"""What random plans call where nothing else is said; a target may have less or more."""


class Row(NamedTuple):
    """What may become one call."""

    name: str
    pick: int
    """Which live block, counted from the oldest, modulo how many there are."""
    size: int
    """Bytes."""

    @property
    def alignment(self) -> int:
        """A power of two from 16 to 4,096, in bytes."""
        return 16 << self.pick % 9


def random_plan(
    source: random.Random,
    functions: Collection[str] = DRAWN_FUNCTIONS,
    *,
    calls: int = 1000,
    largest: int = 1 << 18,
    checks: Check = Check.DEFAULT,
) -> Plan:
    """Draw a plan of about `calls` calls for a target with these entry points.

    Blocks have at most `largest` bytes and every call must succeed, but for requests of zero bytes,
    which may answer NULL (C17 7.22.3). Small blocks may be aligned as C23 7.24.3 has it. The same
    state of `source` gives the same plan.
    """
    names = row_names(functions)
    rows = (
        Row(source.choice(names), source.getrandbits(16), _random_size(source, largest))
        for _ in range(calls)
    )
    return play(rows, checks=checks)


def _random_size(source: random.Random, largest: int) -> int:
    """Mostly small, often at the edge of a size class."""
    size = source.getrandbits(source.randrange(1, largest.bit_length() + 1))
    if source.random() < 0.25:
        size = (1 << size.bit_length()) + source.randrange(-1, 2)
    return min(size, largest)


def row_names(functions: Collection[str]) -> list[str]:
    """The rows that a target with these entry points can play, the simplest first."""
    return [name for name in _PLAYS if _NEEDS.get(name, name) in {*functions, ""}]


_NEEDS = {"fill_usable": "usable_size", "write": "", "check_all": "", "reset": "free"}
"""The entry point that a row needs where its name is not that."""


def play(rows: Iterable[Row], *, checks: Check = Check.DEFAULT) -> Plan:
    """The plan that these rows make; a row that finds no block does nothing."""
    plan = Plan("drawn", checks=checks, weak_alignment=True)
    live: list[Slot] = []
    for row in rows:
        _PLAYS[row.name](plan, live, row)
    return plan


_Play = Callable[[Plan, list[Slot], Row], None]


def _malloc(plan: Plan, live: list[Slot], row: Row) -> None:
    live.append(plan.malloc(row.size, may_fail=row.size == 0))


def _calloc(plan: Plan, live: list[Slot], row: Row) -> None:
    count, size = row.pick % 8, row.size // 8
    live.append(plan.calloc(count, size, may_fail=count * size == 0))


def _aligned(name: str) -> _Play:
    def play_aligned(plan: Plan, live: list[Slot], row: Row) -> None:
        size = -(-max(row.size, 1) // row.alignment) * row.alignment
        live.append(getattr(plan, name)(row.alignment, size))

    return play_aligned


def _on_block(act: Callable[[Plan, Slot, Row], object]) -> _Play:
    def play_on_block(plan: Plan, live: list[Slot], row: Row) -> None:
        if live:
            act(plan, live[row.pick % len(live)], row)

    return play_on_block


def _free(plan: Plan, live: list[Slot], row: Row) -> None:
    plan.free(live.pop(row.pick % len(live)) if live else None)


def _free_sized(plan: Plan, live: list[Slot], row: Row) -> None:
    if live:
        plan.free_sized(live.pop(row.pick % len(live)))


def _reset(plan: Plan, live: list[Slot], row: Row) -> None:
    if row.pick % 16 == 15:
        plan.free_all()
        live.clear()


_PLAYS: dict[str, _Play] = {
    "malloc": _malloc,
    "free": _free,
    "realloc": _on_block(lambda plan, slot, row: plan.realloc(slot, max(row.size, 1))),
    "calloc": _calloc,
    "check_all": lambda plan, _live, _row: plan.check_all(),
    "write": _on_block(lambda plan, slot, _: plan.write(slot)),
    "usable_size": _on_block(lambda plan, slot, _: plan.usable_size(slot)),
    "fill_usable": _on_block(lambda plan, slot, _: plan.fill_usable(slot)),
    "aligned_alloc": _aligned("aligned_alloc"),
    "posix_memalign": _aligned("posix_memalign"),
    "memalign": _aligned("memalign"),
    "free_sized": _free_sized,
    "reset": _reset,
}
