"""The pools of a heap, as a walk shows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapyard._native.prototypes.heap import HeapPoolStruct

__all__ = ["HeapPool", "PoolState"]


class PoolState(IntEnum):
    """hy_heap_pool_state."""

    USED = 0
    FULL = 1
    EMPTY = 2
    BLOCK = 3
    """One block above MAX_SMALL."""


@dataclass(frozen=True, slots=True)
class HeapPool:
    """One pool, or one block above MAX_SMALL: hy_heap_pool in <heapyard/heap.h>."""

    address: int
    arena: int | None
    """None for a large block with a mapping of its own."""
    size: int
    block_size: int
    size_class: int
    """CLASSES for a block above MAX_SMALL."""
    state: PoolState
    capacity: int
    """Blocks that it has room for."""
    carved: int
    """Of these, handed out at least once."""
    live: int
    purged: int
    """Pages without a live block that were given back."""

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.address + self.size

    @classmethod
    def read(cls, struct: HeapPoolStruct) -> HeapPool:
        """The values of a filled-in C struct."""
        return cls(
            struct.address or 0,
            struct.arena,
            struct.size,
            struct.block_size,
            struct.size_class,
            PoolState(struct.state),
            struct.capacity,
            struct.carved,
            struct.live,
            struct.purged,
        )
