"""Blocks above 64 KiB: runs of pages in an arena, or mappings of their own; owned by the heap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import FaultyPages, Heap, PoolState
from heapyard.heap import CLASSES, MAX_SMALL
from pytests.heap.verify import counters_of, pool_of, verify
from pytests.support.memory import KERNEL_PAGE, fill, is_mapped, is_zero, resident_pages

if TYPE_CHECKING:
    from pytests.heap.conftest import MakeHeap

RUN = 100_000
LARGE = 3_000_000


def test_a_block_above_32_kib_is_a_run_of_pages_in_an_arena(heap: Heap) -> None:
    block = heap.malloc(MAX_SMALL + 1)
    pool = pool_of(heap, block)
    assert (pool.state, pool.size_class, pool.address) == (PoolState.BLOCK, CLASSES, block)
    assert pool.arena is not None
    counters = counters_of(heap)
    assert (counters.page_runs, counters.large_blocks, counters.pools) == (1, 0, 0)


def test_a_block_above_an_eighth_of_an_arena_is_mapped_alone(
    heap: Heap, source: FaultyPages
) -> None:
    maps = source.counts.maps
    block = heap.malloc((4 << 20) // 8 + 1)
    pool = pool_of(heap, block)
    assert (pool.state, pool.arena, pool.address) == (PoolState.BLOCK, None, block)
    counters = counters_of(heap)
    assert (counters.page_runs, counters.large_blocks, counters.arenas) == (0, 1, 0)
    assert source.counts.maps - maps <= 2  # one may hold records


@pytest.mark.parametrize("size", [RUN, LARGE], ids=["run", "large"])
def test_the_heap_owns_it(heap: Heap, size: int) -> None:
    block = heap.malloc(size)
    fill(block, 0x77, size)
    assert heap.contains(block)
    assert heap.contains(block + size - 1)
    assert counters_of(heap).live_bytes >= size
    heap.free(block)
    assert counters_of(heap).live_bytes == 0


@pytest.mark.parametrize("size", [RUN, LARGE], ids=["run", "large"])
def test_it_is_destroyed_with_the_heap(source: FaultyPages, size: int) -> None:
    heap = Heap(source=source)
    blocks = [heap.malloc(size) for _ in range(20)]
    heap.close()
    assert source.counts.mapped_bytes == 0
    assert [block for block in blocks if is_mapped(block, 4096)] == []


@pytest.mark.parametrize("size", [RUN, LARGE], ids=["run", "large"])
def test_many_of_them_are_freed_in_any_order(heap: Heap, size: int) -> None:
    blocks = [heap.malloc(size + 4096 * n) for n in range(40)]
    for step in (3, 2, 1):
        for block in blocks[::step]:
            heap.free(block)
        del blocks[::step]
        verify(heap)
    assert counters_of(heap).live_blocks == 0


def test_the_waste_of_a_large_block_is_less_than_a_page(heap: Heap) -> None:
    for size in (MAX_SMALL + 1, RUN, LARGE, LARGE + 4097):
        block = heap.malloc(size)
        assert size <= pool_of(heap, block).size < size + 2 * 4096


def test_runs_and_pools_share_an_arena(heap: Heap) -> None:
    arenas = {pool_of(heap, heap.malloc(size)).arena for size in (16, RUN, 5000, 2 * RUN)}
    assert len(arenas) == 1


def test_a_freed_run_leaves_pages_for_pools(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=1 << 20)
    runs = [heap.malloc(60_000) for _ in range(14)]
    assert counters_of(heap).arenas == 1
    for block in runs:
        heap.free(block)
    for _ in range(800):
        heap.malloc(1000)
    assert counters_of(heap).arenas == 1


@pytest.mark.parametrize("size", [RUN, LARGE], ids=["run", "large"])
def test_fresh_pages_are_not_cleared_again(heap: Heap, size: int) -> None:
    block = heap.calloc(1, size)
    assert resident_pages(block, size // KERNEL_PAGE * KERNEL_PAGE) == 0
    assert is_zero(block, size)


@pytest.mark.parametrize("alignment", [1 << n for n in range(5, 21)])
def test_an_aligned_request_that_fits_is_served_by_an_arena(heap: Heap, alignment: int) -> None:
    heap.malloc(1)
    block = heap.aligned_alloc(alignment, 64)
    assert block % alignment == 0
    assert pool_of(heap, block).arena is not None
    counters = counters_of(heap)
    assert (counters.large_blocks, counters.arenas) == (0, 1)


@pytest.mark.parametrize("alignment", [32, 64, 256, 1024, 4096])
def test_a_small_aligned_request_comes_from_a_pool_of_a_class(heap: Heap, alignment: int) -> None:
    blocks = [heap.aligned_alloc(alignment, 24) for _ in range(8)]
    assert {pool_of(heap, block).state for block in blocks} <= {PoolState.USED, PoolState.FULL}
    assert len({pool_of(heap, block).address for block in blocks}) <= 8 * alignment // 4096 + 1


@pytest.mark.usefixtures("exact")
def test_map_calls_of_large_blocks_are_bounded_where_they_come_and_go(
    heap: Heap, source: FaultyPages
) -> None:
    heap.free(heap.malloc(LARGE))
    maps = source.counts.maps
    for _ in range(200):
        heap.free(heap.malloc(LARGE))
    assert source.counts.maps - maps <= 20
