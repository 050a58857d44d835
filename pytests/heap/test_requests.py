"""Requests: sizes, alignment, contents, zeroing, and sizes that can't be."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from heapyard.errors import OutOfMemoryError
from heapyard.heap import FINE_CLASSES, MAX_ALIGNMENT, MAX_SMALL, good_size
from pytests.heap.verify import counters_of
from pytests.support.memory import fill, is_zero, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard import Heap
    from pytests.heap.conftest import MakeHeap

ALIGNMENTS = [1 << n for n in range(21)]
SIZES = [0, 1, 15, 16, 17, 512, 513, 1000, 4096, 8200, 32768, 32769, 100_000, 600_000, 3_000_000]
IMPOSSIBLE = [2**64 - n for n in (1, 7, 8, 9, 15, 16, 17, 4096, 2**20)] + [2**63, 2**63 - 1, 2**62]


@pytest.mark.parametrize("size", SIZES)
def test_blocks_do_not_overlap_and_keep_their_contents(heap: Heap, size: int) -> None:
    blocks = [heap.malloc(size) for _ in range(20)]
    for number, block in enumerate(blocks):
        assert block % 16 == 0
        fill(block, number, size)
    for low, high in pairwise(sorted(blocks)):
        assert high - low >= max(size, 1)
    for number, block in enumerate(blocks):
        assert read(block, size) == bytes([number]) * size


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("size", SIZES)
def test_block_is_aligned_as_asked_and_at_least_to_16(
    heap: Heap, size: int, alignment: int
) -> None:
    heap.malloc(1)
    for _ in range(3):
        address = heap.aligned_alloc(alignment, size)
        assert address % max(alignment, 16) == 0
        fill(address, 0xCC, size)
        assert heap.usable_size(address) >= size
    heap.free_aligned_sized(address, alignment, size)


def test_zero_bytes_have_a_distinct_address_each(heap: Heap) -> None:
    blocks = [heap.malloc(0) for _ in range(1000)]
    assert len(set(blocks)) == 1000


@pytest.mark.parametrize("size", range(1, 3000, 7))
def test_a_block_is_at_most_an_eighth_or_15_bytes_larger_than_asked_for(size: int) -> None:
    assert size <= good_size(size) <= max(size + 15, size * 1.125)


@pytest.mark.parametrize("size", [1, 16, 512, 513, 5000, MAX_SMALL, MAX_SMALL + 1, 5_000_000])
def test_usable_size_is_the_good_size(heap: Heap, size: int, annotated: bool) -> None:
    expected = size if annotated else good_size(size)
    assert heap.usable_size(heap.malloc(size)) == expected


def test_fine_classes_are_multiples_of_16() -> None:
    sizes = {good_size(size) for size in range(1, 16 * FINE_CLASSES + 1)}
    assert sizes == {16 * n for n in range(1, FINE_CLASSES + 1)}


def test_usable_size_of_nothing_is_0(heap: Heap) -> None:
    assert heap.usable_size(None) == 0


@pytest.mark.parametrize("alignment", [16, 4096, MAX_ALIGNMENT])
@pytest.mark.parametrize("size", IMPOSSIBLE)
def test_size_that_cannot_be_is_refused_and_changes_nothing(
    heap: Heap, size: int, alignment: int
) -> None:
    block = heap.malloc(8)
    walk = heap.walk()
    calls: list[Callable[[], int]] = [
        lambda: heap.malloc(size),
        lambda: heap.calloc(1, size),
        lambda: heap.realloc(block, size),
        lambda: heap.aligned_alloc(alignment, size),
    ]
    for call in calls:
        with pytest.raises(OutOfMemoryError):
            call()
    assert heap.walk() == walk
    assert counters_of(heap).failures == 4


@pytest.mark.parametrize(
    ("count", "size"),
    [(2**32, 2**32), (2**63, 2), (3, 2**63), (2**64 - 1, 2**64 - 1), (2**33, 2**31 + 1)],
)
def test_product_that_overflows_is_refused(heap: Heap, count: int, size: int) -> None:
    with pytest.raises(OutOfMemoryError):
        heap.calloc(count, size)
    assert counters_of(heap).failures == 1


@pytest.mark.parametrize("size", [n for n in SIZES if n])
def test_zeroed_memory_is_zero_when_fresh_and_when_reused(heap: Heap, size: int) -> None:
    for _ in range(3):
        blocks = [heap.calloc(1, size) for _ in range(4)]
        for block in blocks:
            assert is_zero(block, size)
            fill(block, 0xFF, size)
        for block in blocks:
            heap.free_sized(block, size)


@pytest.mark.parametrize("size", [40, 4000, 40_000, 400_000])
def test_zeroed_memory_is_zero_after_trim(make_heap: MakeHeap, size: int) -> None:
    heap = make_heap(arena_size=1 << 20)
    blocks = [heap.malloc(size) for _ in range(20)]
    for block in blocks:
        fill(block, 0xFF, size)
    for block in blocks[1:]:
        heap.free(block)
    heap.trim()
    assert all(is_zero(heap.calloc(1, size), size) for _ in range(20))


def test_requests_and_frees_are_counted(heap: Heap) -> None:
    small, big, aligned = heap.malloc(20), heap.malloc(100_000), heap.aligned_alloc(4096, 5)
    heap.free(heap.calloc(3, 7))
    heap.free_sized(small, 20)
    heap.free(None)
    counters = counters_of(heap)
    assert (counters.allocs, counters.frees, counters.live_blocks) == (4, 2, 2)
    heap.free(big)
    heap.free_aligned_sized(aligned, 4096, 5)
    counters = counters_of(heap)
    assert (counters.allocs, counters.frees, counters.live_bytes) == (4, 4, 0)


def test_two_heaps_share_no_block(make_heap: MakeHeap) -> None:
    one, two = make_heap(), make_heap()
    block = one.malloc(100)
    assert one.contains(block)
    assert not two.contains(block)


def test_freed_memory_serves_the_next_request_of_its_size(heap: Heap, annotated: bool) -> None:
    block = heap.malloc(100)
    heap.free_sized(block, 100)
    if not annotated:
        assert heap.malloc(100) == block


@pytest.mark.parametrize("small", [64, 1000, 9000])
@pytest.mark.parametrize("size", [24_576, 35_208, 73_728, 200_000])
def test_zeroed_memory_is_zero_where_pools_were(make_heap: MakeHeap, small: int, size: int) -> None:
    # Pools touch some of their pages; a run of pages later lies over both kinds.
    heap = make_heap(arena_size=4 << 20, strict=True)
    for count in (10, 100, 400):
        blocks = [heap.malloc(small) for _ in range(count)]
        for block in blocks:
            fill(block, 0xFF, small)
        for block in blocks:
            heap.free(block)
        zeroed = [heap.calloc(1, size) for _ in range(4)]
        assert all(is_zero(block, size) for block in zeroed)
        for block in zeroed[1:]:
            heap.free(block)
