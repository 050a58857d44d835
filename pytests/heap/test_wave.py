"""A wave of frees: caches take nothing of it, and pools can empty."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pytests.heap.verify import counters_of, verify

if TYPE_CHECKING:
    from heapyard import Heap
    from heapyard.heap.stats import HeapClassStats
    from pytests.heap.conftest import MakeHeap

SIZES = [16, 32, 112, 512]
KEPT = 64 << 10
"""Bytes of a class: of what is freed last, a cache may hold some."""

pytestmark = pytest.mark.usefixtures("exact")


def row_of(heap: Heap, size: int) -> HeapClassStats:
    return next(row for row in heap.stats().classes if row.block_size == size)


def learn(heap: Heap, size: int) -> None:
    """Blocks go back and forth, until the cache takes as many as it ever does."""
    blocks = [heap.malloc(size) for _ in range(3000)]
    for _ in range(4):
        for block in blocks:
            heap.free(block)
        blocks = [heap.malloc(size) for _ in blocks]
    for block in blocks:
        heap.free(block)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_sized", [False, True])
def test_pools_empty_though_the_cache_was_filled(
    make_heap: MakeHeap, size: int, is_sized: bool
) -> None:
    heap = make_heap()
    learn(heap, size)
    blocks = [heap.malloc(size) for _ in range(40_000)]
    random.Random(0).shuffle(blocks)
    full = row_of(heap, size).pools
    for block in blocks:
        if is_sized:
            heap.free_sized(block, size)
        else:
            heap.free(block)
    row = row_of(heap, size)
    assert counters_of(heap).live_blocks == 0
    assert row.cached_blocks * size <= KEPT + 64 * size
    assert row.pools <= max(2, full // 4)
    verify(heap)


@pytest.mark.parametrize("size", SIZES)
def test_what_a_cache_can_hold_stays_in_it(make_heap: MakeHeap, size: int) -> None:
    """Else each of two waves in a row would go to the pools and come from there."""
    heap = make_heap()
    learn(heap, size)
    limit = row_of(heap, size).cache_limit
    blocks = [heap.malloc(size) for _ in range(limit)]
    for block in blocks:
        heap.free(block)
    assert row_of(heap, size).cached_blocks >= limit // 2
    verify(heap)


@pytest.mark.parametrize("size", SIZES)
def test_counters_add_up_at_each_point_of_a_wave(make_heap: MakeHeap, size: int) -> None:
    """A free past the cache is counted by the quota alone."""
    heap = make_heap()
    learn(heap, size)
    blocks = [heap.malloc(size) for _ in range(12_000)]
    random.Random(1).shuffle(blocks)
    for number, block in enumerate(blocks, 1):
        heap.free(block)
        if number % 97 == 0:
            assert counters_of(heap).live_blocks == len(blocks) - number
            assert row_of(heap, size).live_blocks == len(blocks) - number
    verify(heap)
