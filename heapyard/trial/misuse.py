"""The calls of a plan that break malloc's rules on purpose: a part of `Plan`.

plan = Plan(checks=Check.OVERLAP | Check.CONTENT)
block = plan.malloc(100)
stale = plan.alias(block)
plan.free(block)
plan.free_stale(stale)

What the target does then is up to it (C17 7.22.3.3p2); what is live in the model stays so. Meanings
follow <heapyard/plan.h>: a stray write leaves out bytes of live blocks, so nothing that the plan
does itself is held against the target.
"""

from abc import abstractmethod

from heapyard.trial.header import MAX_STRAY, SIZE_MAX, PlanError
from heapyard.trial.operations import FOREIGN, Call
from heapyard.trial.slots import Slot

__all__ = ["MisuseCalls"]


class MisuseCalls:
    """What `Plan` inherits. Slots that `alias` returns are for the calls with `stale` only."""

    _pointers: set[int]
    """The slots that stand for a pointer, without a block."""

    def alias(self, slot: Slot) -> Slot:
        """Keep the block's address, as a program does that copies a pointer: a stale pointer."""
        other = self._index(slot)
        pointer = self._claim()
        self._pointers.add(pointer.index)
        self._add("alias", pointer.index, other)
        return pointer

    def foreign(self, kind: str, size: int) -> Slot:
        """A block that is not the target's: in static, stack, mapping or other memory, or break.

        It is live and verified as any other; at the end it is forgotten, not freed. "break": the
        program moves the break by sbrk; where its libc can't, the plan is refused.
        """
        if kind not in FOREIGN:
            raise PlanError(f"Invalid kind={kind!r}: must be one of {', '.join(FOREIGN)}")
        _require_near("size", size, 0)
        return self._create("foreign", size, FOREIGN.index(kind), 0)

    def free_stale(self, pointer: Slot) -> None:
        """free(stale pointer)."""
        self._add("free_stale", self._index(pointer))

    def free_at(self, slot: Slot, offset: int = 0) -> None:
        """free(block + offset); in the model the block stays live."""
        _require_near("offset", offset, -MAX_STRAY)
        self._add("free_at", self._index(slot), offset & SIZE_MAX)

    def free_address(self, address: int) -> None:
        """free((void *)address)."""
        self._add("free_address", size=address)

    def write_at(self, slot: Slot, offset: int, count: int) -> None:
        """Write `count` bytes 0xA5 from block + offset on."""
        _require_near("offset", offset, -MAX_STRAY)
        _require_near("count", count, 0)
        self._add("write_at", self._index(slot), offset & SIZE_MAX, count)

    def write_past(self, slot: Slot, count: int) -> None:
        """Write `count` bytes 0xA5 behind the block's usable bytes."""
        _require_near("count", count, 0)
        self._add("write_past", self._index(slot), count)

    def write_stale(self, pointer: Slot, count: int, offset: int = 0) -> None:
        """Write `count` bytes 0xA5 from the stale pointer + offset on."""
        _require_near("offset", offset, -MAX_STRAY)
        _require_near("count", count, 0)
        self._add("write_stale", self._index(pointer), offset & SIZE_MAX, count)

    def link_stale(self, pointer: Slot, slot: Slot) -> None:
        """Write the block's address into the first word behind the stale pointer."""
        self._add("link_stale", self._index(pointer), self._index(slot))

    def realloc_stale(self, pointer: Slot, size: int) -> None:
        """realloc(stale pointer, size); a block that it answers is live until the end."""
        self._add("realloc_stale", self._index(pointer), size)

    def usable_stale(self, pointer: Slot) -> None:
        """malloc_usable_size(stale pointer), whatever it answers."""
        self._add("usable_stale", self._index(pointer))

    def read_stale(self, pointer: Slot, count: int) -> None:
        """Read `count` bytes through the stale pointer."""
        _require_near("count", count, 0)
        self._add("read_stale", self._index(pointer), count)

    def untold(self) -> None:
        """Violate Check.MISUSE: the misuse before was to end the process."""
        self._add("untold")

    # --- of Plan ---

    @abstractmethod
    def _add(
        self,
        name: str,
        slot: int | None = None,
        size: int = 0,
        arg: int | None = None,
        expect: int = 0,
    ) -> Call: ...

    @abstractmethod
    def _create(self, name: str, size: int, arg: int | None, expect: int) -> Slot: ...

    @abstractmethod
    def _claim(self) -> Slot: ...

    @abstractmethod
    def _index(self, slot: Slot) -> int: ...


def _require_near(name: str, value: int, least: int) -> None:
    if not least <= value <= MAX_STRAY:
        raise PlanError(f"Invalid {name}={value}: must be {least} to {MAX_STRAY}")
