"""The bump arena: blocks by pointer increment, freed all at once.

    with Bump() as bump:
        address = bump.alloc(20)

Addresses are ints. What each call promises stands in <heapyard/bump.h>. Misuse is reported by the
native library, which aborts the process unless `heapyard.misuse.recorded_misuse` is in force.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard._allocator import NativeAllocator
from heapyard._arguments import alignment_argument, size_argument
from heapyard._native.prototypes.bump import (
    BumpConfigStruct,
    BumpCountersStruct,
    BumpMarkStruct,
    CleanupFunction,
)
from heapyard.counters import BumpCounters
from heapyard.errors import BadArgumentError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard.pages import PageSource

__all__ = ["ALIGNMENT", "BIG", "MAX_ALIGNMENT", "Bump", "BumpMark"]

ALIGNMENT = 16
"""HY_BUMP_ALIGNMENT: the least alignment of a block."""

MAX_ALIGNMENT = 1 << 20
"""HY_BUMP_MAX_ALIGNMENT: the largest alignment that can be asked for."""

BIG = 64 << 10
"""HY_BUMP_BIG: a request of this size or more that doesn't fit gets pages of its own."""


@dataclass(frozen=True, slots=True)
class BumpMark:
    """A position to rewind to."""

    record: int
    serial: int


class Bump(NativeAllocator[BumpCounters]):
    """An arena. `block_size` and `max_block_size` (for growth) are in bytes; 0: the default.

    `close` runs the cleanups and gives all memory back.
    """

    part = "bump"
    counters_struct = BumpCountersStruct
    counters_class = BumpCounters

    def __init__(
        self,
        *,
        source: PageSource | None = None,
        block_size: int = 0,
        max_block_size: int = 0,
    ) -> None:
        super().__init__()
        size_argument("block_size", block_size)
        if max_block_size:
            size_argument("max_block_size", max_block_size)
            if max_block_size < block_size:
                bound = f"must be 0 or at least block_size={block_size}"
                raise BadArgumentError("max_block_size", max_block_size, bound)
        self._cleanups: list[object] = []
        config = BumpConfigStruct(
            ctypes.sizeof(BumpConfigStruct),
            source.pointer if source is not None else None,
            block_size,
            max_block_size,
        )
        handle: int | None = self._native.hy_bump_new(config)
        if handle is None:
            raise OutOfMemoryError("No pages for the first block of a bump arena.")
        self._adopt(handle, self._native.hy_bump_delete, self._cleanups, source)

    def alloc(self, size: int, *, alignment: int = ALIGNMENT) -> int:
        """`size` bytes, contents unspecified. Raises OutOfMemoryError."""
        size_argument("size", size)
        alignment_argument("alignment", alignment, least=1, most=MAX_ALIGNMENT)
        if alignment == ALIGNMENT:
            return _given(self._native.hy_bump_alloc(self.handle, size), size)
        return _given(self._native.hy_bump_alloc_aligned(self.handle, size, alignment), size)

    def alloc_zeroed(self, count: int, size: int) -> int:
        """`count` times `size` bytes that read as zero. Raises OutOfMemoryError."""
        size_argument("count", count)
        size_argument("size", size)
        return _given(self._native.hy_bump_alloc_zeroed(self.handle, count, size), count * size)

    def realloc(self, address: int | None, old_size: int, new_size: int) -> int:
        """The block, of another size. Raises OutOfMemoryError: then it is unchanged."""
        size_argument("old_size", old_size)
        size_argument("new_size", new_size)
        moved = self._native.hy_bump_realloc(self.handle, address, old_size, new_size)
        return _given(moved, new_size)

    def mark(self) -> BumpMark:
        """A mark of the position that the arena is in. Raises OutOfMemoryError."""
        mark = self._native.hy_bump_set_mark(self.handle)
        return BumpMark(_given(mark.record, ctypes.sizeof(BumpMarkStruct)), mark.serial)

    def rewind(self, mark: BumpMark) -> bool:
        """Free all since `mark`. False (where misuse doesn't abort) if the mark is not set."""
        native_mark = BumpMarkStruct(mark.record, mark.serial)
        return bool(self._native.hy_bump_rewind(self.handle, native_mark))

    def reset(self) -> bool:
        """Free all blocks and marks, run all cleanups; keep the blocks of pages.

        False (where misuse doesn't abort) if it was called from within a cleanup.
        """
        done = bool(self._native.hy_bump_reset(self.handle))
        if done:
            self._cleanups.clear()
        return done

    def trim(self) -> int:
        """Give back what is kept for reuse. Returns the bytes given back."""
        return int(self._native.hy_bump_trim(self.handle))

    def add_cleanup(self, cleanup: Callable[[], object]) -> None:
        """Have `cleanup()` called when the arena is closed, reset, or rewound past this point."""

        def call(_argument: int | None) -> None:
            cleanup()

        function = CleanupFunction(call)
        self._cleanups.append(function)
        if not self._native.hy_bump_add_cleanup(self.handle, function, None):
            self._cleanups.remove(function)
            raise OutOfMemoryError("No memory to register a cleanup.")


def _given(address: int | None, size: int) -> int:
    if address is None:
        raise OutOfMemoryError(f"No memory for {size} bytes; the arena is unchanged.")
    return address
