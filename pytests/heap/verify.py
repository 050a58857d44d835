"""What must hold of a heap after every call."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from heapyard.block import Block, BlockState
from heapyard.heap import CLASSES, Heap, HeapPool, PoolState
from pytests.support.accounting import NAMES, counters_of

if TYPE_CHECKING:
    from heapyard.counters import HeapCounters

__all__ = ["counters_of", "pool_of", "verify"]


def pool_of(heap: Heap, address: int) -> HeapPool:
    """The pool that holds the address."""
    return next(pool for pool in heap.walk_pools() if pool.address <= address < pool.end)


def verify(heap: Heap) -> None:
    """Its own check, the order of its walks, and the identities of its counters."""
    before = heap.counters()
    heap.check()
    runs, pools = heap.walk(), heap.walk_pools()
    assert all(low.end <= high.address for low, high in itertools.pairwise(runs))
    assert all(low.end <= high.address for low, high in itertools.pairwise(pools))
    verify_pools(runs, pools)
    counters = heap.counters()
    if before is None or counters is None:
        return
    verify_counters(before)
    verify_counters(counters)
    assert counters.cached_blocks == 0, "walks empty the caches"
    assert (before.live_blocks, before.live_bytes) == (counters.live_blocks, counters.live_bytes)
    verify_bytes(counters, runs)
    assert counters.live_blocks == sum(run.state == BlockState.LIVE for run in runs)
    verify_pool_counts(counters, pools)
    verify_stats(heap, counters)


def verify_pools(runs: list[Block], pools: list[HeapPool]) -> None:
    """What each pool says of its blocks is what the walk shows."""
    live = [run for run in runs if run.state == BlockState.LIVE]
    place = 0
    for pool in pools:
        inside = 0
        while place < len(live) and live[place].address < pool.end:
            assert live[place].address >= pool.address, "a live block outside all pools"
            inside, place = inside + 1, place + 1
        assert inside == pool.live, str(pool)
        verify_pool(pool)
    assert place == len(live), "a live block behind all pools"


def verify_pool(pool: HeapPool) -> None:
    """Its figures fit each other and its state."""
    assert 0 <= pool.live <= pool.carved <= pool.capacity, str(pool)
    assert pool.size % 4096 == 0
    assert pool.address % 4096 == 0
    assert pool.capacity * pool.block_size <= pool.size
    assert pool.arena is None or pool.arena < pool.address
    if pool.state == PoolState.BLOCK:
        assert (pool.size_class, pool.live, pool.capacity) == (CLASSES, 1, 1)
    else:
        assert pool.size_class < CLASSES
        full, empty = pool.live == pool.capacity, pool.live == 0
        state = PoolState.FULL if full else PoolState.EMPTY if empty else PoolState.USED
        assert pool.state == state, str(pool)


def verify_counters(counters: HeapCounters) -> None:
    """What must hold between the counters themselves."""
    table = counters.table()
    parts = (getattr(counters, name) for name in NAMES.values())
    assert sum(parts) == counters.mapped_bytes, table
    assert counters.mapped_bytes <= counters.peak_mapped_bytes, table
    assert counters.allocs - counters.frees == counters.live_blocks, table
    assert counters.in_place <= counters.reallocs, table
    assert counters.dirty_bytes <= counters.unused_bytes, table
    assert counters.maps >= counters.unmaps, table


def verify_bytes(counters: HeapCounters, runs: list[Block]) -> None:
    """The walk shows what is counted, but for the heap's own pages and mappings kept as spares."""
    shown = {state: sum(run.size for run in runs if run.state == state) for state in NAMES}
    hidden = {state: getattr(counters, name) - shown[state] for state, name in NAMES.items()}
    table = counters.table()
    assert (hidden[BlockState.LIVE], hidden[BlockState.FREE]) == (0, 0), table
    assert 0 < hidden[BlockState.METADATA] <= 64 << 10, table
    assert 0 <= hidden[BlockState.UNUSED] <= counters.dirty_bytes, table


def verify_pool_counts(counters: HeapCounters, pools: list[HeapPool]) -> None:
    """The counters of pools are what the walk of pools shows."""
    small = [pool for pool in pools if pool.state != PoolState.BLOCK]
    blocks = [pool for pool in pools if pool.state == PoolState.BLOCK]
    shown = {
        "pools": len(small),
        "full_pools": sum(pool.state == PoolState.FULL for pool in small),
        "empty_pools": sum(pool.state == PoolState.EMPTY for pool in small),
        "page_runs": sum(pool.arena is not None for pool in blocks),
        "large_blocks": sum(pool.arena is None for pool in blocks),
    }
    assert shown == {name: getattr(counters, name) for name in shown}, counters.table()
    used = {pool.arena for pool in pools if pool.arena is not None}
    assert counters.arenas - counters.empty_arenas == len(used), counters.table()


def verify_stats(heap: Heap, counters: HeapCounters) -> None:
    """The rows of the size classes add up to the counters."""
    rows = heap.stats().classes
    assert len(rows) == CLASSES
    assert sum(row.pools for row in rows) == counters.pools
    big = counters.page_runs + counters.large_blocks
    assert sum(row.live_blocks for row in rows) + big == counters.live_blocks
    assert sum(row.cached_blocks for row in rows) == counters.cached_blocks
