"""Bad arguments are refused with value, bound and remedy, before C is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heapyard import FaultyPages, Heap, MmapPages
from heapyard.errors import BadArgumentError, ClosedError, OutOfMemoryError
from heapyard.heap import good_size

if TYPE_CHECKING:
    from collections.abc import Callable

BAD_OPTIONS: list[tuple[str, Any, str]] = [
    ("arena_size", 100, "must be a power of two from 262144 to 67108864, or 0 for the default"),
    ("arena_size", 3 << 20, "must be a power of two"),
    ("arena_size", 128 << 10, "must be a power of two"),
    ("arena_size", 128 << 20, "must be a power of two"),
    ("arena_size", -1, "must be a power of two"),
    ("pool_size", 2048, "must be a power of two from 4096 to 65536, or 0 for the default"),
    ("pool_size", 12288, "must be a power of two"),
    ("pool_size", 128 << 10, "must be a power of two"),
    ("purge", 3, "must be one of THRESHOLD, AT_ONCE, ON_TRIM of heapyard.heap.Purge"),
    ("purge_threshold", -1, "must be from 0 to 18446744073709551615"),
    ("purge_threshold", 2**64, "must be from 0 to 18446744073709551615"),
    ("arenas_kept", -1, "must be from 0 to 4294967294, or None for the default"),
    ("arenas_kept", 2**32 - 1, "must be from 0 to 4294967294"),
]

BAD_CALLS: list[tuple[str, Callable[[Heap], object], str]] = [
    ("malloc", lambda h: h.malloc(-1), "Invalid size=-1: must be from 0 to"),
    ("malloc_huge", lambda h: h.malloc(2**64), f"Invalid size={2**64}: must be from 0 to"),
    ("calloc_count", lambda h: h.calloc(-1, 1), "Invalid count=-1"),
    ("calloc_size", lambda h: h.calloc(1, -1), "Invalid size=-1"),
    ("realloc", lambda h: h.realloc(None, -1), "Invalid size=-1"),
    ("aligned_0", lambda h: h.aligned_alloc(0, 1), "Invalid alignment=0: must be a power of two"),
    ("aligned_3", lambda h: h.aligned_alloc(3, 1), "Invalid alignment=3: must be a power of two"),
    ("aligned_2m", lambda h: h.aligned_alloc(2 << 20, 1), "power of two from 1 to 1048576"),
    ("aligned_size", lambda h: h.aligned_alloc(16, -1), "Invalid size=-1"),
    ("free_sized", lambda h: h.free_sized(None, -1), "Invalid size=-1"),
    ("free_aligned", lambda h: h.free_aligned_sized(None, 24, 1), "Invalid alignment=24"),
]


@pytest.mark.parametrize(("name", "value", "bound"), BAD_OPTIONS)
def test_bad_option_is_refused_by_name(name: str, value: Any, bound: str) -> None:
    with pytest.raises(BadArgumentError, match=f"Invalid {name}={value}: {bound}"):
        Heap(**{name: value})


def test_huge_pages_need_the_default_source() -> None:
    with pytest.raises(BadArgumentError, match="Invalid huge_pages=True: must be False with a"):
        Heap(source=FaultyPages(), huge_pages=True)
    with Heap(source=MmapPages(), huge_pages=True) as heap:
        assert heap.contains(heap.malloc(100))


@pytest.mark.parametrize("call", BAD_CALLS, ids=[name for name, _, _ in BAD_CALLS])
def test_bad_argument_is_refused_by_name(
    heap: Heap, call: tuple[str, Callable[[Heap], object], str]
) -> None:
    with pytest.raises(BadArgumentError, match=call[2]):
        call[1](heap)


def test_a_closed_heap_says_so() -> None:
    heap = Heap()
    heap.close()
    heap.close()
    with pytest.raises(ClosedError, match="This heap is closed: make another"):
        heap.malloc(1)


def test_a_heap_without_pages_for_itself_is_out_of_memory() -> None:
    source = FaultyPages()
    source.fail_at(1)
    with pytest.raises(OutOfMemoryError, match="heap's own data"):
        Heap(source=source)
    assert source.counts.mapped_bytes == 0


def test_good_size_of_what_cannot_be_is_0() -> None:
    assert good_size(2**63) == 0
    assert good_size(2**64 - 1) == 0
    with pytest.raises(BadArgumentError, match="Invalid size=-1"):
        good_size(-1)
