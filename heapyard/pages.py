"""Page sources: where the allocators get their memory.

`MmapPages` asks the kernel, `BufferPages` hands out a buffer and never calls the kernel,
`FaultyPages` passes on to another source, counts, and fails on purpose. Addresses are ints.
"""

from __future__ import annotations

import ctypes
import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard._arguments import SIZE_MAX, alignment_argument, size_argument
from heapyard._native.library import library
from heapyard._native.prototypes.pages import BufferStruct, FaultyStruct, PageSourceStruct
from heapyard.errors import BadArgumentError, CheckFailedError, OutOfMemoryError

if TYPE_CHECKING:
    PageSourcePointer = ctypes._Pointer[PageSourceStruct]

__all__ = ["PAGE_SIZE", "BufferPages", "FaultyPages", "MmapPages", "PageCounts", "PageSource"]

PAGE_SIZE = 4096
"""HY_PAGE_SIZE: the unit of every page source, in bytes."""


class PageSource:
    """A table {map, unmap, purge, resize, move}. The allocators that use it keep it alive."""

    def __init__(self, pointer: PageSourcePointer) -> None:
        self.pointer = pointer

    @property
    def can_purge(self) -> bool:
        """Whether the source can drop the contents of pages that stay mapped."""
        return bool(self.pointer.contents.purge)

    @property
    def can_resize(self) -> bool:
        """Whether the source can make a mapping longer or shorter where it is."""
        return bool(self.pointer.contents.resize)

    @property
    def can_move(self) -> bool:
        """Whether the source can move contents to another mapping without a copy."""
        return bool(self.pointer.contents.move)

    def map(self, size: int, *, alignment: int = PAGE_SIZE) -> int:
        """`size` bytes of zeroed pages. Raises OutOfMemoryError where the source has none."""
        _whole_pages("size", size)
        alignment_argument("alignment", alignment, least=PAGE_SIZE, most=2**62)
        source = self.pointer.contents
        address: int | None = source.map(source.context, size, alignment)
        if address is None:
            raise OutOfMemoryError(f"No {size} bytes of pages at an alignment of {alignment}.")
        return address

    def unmap(self, address: int, size: int) -> None:
        """Give back what `map` returned, whole."""
        source = self.pointer.contents
        source.unmap(source.context, address, _whole_pages("size", size))

    def purge(self, address: int, size: int) -> int:
        """Drop the contents of whole pages: they read as zero. Returns the bytes given back."""
        source = self.pointer.contents
        if not source.purge:
            raise BadArgumentError("source", self, "can't purge; see can_purge")
        given: int = source.purge(source.context, address, _whole_pages("size", size))
        return given

    def resize(self, address: int, old_size: int, new_size: int) -> bool:
        """Make a mapping longer or shorter at its end; False, with no effect, if it can't be."""
        source = self.pointer.contents
        if not source.resize:
            raise BadArgumentError("source", self, "can't resize; see can_resize")
        _whole_pages("old_size", old_size)
        _whole_pages("new_size", new_size)
        return bool(source.resize(source.context, address, old_size, new_size))

    def move(self, address: int, size: int, to: int) -> None:
        """Give a mapping back; its contents are those of `to`, just mapped, from now on."""
        source = self.pointer.contents
        if not source.move:
            raise BadArgumentError("source", self, "can't move; see can_move")
        source.move(source.context, address, _whole_pages("size", size), to)


def _whole_pages(name: str, size: int) -> int:
    if size <= 0 or size % PAGE_SIZE:
        raise BadArgumentError(name, size, f"must be a multiple of {PAGE_SIZE}, and not 0")
    return size_argument(name, size)


class MmapPages(PageSource):
    """Anonymous private mappings of the kernel; one source is shared by all."""

    def __init__(self) -> None:
        super().__init__(library().hy_pages_mmap())


class BufferPages(PageSource):
    """Pages out of a buffer: a new one of `size` bytes, or a writable object that is given.

    Of an object that is not page-aligned, only its whole pages are used.
    """

    def __init__(self, memory: int | bytearray | mmap.mmap | memoryview) -> None:
        if isinstance(memory, int):
            if not PAGE_SIZE <= memory <= SIZE_MAX:
                raise BadArgumentError("memory", memory, f"must be from {PAGE_SIZE} to {SIZE_MAX}")
            memory = mmap.mmap(-1, memory)
        view = memoryview(memory).cast("B")
        self._memory = (ctypes.c_char * len(view)).from_buffer(view)
        self._state = BufferStruct()
        pointer = library().hy_pages_buffer_init(self._state, self._memory, len(view))
        if not pointer:
            raise BadArgumentError("memory", len(view), f"must hold a whole page of {PAGE_SIZE}")
        super().__init__(pointer)

    @property
    def first(self) -> int:
        """The address of the first whole page."""
        return int(self._state.first)

    @property
    def capacity(self) -> int:
        """Bytes in whole pages."""
        return int(self._state.capacity)

    @property
    def used(self) -> int:
        """Bytes mapped now."""
        return int(self._state.used)

    @property
    def peak(self) -> int:
        """The most that `used` has been."""
        return int(self._state.peak)

    @property
    def failures(self) -> int:
        """Requests that found no room."""
        return int(self._state.failures)

    def check(self) -> None:
        """Verify the free runs. Raises CheckFailedError."""
        native = library()
        found = native.hy_pages_buffer_check(self._state)
        if found.code:
            text = native.hy_pages_buffer_check_text(found.code).decode()
            raise CheckFailedError("pages", found.code, text, found.address or 0)


@dataclass(frozen=True, slots=True)
class PageCounts:
    """What a FaultyPages has counted; the fields are those of hy_pages_faulty."""

    requests: int
    maps: int
    unmaps: int
    purges: int
    resizes: int
    refused: int
    mapped_bytes: int
    peak_bytes: int
    total_bytes: int
    unmapped_bytes: int
    purged_bytes: int


class FaultyPages(PageSource):
    """Passes on to `inner` (default: the kernel), counts, and refuses what it is told to."""

    def __init__(self, inner: PageSource | None = None) -> None:
        self.inner = inner
        self._state = FaultyStruct()
        pointer = inner.pointer if inner is not None else None
        super().__init__(library().hy_pages_faulty_init(self._state, pointer))

    def fail_at(self, k: int) -> None:
        """Refuse the k-th map request from now on (1: the next), and only that. 0: none."""
        library().hy_pages_faulty_fail_at(self._state, size_argument("k", k))

    def fail_from(self, k: int) -> None:
        """Refuse the k-th map request from now on (1: the next) and all after it. 0: none."""
        library().hy_pages_faulty_fail_from(self._state, size_argument("k", k))

    @property
    def counts(self) -> PageCounts:
        """What was counted so far."""
        return PageCounts(*(getattr(self._state, name) for name in PageCounts.__slots__))
