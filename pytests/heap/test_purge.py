"""Pages that hold nothing go back to the kernel as the policy says, and all of them on trim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import BufferPages, FaultyPages, Heap, Purge
from pytests.heap.verify import counters_of, pool_of, verify
from pytests.support import runs
from pytests.support.memory import KERNEL_PAGE, fill, read, resident_pages

if TYPE_CHECKING:
    from pytests.heap.conftest import MakeHeap

ARENA = 1 << 20


def use_and_free(heap: Heap, bytes_used: int, size: int = 1024) -> tuple[int, int]:
    """Touch and free so much, with one live block before it; returns it and its arena."""
    keep = heap.malloc(40)
    blocks = [heap.malloc(size) for _ in range(bytes_used // size)]
    for block in blocks:
        fill(block, 0xEE, size)
    for block in blocks:
        heap.free(block)
    return keep, pool_of(heap, keep).arena or 0


def resident(arena: int) -> int:
    return resident_pages(arena, ARENA) * KERNEL_PAGE


def test_at_once_purges_when_a_pool_empties(make_heap: MakeHeap, source: FaultyPages) -> None:
    heap = make_heap(purge=Purge.AT_ONCE, arena_size=ARENA, strict=True)
    _, arena = use_and_free(heap, 600_000)
    assert source.counts.purged_bytes >= 500_000
    assert counters_of(heap).dirty_bytes == 0
    assert resident(arena) <= 160 << 10


def test_on_trim_purges_nothing_before_trim(make_heap: MakeHeap, source: FaultyPages) -> None:
    heap = make_heap(purge=Purge.ON_TRIM, arena_size=ARENA, strict=True)
    _, arena = use_and_free(heap, 600_000)
    assert source.counts.purges == 0
    assert counters_of(heap).dirty_bytes >= 500_000
    assert resident(arena) >= 600_000
    assert heap.trim() >= 500_000
    assert resident(arena) <= 64 << 10


@pytest.mark.parametrize("threshold", [64 << 10, 256 << 10, 512 << 10])
def test_threshold_keeps_dirty_pages_up_to_it(
    make_heap: MakeHeap, source: FaultyPages, threshold: int
) -> None:
    heap = make_heap(purge_threshold=threshold, arena_size=ARENA, strict=True)
    use_and_free(heap, 900_000)
    counters = counters_of(heap)
    assert counters.dirty_bytes <= threshold
    assert source.counts.purged_bytes >= 900_000 - threshold - (160 << 10)
    verify(heap)


def test_fewer_dirty_pages_than_the_threshold_are_kept_for_reuse(
    make_heap: MakeHeap, source: FaultyPages
) -> None:
    heap = make_heap(purge_threshold=ARENA, arena_size=ARENA, strict=True)
    for _ in range(5):
        use_and_free(heap, 500_000)
    assert source.counts.purges == 0
    assert source.counts.maps == 2


def test_the_default_threshold_is_1_mib(make_heap: MakeHeap) -> None:
    heap = make_heap(strict=True)
    use_and_free(heap, 20_000_000)
    counters = counters_of(heap)
    resident_now = sum(
        resident_pages(run.address // KERNEL_PAGE * KERNEL_PAGE, KERNEL_PAGE) * KERNEL_PAGE
        for run in heap.walk()
        if run.size <= KERNEL_PAGE
    )
    assert counters.dirty_bytes <= 1 << 20
    assert resident_now <= 3 << 20


@pytest.mark.rss
@pytest.mark.usefixtures("exact")
def test_what_is_resident_right_after_all_is_freed_is_little() -> None:
    output = runs(
        """
        import array, random
        from heapyard import Heap
        from pytests.support.memory import anonymous_bytes
        rng = random.Random(3)
        sizes = [rng.randint(64, 1024) for _ in range(120_000)]
        blocks = array.array("Q", bytes(8 * len(sizes)))
        heap = Heap()
        base = anonymous_bytes()
        for number, size in enumerate(sizes):
            blocks[number] = heap.malloc(size)
        peak = anonymous_bytes() - base
        for number, size in enumerate(sizes):
            heap.free_sized(blocks[number], size)
        left = anonymous_bytes() - base
        heap.trim()
        print(peak, left, anonymous_bytes() - base)
        """
    )
    peak, left, trimmed = map(int, output.split())
    assert peak > 60 << 20
    assert left <= 8 << 20
    assert trimmed <= 1 << 20


def test_trim_purges_pages_without_a_live_block_inside_pools(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=ARENA, strict=True, purge=Purge.ON_TRIM)
    blocks = [heap.malloc(64) for _ in range(16_000)]
    for block in blocks:
        fill(block, 0xAB, 64)
    keep = {page: block for block in blocks if (page := block // (16 * KERNEL_PAGE))}
    for block in blocks:
        if block not in keep.values():
            heap.free(block)
    heap.trim()
    assert sum(pool.purged for pool in heap.walk_pools()) >= 40
    size = heap.walk_pools()[0].block_size
    ends = [end for block in keep.values() for end in (block, block + size - 1)]
    live_pages = {end // KERNEL_PAGE for end in ends}
    for pool in heap.walk_pools():
        inside = {page for page in live_pages if pool.address <= page * KERNEL_PAGE < pool.end}
        assert resident_pages(pool.address, pool.size) == len(inside)
    assert all(read(block, 64) == b"\xab" * 64 for block in keep.values())
    verify(heap)


@pytest.mark.usefixtures("exact")
def test_trim_purges_pages_that_a_pool_took_over_and_has_not_carved(make_heap: MakeHeap) -> None:
    heap = make_heap(purge=Purge.ON_TRIM, arena_size=ARENA)
    use_and_free(heap, 400_000)
    pools = {pool.address: pool for pool in (pool_of(heap, heap.malloc(4096)) for _ in range(16))}
    heap.trim()
    for address in pools:
        pool = pool_of(heap, address)
        used = pool.carved * 4096
        assert resident_pages(address + used, pool.size - used) == 0 or used == pool.size


def test_blocks_on_purged_pages_are_handed_out_again(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=ARENA, strict=True)
    blocks = [heap.malloc(64) for _ in range(8000)]
    for number, block in enumerate(blocks):
        if number % 1000:
            heap.free(block)
    heap.trim()
    mapped = counters_of(heap).mapped_bytes
    again = [heap.malloc(64) for _ in range(7992)]
    for block in again:
        fill(block, 1, 64)
    assert len({*again, *blocks[::1000]}) == 8000
    assert counters_of(heap).mapped_bytes == mapped
    verify(heap)


def test_trim_says_how_much_went(make_heap: MakeHeap, source: FaultyPages) -> None:
    heap = make_heap(arena_size=ARENA, purge=Purge.ON_TRIM)
    use_and_free(heap, 3_000_000)
    before = source.counts
    given = heap.trim()
    after = source.counts
    assert given > 900_000
    went = before.mapped_bytes - after.mapped_bytes + after.purged_bytes - before.purged_bytes
    assert given <= went
    assert heap.trim() == 0


def test_trim_of_an_empty_heap_gives_nothing(heap: Heap) -> None:
    assert heap.trim() == 0


def test_purges_are_counted_as_the_source_counts_them(
    make_heap: MakeHeap, source: FaultyPages
) -> None:
    heap = make_heap(arena_size=ARENA, purge=Purge.AT_ONCE)
    use_and_free(heap, 2_000_000)
    heap.trim()
    counters = counters_of(heap)
    assert counters.purges == source.counts.purges > 0
    assert counters.purged_bytes == source.counts.purged_bytes > 0


@pytest.mark.parametrize("purge", Purge)
def test_a_source_that_cannot_purge_serves_all_the_same(purge: Purge) -> None:
    buffer = BufferPages(8 << 20)
    with Heap(source=buffer, arena_size=ARENA, purge=purge) as heap:
        for _ in range(3):
            use_and_free(heap, 1_500_000)
            heap.trim()
            verify(heap)
    assert buffer.used == 0
    buffer.check()
