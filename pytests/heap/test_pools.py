"""Pools: used, full and empty, carved as blocks are handed out, taken from the fullest arena."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import PoolState
from heapyard.block import BlockState
from heapyard.heap import MAX_SMALL
from pytests.heap.verify import counters_of, pool_of, verify
from pytests.support.memory import KERNEL_PAGE, fill, resident_pages

if TYPE_CHECKING:
    from heapyard import Heap, HeapPool
    from pytests.heap.conftest import MakeHeap

SIZES = [16, 48, 512, 1000, 5000]


def fill_pool(heap: Heap, size: int) -> tuple[HeapPool, list[int]]:
    """A pool whose blocks are all live, and these."""
    blocks = [heap.malloc(size)]
    pool = pool_of(heap, blocks[0])
    while len(blocks) < pool.capacity:
        blocks.append(heap.malloc(size))
    return pool_of(heap, blocks[0]), [b for b in blocks if pool.address <= b < pool.end]


@pytest.mark.parametrize("size", SIZES)
def test_a_pool_with_a_live_and_a_free_block_is_used(strict: Heap, size: int) -> None:
    pool = pool_of(strict, strict.malloc(size))
    assert (pool.state, pool.live) == (PoolState.USED, 1)


@pytest.mark.parametrize("size", SIZES)
def test_a_pool_whose_blocks_are_all_live_is_full(strict: Heap, size: int) -> None:
    pool, blocks = fill_pool(strict, size)
    assert (pool.state, pool.live) == (PoolState.FULL, len(blocks))
    assert counters_of(strict).full_pools == 1


@pytest.mark.parametrize("size", SIZES)
def test_a_full_pool_is_used_again_after_one_free(strict: Heap, size: int) -> None:
    _, blocks = fill_pool(strict, size)
    strict.free(blocks[-1])
    assert pool_of(strict, blocks[0]).state == PoolState.USED
    assert counters_of(strict).full_pools == 0
    assert strict.malloc(size) == blocks[-1]
    assert pool_of(strict, blocks[0]).state == PoolState.FULL


@pytest.mark.parametrize("size", SIZES)
def test_a_pool_without_a_live_block_is_kept_empty_or_given_back(strict: Heap, size: int) -> None:
    keep = strict.malloc(200)
    _, blocks = fill_pool(strict, size)
    for block in blocks:
        strict.free(block)
    pools = [pool for pool in strict.walk_pools() if pool.state == PoolState.EMPTY]
    counters = counters_of(strict)
    assert counters.empty_pools == len(pools) <= 1
    assert counters.pools == 1 + len(pools)
    strict.free(keep)


@pytest.mark.parametrize("size", SIZES)
def test_an_empty_pool_serves_the_next_request_of_its_class(strict: Heap, size: int) -> None:
    block = strict.malloc(size)
    strict.free(block)
    assert strict.malloc(size) == block


def test_pools_of_one_class_do_not_serve_another(strict: Heap) -> None:
    pools = {pool_of(strict, strict.malloc(size)).address for size in (16, 17, 33, 600, 700)}
    assert len(pools) == 5


def test_a_pool_given_back_can_serve_another_class(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=256 << 10, strict=True)
    for size in (16, 64, 512, 2000, 30_000):
        blocks = [heap.malloc(size) for _ in range(150_000 // size)]
        for block in blocks:
            heap.free(block)
        heap.trim()
    assert counters_of(heap).peak_mapped_bytes < 1 << 20


@pytest.mark.parametrize("state", ["strict", "cached"])
def test_untouched_pages_of_a_pool_are_not_resident(make_heap: MakeHeap, state: str) -> None:
    heap = make_heap(strict=state == "strict")
    blocks = []
    pools: list[HeapPool] = []
    while not any(pool.size >= 32 << 10 for pool in pools):  # pools grow with the demand
        blocks.append(heap.malloc(64))
        if len(blocks) % 32 == 0:
            pools = heap.walk_pools()
    pool = max(heap.walk_pools(), key=lambda pool: pool.size)
    carved = -(-pool.carved * pool.block_size // KERNEL_PAGE)
    assert carved < pool.size // KERNEL_PAGE
    assert resident_pages(pool.address, pool.size) <= carved


def test_pages_of_no_pool_are_not_resident(heap: Heap) -> None:
    block = heap.malloc(64)
    pool = pool_of(heap, block)
    assert pool.arena is not None
    rest = pool.arena + (4 << 20) - pool.end
    assert resident_pages(pool.end, rest) == 0


def test_the_first_pool_of_a_class_is_small_and_later_ones_grow(strict: Heap) -> None:
    first = pool_of(strict, strict.malloc(64))
    for _ in range(20_000):
        strict.malloc(64)
    sizes = [pool.size for pool in strict.walk_pools()]
    assert first.size < max(sizes) == 64 << 10


@pytest.mark.parametrize("pool_size", [4096, 16384, 65536])
def test_no_pool_is_larger_than_configured(make_heap: MakeHeap, pool_size: int) -> None:
    heap = make_heap(pool_size=pool_size)
    for size in (16, 500, 4000):
        for _ in range(800_000 // size):
            heap.malloc(size)
    assert max(pool.size for pool in heap.walk_pools()) == pool_size


@pytest.mark.usefixtures("exact")
def test_a_class_larger_than_a_pool_has_pools_of_one_block(make_heap: MakeHeap) -> None:
    heap = make_heap(pool_size=4096, strict=True)
    pool = pool_of(heap, heap.malloc(MAX_SMALL // 2))
    assert (pool.capacity, pool.state) == (1, PoolState.FULL)


def fill_arenas(heap: Heap, count: int, size: int = 1024) -> dict[int, list[int]]:
    """The blocks of `count` arenas, by arena, the last of them possibly not full."""
    blocks = []
    while counters_of(heap).arenas < count:
        blocks += [heap.malloc(size) for _ in range(32)]
    arenas: dict[int, list[int]] = {}
    for pool in heap.walk_pools():
        assert pool.arena is not None
        inside = [b for b in blocks if pool.address <= b < pool.end]
        arenas.setdefault(pool.arena, []).extend(inside)
    return arenas


def test_new_pools_come_from_the_fullest_arena_that_has_room(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=256 << 10, strict=True)
    arenas = list(fill_arenas(heap, 4).items())[:3]
    for (_, blocks), share in zip(arenas, (0.9, 0.3, 0.6), strict=True):
        for block in blocks[: int(len(blocks) * share)]:
            heap.free(block)
    heap.trim()
    taken: dict[int, int] = {}
    for pool in heap.walk_pools():
        taken[pool.arena or 0] = taken.get(pool.arena or 0, 0) + pool.size
    (header,) = {run.size for run in heap.walk() if run.state == BlockState.METADATA}
    room = {arena: size for arena, size in taken.items() if size + header < 256 << 10}
    fullest = max(room, key=lambda arena: room[arena])
    before = {pool.address for pool in heap.walk_pools()}
    heap.malloc(48)
    (new,) = [pool for pool in heap.walk_pools() if pool.address not in before]
    assert new.arena == fullest


def test_the_cache_is_counted_as_free_and_emptied_by_a_walk(heap: Heap, cached: bool) -> None:
    blocks = [heap.malloc(64) for _ in range(100)]
    for block in blocks:
        heap.free_sized(block, 64)
    counters = counters_of(heap)
    assert (counters.live_blocks, counters.live_bytes) == (0, 0)
    if cached:
        assert counters.cached_blocks > 0
        assert counters.free_bytes >= 64 * counters.cached_blocks
    heap.walk()
    assert counters_of(heap).cached_blocks == 0


def test_a_strict_heap_has_no_cache(strict: Heap) -> None:
    for block in [strict.malloc(64) for _ in range(100)]:
        strict.free_sized(block, 64)
        assert counters_of(strict).cached_blocks == 0


@pytest.mark.parametrize("size", [16, 64, 500])
def test_any_order_of_frees_leaves_pools_that_add_up(heap: Heap, size: int) -> None:
    blocks = [heap.malloc(size) for _ in range(3000)]
    for block in blocks:
        fill(block, 1, size)
    for step in (7, 5, 3, 2, 1):
        for block in blocks[::step]:
            heap.free_sized(block, size)
        del blocks[::step]
        verify(heap)
    assert counters_of(heap).live_blocks == 0


def test_before_a_heap_grows_beyond_its_highest_the_caches_give_back_their_pages(
    heap: Heap, cached: bool
) -> None:
    if not cached:
        pytest.skip("this build keeps no caches")
    for block in [heap.malloc(1000) for _ in range(60)]:
        heap.free(block)
    assert counters_of(heap).cached_blocks > 10
    for _ in range(1000):
        heap.malloc(200)
    assert all(row.block_size == 208 for row in heap.stats().used_classes if row.pools)
