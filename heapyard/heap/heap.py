"""A general allocator: size classes, pools and arenas behind a handle.

    with Heap() as heap:
        address = heap.malloc(24)
        heap.free(address)
        print(heap.stats())

Addresses are ints. What each call promises stands in <heapyard/heap.h>. Misuse is reported by the
native library, which aborts the process unless `heapyard.misuse.recorded_misuse` is in force.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from heapyard._allocator import NativeAllocator
from heapyard._arguments import alignment_argument, size_argument
from heapyard._native.library import library
from heapyard._native.prototypes.heap import (
    HeapClassStatsStruct,
    HeapConfigStruct,
    HeapCountersStruct,
    HeapPoolFunction,
    HeapPoolStruct,
)
from heapyard.counters import HeapCounters
from heapyard.errors import BadArgumentError, OutOfMemoryError
from heapyard.heap.constants import (
    CLASSES,
    MAX_ALIGNMENT,
    MAX_ARENA_SIZE,
    MAX_POOL_SIZE,
    MIN_ARENA_SIZE,
    Purge,
)
from heapyard.heap.map import HeapMap
from heapyard.heap.pools import HeapPool
from heapyard.heap.stats import HeapClassStats, HeapStats
from heapyard.pages import PAGE_SIZE, MmapPages

if TYPE_CHECKING:
    from heapyard.pages import PageSource

__all__ = ["Heap", "good_size"]

_STRICT = 1
_HUGE_PAGES = {None: 0, True: 2, False: 4}
_MOST_KEPT = 2**32 - 2  # C has 0 for the default, and one more than what is kept for the rest


class Heap(NativeAllocator[HeapCounters]):
    """A heap of its own. Sizes are in bytes; 0, and None for `arenas_kept`, is the default.

    `pool_size` is the largest size of a pool; `arenas_kept` is how many empty arenas stay mapped.
    `strict` does without caches: each free is checked at once. `huge_pages`: ask for them from the
    first arena on (True: with the default source only), never (False), or (None) in arenas mapped
    when the heap has 64 MiB. `close` gives all memory back, live blocks included.
    """

    part = "heap"
    counters_struct = HeapCountersStruct
    counters_class = HeapCounters

    def __init__(  # noqa: PLR0913  # each by its name
        self,
        *,
        source: PageSource | None = None,
        arena_size: int = 0,
        pool_size: int = 0,
        purge: Purge = Purge.THRESHOLD,
        purge_threshold: int = 0,
        arenas_kept: int | None = None,
        strict: bool = False,
        huge_pages: bool | None = None,
    ) -> None:
        super().__init__()
        _power_or_default("arena_size", arena_size, MIN_ARENA_SIZE, MAX_ARENA_SIZE)
        _power_or_default("pool_size", pool_size, PAGE_SIZE, MAX_POOL_SIZE)
        if huge_pages not in _HUGE_PAGES or isinstance(huge_pages, int) != isinstance(
            huge_pages, bool
        ):
            raise BadArgumentError("huge_pages", huge_pages, "must be True, False or None")
        if huge_pages and not (source is None or isinstance(source, MmapPages)):
            bound = "must be False with a page source of one's own; leave one of the two out"
            raise BadArgumentError("huge_pages", huge_pages, bound)
        config = HeapConfigStruct(
            ctypes.sizeof(HeapConfigStruct),
            source.pointer if source is not None else None,
            arena_size,
            pool_size,
            size_argument("purge_threshold", purge_threshold),
            _kept(arenas_kept),
            _purge(purge),
            (_STRICT if strict else 0) | _HUGE_PAGES[huge_pages],
            0,
        )
        handle: int | None = self._native.hy_heap_new(config)
        if handle is None:
            raise OutOfMemoryError("No pages for a heap's own data.")
        self._adopt(handle, self._native.hy_heap_delete, source)

    def malloc(self, size: int) -> int:
        """`size` bytes, contents unspecified. Raises OutOfMemoryError."""
        size_argument("size", size)
        return _given(self._native.hy_heap_malloc(self.handle, size), size)

    def calloc(self, count: int, size: int) -> int:
        """`count` times `size` bytes that read as zero. Raises OutOfMemoryError."""
        size_argument("count", count)
        size_argument("size", size)
        return _given(self._native.hy_heap_calloc(self.handle, count, size), count * size)

    def aligned_alloc(self, alignment: int, size: int) -> int:
        """`size` bytes at a multiple of `alignment`. Raises OutOfMemoryError."""
        alignment_argument("alignment", alignment, least=1, most=MAX_ALIGNMENT)
        size_argument("size", size)
        return _given(self._native.hy_heap_aligned_alloc(self.handle, alignment, size), size)

    def realloc(self, address: int | None, size: int) -> int:
        """The block, of another size. Raises OutOfMemoryError: then it is unchanged."""
        size_argument("size", size)
        return _given(self._native.hy_heap_realloc(self.handle, address, size), size)

    def free(self, address: int | None) -> None:
        """Give a block back; None is allowed."""
        self._native.hy_heap_free(self.handle, address)

    def free_sized(self, address: int | None, size: int) -> None:
        """Give back a block of malloc, calloc or realloc whose size, as asked for, is known."""
        size_argument("size", size)
        self._native.hy_heap_free_sized(self.handle, address, size)

    def free_aligned_sized(self, address: int | None, alignment: int, size: int) -> None:
        """Give back a block of `aligned_alloc` with both values that it was asked for with."""
        alignment_argument("alignment", alignment, least=1, most=MAX_ALIGNMENT)
        size_argument("size", size)
        self._native.hy_heap_free_aligned_sized(self.handle, address, alignment, size)

    def usable_size(self, address: int | None) -> int:
        """The bytes of the block that may be used; 0 for None."""
        return int(self._native.hy_heap_usable_size(self.handle, address))

    def trim(self) -> int:
        """Give back all that can be given back. Returns the bytes given back to the system."""
        return int(self._native.hy_heap_trim(self.handle))

    def walk_pools(self) -> list[HeapPool]:
        """The pools and large blocks, by address. Empties the caches first."""
        pools: list[HeapPool] = []

        def visit(_context: int | None, pool: ctypes._Pointer[HeapPoolStruct]) -> int:
            pools.append(HeapPool.read(pool.contents))
            return 0

        self._native.hy_heap_walk_pools(self.handle, HeapPoolFunction(visit), None)
        return pools

    def stats(self) -> HeapStats:
        """The counters, and a row for each size class."""
        rows = (HeapClassStatsStruct * CLASSES)()
        self._native.hy_heap_stats(self.handle, rows, CLASSES)
        return HeapStats(self.counters(), tuple(map(HeapClassStats.read, rows)))

    def map(self) -> HeapMap:
        """The pools and blocks, to be drawn: `print(heap.map())`, `heap.map().svg()`."""
        return HeapMap.of(self.walk(), self.walk_pools())


def good_size(size: int) -> int:
    """The usable size of what `Heap.malloc(size)` would give; 0 where there is no such block."""
    return int(library().hy_heap_good_size(size_argument("size", size)))


def _power_or_default(name: str, value: int, least: int, most: int) -> None:
    if value and (not least <= value <= most or value & (value - 1)):
        bound = f"must be a power of two from {least} to {most}, or 0 for the default"
        raise BadArgumentError(name, value, bound)


def _purge(value: Purge) -> Purge:
    try:
        return Purge(value)
    except ValueError:
        bound = f"must be one of {', '.join(map(str, Purge.__members__))} of heapyard.heap.Purge"
        raise BadArgumentError("purge", value, bound) from None


def _kept(arenas: int | None) -> int:
    if arenas is None:
        return 0
    if not 0 <= arenas <= _MOST_KEPT:
        bound = f"must be from 0 to {_MOST_KEPT}, or None for the default"
        raise BadArgumentError("arenas_kept", arenas, bound)
    return arenas + 1


def _given(address: int | None, size: int) -> int:
    if address is None:
        raise OutOfMemoryError(f"No memory for {size} bytes; the heap is unchanged.")
    return address
