"""At its highest, a heap uses what it keeps before it touches more: seen by mincore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Purge
from heapyard.heap import good_size
from pytests.heap.verify import counters_of, pool_of, verify
from pytests.support.memory import KERNEL_PAGE, fill, resident_pages

if TYPE_CHECKING:
    from heapyard import Heap
    from pytests.heap.conftest import MakeHeap

ARENA = 4 << 20
KIB = 1 << 10
CLASSES = [good_size(size) for size in range(576, 12_000, 512)]

pytestmark = pytest.mark.usefixtures("exact")


def resident(heap: Heap) -> int:
    """Bytes of its arenas that are in memory."""
    arenas = {pool.arena for pool in heap.walk_pools()}
    return sum(resident_pages(arena, ARENA) for arena in arenas if arena) * KERNEL_PAGE


def use(heap: Heap, size: int, total: int) -> list[int]:
    """Take so many bytes in blocks of one size, and touch each page."""
    blocks = [heap.malloc(size) for _ in range(total // size)]
    for block in blocks:
        fill(block, 1, size)
    return blocks


def test_phases_of_many_classes_take_no_more_than_the_largest(make_heap: MakeHeap) -> None:
    """Each class leaves blocks in its cache, and kept a pool: 26 times 80 KiB and more."""
    heap = make_heap()
    heap.malloc(16)
    for size in CLASSES:
        for block in use(heap, size, 600 * KIB):
            heap.free(block)
    last = use(heap, CLASSES[0], 600 * KIB)
    assert resident(heap) <= 600 * KIB * 1.25 + 128 * KIB
    assert len(last) * CLASSES[0] <= counters_of(heap).live_bytes


def test_gaps_between_live_pools_are_filled_before_more_is_touched(make_heap: MakeHeap) -> None:
    heap = make_heap(strict=True, purge=Purge.ON_TRIM)
    blocks = use(heap, 4096, 1024 * KIB)
    for number in range(0, len(blocks), 8):
        for block in blocks[number : number + 4]:
            heap.free(block)
    before = resident(heap)
    use(heap, 1024, 256 * KIB)
    assert resident(heap) <= before + 48 * KIB
    verify(heap)


def test_pages_that_are_partly_dirty_go_before_those_that_are_not(make_heap: MakeHeap) -> None:
    """A run of 100 KiB fits nowhere that is dirty; the least is touched beside what is."""
    heap = make_heap(strict=True, purge=Purge.ON_TRIM)
    low, dirty, high = (heap.malloc(size * KIB) for size in (120, 80, 80))
    for block, size in ((low, 0), (dirty, 80), (high, 0)):
        fill(block, 1, size * KIB)
    heap.free(low)
    heap.free(dirty)
    run = heap.malloc(200 * KIB)
    heap.free(run)
    heap.trim()
    first = pool_of(heap, high).arena
    assert first is not None
    fill(high, 1, 80 * KIB)
    before = resident_pages(first, ARENA)
    heap.free(high)
    again = heap.malloc(84 * KIB)
    fill(again, 1, 84 * KIB)
    assert resident_pages(first, ARENA) <= before + 2


def test_what_no_class_can_use_goes_when_the_heap_grows(make_heap: MakeHeap) -> None:
    """Gaps of one page serve no block of 16 KiB: as much as is touched is given back."""
    heap = make_heap(strict=True, purge_threshold=64 << 20)
    blocks = use(heap, 4096, 2048 * KIB)
    for block in blocks[::2]:
        heap.free(block)
    before = resident(heap)
    use(heap, 16 * KIB, 1024 * KIB)
    assert resident(heap) <= before * 1.1 + 64 * KIB
    verify(heap)


def test_a_heap_below_its_highest_purges_nothing(make_heap: MakeHeap) -> None:
    heap = make_heap()
    keep = use(heap, 1024, 3 << 20)
    for block in keep[: len(keep) // 2]:
        heap.free(block)
    purges = counters_of(heap).purges
    for _ in range(20):
        for block in use(heap, 2048, 1 << 20):
            heap.free(block)
    assert counters_of(heap).purges <= purges + 1


def test_trim_forgets_the_highest(make_heap: MakeHeap) -> None:
    """After trim, gaps that serve nothing go again long before the old highest is reached."""
    heap = make_heap(strict=True, purge_threshold=64 << 20)
    for block in use(heap, 1024, 8 << 20):
        heap.free(block)
    heap.trim()
    blocks = use(heap, 4096, 1024 * KIB)
    for block in blocks[::2]:
        heap.free(block)
    use(heap, 16 * KIB, 512 * KIB)
    assert counters_of(heap).dirty_bytes <= 128 * KIB
