"""Arenas: mapped when needed, given back when empty, but for the few that are kept."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from heapyard import FaultyPages, Purge
from pytests.heap.verify import counters_of
from pytests.support import runs
from pytests.support.memory import is_mapped

if TYPE_CHECKING:
    from heapyard import Heap
    from pytests.heap.conftest import MakeHeap

ARENA = 256 << 10


def wave(heap: Heap, arenas: int, size: int = 1024) -> list[int]:
    """Blocks until so many arenas are mapped."""
    blocks = []
    while counters_of(heap).arenas < arenas:
        blocks.append(heap.malloc(size))
    return blocks


def ebb(heap: Heap, blocks: list[int], size: int = 1024) -> None:
    """Free them all."""
    for block in blocks:
        heap.free_sized(block, size)


def test_the_first_arena_is_mapped_when_it_is_needed(heap: Heap, source: FaultyPages) -> None:
    own = source.counts.mapped_bytes
    assert counters_of(heap).arenas == 0
    heap.malloc(1)
    assert counters_of(heap).arenas == 1
    assert source.counts.mapped_bytes == own + (4 << 20)


@pytest.mark.parametrize("size", [256 << 10, 1 << 20, 64 << 20])
def test_arenas_have_the_size_and_alignment_configured(make_heap: MakeHeap, size: int) -> None:
    heap = make_heap(arena_size=size)
    heap.malloc(1)
    (pool,) = heap.walk_pools()
    assert pool.arena is not None
    assert pool.arena % (256 << 10) == 0
    in_arena = [run for run in heap.walk() if pool.arena <= run.address < pool.arena + size]
    assert sum(run.size for run in in_arena) == size
    assert all(low.end == high.address for low, high in itertools.pairwise(in_arena))


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_empty_arenas_go_back_but_for_the_kept(
    make_heap: MakeHeap, source: FaultyPages, kept: int
) -> None:
    heap = make_heap(arena_size=ARENA, arenas_kept=kept, purge_threshold=1 << 40, strict=True)
    ebb(heap, wave(heap, 6))
    assert counters_of(heap).empty_arenas == kept
    heap.trim()
    assert counters_of(heap).arenas == 0
    assert counters_of(heap).mapped_bytes == source.counts.mapped_bytes < ARENA


def test_an_arena_given_back_is_unmapped(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=ARENA, arenas_kept=0, strict=True)
    blocks = wave(heap, 3)
    arenas = {pool.arena or 0 for pool in heap.walk_pools()}
    ebb(heap, blocks)
    heap.trim()
    assert [arena for arena in arenas if is_mapped(arena, 4096)] == []


def test_one_empty_arena_is_kept_by_default(make_heap: MakeHeap, source: FaultyPages) -> None:
    heap = make_heap(arena_size=ARENA, strict=True, purge_threshold=1 << 40)
    ebb(heap, wave(heap, 4))
    maps = source.counts.maps
    assert counters_of(heap).arenas >= 1
    heap.malloc(1024)
    assert source.counts.maps == maps


def test_arenas_drain_though_another_block_lives_in_each_pool_of_one(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=ARENA, strict=True, arenas_kept=0)
    blocks = wave(heap, 6)
    pinned = {pool.arena or 0 for pool in heap.walk_pools()}
    keep = blocks[0]
    ebb(heap, blocks[1:])
    heap.trim()
    left = {pool.arena for pool in heap.walk_pools()}
    assert len(pinned) == 6
    assert left == {keep // ARENA * ARENA}


@pytest.mark.usefixtures("exact")
@pytest.mark.rss
def test_an_empty_heap_touches_at_most_64_kib() -> None:
    touched = runs(
        """
        from heapyard import Heap
        from pytests.support.memory import anonymous_bytes
        Heap().close()  # what the first heap of a process makes
        before = [anonymous_bytes(), anonymous_bytes()]
        heaps = [Heap() for _ in range(64)]
        print((anonymous_bytes() - before[1]) // 64)
        """
    )
    assert int(touched) <= 64 << 10


@pytest.mark.usefixtures("exact")
@pytest.mark.rss
def test_the_first_heap_and_its_first_block_touch_at_most_64_kib() -> None:
    touched = runs(
        """
        from heapyard import Heap
        from heapyard._native.library import library
        from pytests.support.memory import anonymous_bytes
        library()
        config = Heap.__init__
        anonymous_bytes()
        before = anonymous_bytes()
        handle = library().hy_heap_new(None)
        block = library().hy_heap_malloc(handle, 16)
        print(anonymous_bytes() - before)
        """
    )
    assert int(touched) <= 64 << 10


@pytest.mark.usefixtures("exact")
@pytest.mark.rss
def test_ten_thousand_heaps_made_and_deleted_leave_memory_flat() -> None:
    grown = runs(
        """
        from heapyard._native.library import library
        from pytests.support.memory import anonymous_bytes, mapped_bytes
        native = library()
        def cycle():
            heap = native.hy_heap_new(None)
            for size in (16, 100, 5000, 50_000, 1_000_000):
                native.hy_heap_malloc(heap, size)
            native.hy_heap_delete(heap)
        for _ in range(500):
            cycle()
        anonymous, mapped = anonymous_bytes(), mapped_bytes()
        for _ in range(10_000):
            cycle()
        print(anonymous_bytes() - anonymous, mapped_bytes() - mapped)
        """
    )
    anonymous, mapped = map(int, grown.split())
    assert anonymous <= 128 << 10
    assert mapped <= 128 << 10


@pytest.mark.parametrize("count", [2, 1000])
def test_heaps_that_live_side_by_side_keep_their_blocks_apart(
    make_heap: MakeHeap, count: int
) -> None:
    heaps = [make_heap(arena_size=ARENA) for _ in range(count)]
    blocks = [heap.malloc(40) for heap in heaps]
    for number, (heap, block) in enumerate(zip(heaps, blocks, strict=True)):
        assert heap.contains(block)
        assert not heaps[number - 1].contains(block)


def test_a_heap_deleted_with_live_blocks_gives_back_everything(
    make_heap: MakeHeap, source: FaultyPages
) -> None:
    heap = make_heap(arena_size=ARENA)
    for size in (1, 500, 5000, 32_768, 40_000, 200_000, 1_000_000, 5_000_000):
        for _ in range(10):
            heap.malloc(size)
    assert source.counts.mapped_bytes > 50_000_000
    heap.close()
    assert source.counts.mapped_bytes == 0
    assert source.counts.unmaps == source.counts.maps


@pytest.mark.parametrize("purge", Purge)
def test_a_heap_of_each_policy_gives_back_everything(make_heap: MakeHeap, purge: Purge) -> None:
    heap = make_heap(purge=purge)
    blocks = [heap.malloc(300) for _ in range(5000)]
    ebb(heap, blocks[::2], 300)


def test_arenas_kept_without_bound_all_stay(make_heap: MakeHeap, source: FaultyPages) -> None:
    heap = make_heap(arena_size=ARENA, arenas_kept=2**32 - 2)
    for _ in range(6):
        for block in [heap.malloc(1024) for _ in range(8000)]:
            heap.free(block)
    assert source.counts.unmaps == 0
