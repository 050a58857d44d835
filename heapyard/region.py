"""A coalescing allocator over memory that the caller gives, with one of two engines.

    with Region(1 << 20) as region:
        address = region.alloc(100)
        region.free(address)

Addresses are ints. What each call promises stands in <heapyard/region.h>. Misuse is reported by the
native library, which aborts the process unless `heapyard.misuse.recorded_misuse` is in force.
"""

from __future__ import annotations

import copy
import ctypes
import mmap
from enum import IntEnum

from heapyard._allocator import NativeAllocator
from heapyard._arguments import alignment_argument, size_argument
from heapyard._native.library import library
from heapyard._native.prototypes.region import RegionCountersStruct, RegionOptionsStruct
from heapyard.counters import RegionCounters
from heapyard.errors import (
    BadArgumentError,
    HeapyardError,
    OutOfMemoryError,
)

__all__ = ["Engine", "Region", "Span", "SpanError", "Status", "Violation", "minimum_size"]

POISON = 1
"""HY_REGION_POISON."""


class Engine(IntEnum):
    """hy_region_engine."""

    FAST = 0
    LIST = 1


class Status(IntEnum):
    """hy_region_status."""

    OK = 0
    TOO_SMALL = 1
    OVERLAPS = 2
    SHRINKS = 3
    NO_SUCH_END = 4
    TOO_LARGE = 5
    WRAPS = 6

    @property
    def text(self) -> str:
        """What it means."""
        text: bytes = library().hy_region_status_text(self)
        return text.decode()


class Violation(IntEnum):
    """hy_region_violation: the codes of CheckFailedError."""

    SOUND = 0
    BAD_HEADER = 1
    BAD_CHAIN = 2
    BAD_LINK = 3
    BAD_SIZE = 4
    BAD_STATE = 5
    BAD_BIN = 6
    TOUCHING = 7
    BAD_COUNT = 8
    WRITTEN_AFTER_FREE = 9


class SpanError(HeapyardError):
    """A span was refused, by `Region.chain` or `Region.extend`; nothing was changed."""

    def __init__(self, status: Status, start: int, end: int) -> None:
        super().__init__(f"Span {start:#x} to {end:#x} refused: {status.text}")
        self.status = status


class Span:
    """`size` bytes of memory of this process at a multiple of `alignment`, mapped and zero."""

    def __init__(self, size: int, *, alignment: int = mmap.PAGESIZE) -> None:
        size_argument("size", size)
        alignment_argument("alignment", alignment, least=1, most=1 << 40)
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
        self._mapping = mmap.mmap(-1, size + alignment, flags=flags)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._mapping))
        self.address = -(-start // alignment) * alignment
        self.size = size

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.address + self.size

    def part(self, first: int, size: int) -> Span:
        """The `size` bytes from byte `first` on, of the same memory."""
        if not 0 <= first <= first + size <= self.size:
            raise BadArgumentError("first", first, f"first + size must lie within {self.size}")
        part = copy.copy(self)
        part.address = self.address + first
        part.size = size
        return part


def minimum_size(engine: Engine = Engine.FAST, *, granule: int = 0) -> int:
    """The smallest span, in bytes, that a region can be made of. Raises BadArgumentError."""
    size: int = library().hy_region_minimum(RegionOptionsStruct(engine, 0, granule))
    if size == 0:
        raise _bad_granule(granule)
    return size


def _bad_granule(granule: int) -> BadArgumentError:
    return BadArgumentError("granule", granule, "must be 0 or 16; 4 or 8 too for Engine.LIST")


class Region(NativeAllocator[RegionCounters]):
    """A chain of one or more spans.

    `memory` is a Span, or a size in bytes for one of its own. `granule` is 0 for the default of 16;
    `poison` turns on the search for writes after free.
    """

    part = "region"
    counters_struct = RegionCountersStruct
    counters_class = RegionCounters

    def __init__(
        self,
        memory: Span | int,
        *,
        engine: Engine = Engine.FAST,
        granule: int = 0,
        poison: bool = False,
    ) -> None:
        super().__init__()
        span = memory if isinstance(memory, Span) else Span(memory)
        self.engine = engine
        self.span = span
        self._spans = [span]
        least = minimum_size(engine, granule=granule)
        options = RegionOptionsStruct(engine, POISON if poison else 0, granule)
        handle: int | None = self._native.hy_region_create(span.address, span.size, options)
        if handle is None:
            raise BadArgumentError("size", span.size, f"must be at least {least} for this engine")
        self._adopt(handle, self._native.hy_region_destroy, self._spans)

    def chain(self, memory: Span | int) -> Span:
        """Add a span. Raises SpanError."""
        span = memory if isinstance(memory, Span) else Span(memory)
        status = self._native.hy_region_chain(self.handle, span.address, span.size)
        self._raise_for(status, span.address, span.end)
        self._spans.append(span)
        return span

    def extend(self, old_end: int, new_end: int) -> None:
        """The span that ended at the address `old_end` ends at `new_end`. Raises SpanError."""
        size_argument("old_end", old_end)
        size_argument("new_end", new_end)
        status = self._native.hy_region_extend(self.handle, old_end, new_end)
        self._raise_for(status, old_end, new_end)

    @staticmethod
    def _raise_for(status: int, start: int, end: int) -> None:
        if status != Status.OK:
            raise SpanError(Status(status), start, end)

    def alloc(self, size: int, *, alignment: int | None = None) -> int:
        """`size` bytes, contents unspecified. Raises OutOfMemoryError.

        `alignment` is passed on as it is: what is no power of two can't be served either.
        """
        size_argument("size", size)
        if alignment is None:
            return _given(self._native.hy_region_alloc(self.handle, size), size)
        size_argument("alignment", alignment)
        block = self._native.hy_region_alloc_aligned(self.handle, alignment, size)
        return _given(block, size)

    def calloc(self, count: int, size: int) -> int:
        """`count` times `size` bytes that read as zero. Raises OutOfMemoryError."""
        size_argument("count", count)
        size_argument("size", size)
        return _given(self._native.hy_region_calloc(self.handle, count, size), count * size)

    def free(self, address: int | None, size: int | None = None) -> None:
        """Give a block back; `size` as it was asked for, which the list engine must know."""
        if size is None:
            self._native.hy_region_free(self.handle, address)
        else:
            size_argument("size", size)
            self._native.hy_region_free_sized(self.handle, address, size)

    def realloc(
        self,
        address: int | None,
        new_size: int,
        *,
        old_size: int | None = None,
        alignment: int = 0,
    ) -> int:
        """The block, of another size. Raises OutOfMemoryError: then it is unchanged.

        The list engine must be told `old_size`; `alignment` is heeded with it only.
        """
        size_argument("new_size", new_size)
        if old_size is None:
            moved = self._native.hy_region_realloc(self.handle, address, new_size)
        else:
            size_argument("old_size", old_size)
            size_argument("alignment", alignment)
            moved = self._native.hy_region_realloc_sized(
                self.handle, address, old_size, alignment, new_size
            )
        return _given(moved, new_size)

    def usable_size(self, address: int | None) -> int:
        """The bytes that the block really has; 0 for None, and always with the list engine."""
        return int(self._native.hy_region_usable_size(self.handle, address))

    def reset(self) -> None:
        """Free all blocks; keep all spans."""
        self._native.hy_region_reset(self.handle)


def _given(address: int | None, size: int) -> int:
    if address is None:
        raise OutOfMemoryError(f"No room for {size} bytes; the region is unchanged.")
    return address
