"""Out of memory at any request for pages: NULL, nothing changed, and all is well afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import BufferPages, FaultyPages, Heap
from heapyard.errors import OutOfMemoryError
from heapyard.heap import Purge
from pytests.heap.verify import counters_of, verify
from pytests.support.memory import fill, read

if TYPE_CHECKING:
    from pytests.heap.conftest import MakeHeap

REQUESTS = [40, 700, 5000, 30_000, 40_000, 100_000, 1_000_000, 3_000_000]


def scenario(heap: Heap) -> int:
    """Requests of all kinds; those that fail are left out. Returns how many failed."""
    failed = 0
    live: dict[int, int] = {}
    for number, size in enumerate(REQUESTS * 4):
        try:
            block = heap.calloc(1, size) if number % 3 else heap.aligned_alloc(4096, size)
            live[block] = size
            fill(block, number + 1, size)
            if number % 4 == 3:
                moved = heap.realloc(block, size * 2)
                del live[block]
                live[moved] = size * 2
                assert read(moved, size) == bytes([number + 1]) * size
        except OutOfMemoryError:
            failed += 1
        if number % 5 == 4 and live:
            heap.free(live.popitem()[0])
        verify(heap)
    for block in live:
        heap.free(block)
    return failed


def requests_of_scenario() -> int:
    source = FaultyPages()
    with Heap(source=source, arena_size=256 << 10) as heap:
        assert scenario(heap) == 0
    return source.counts.requests


@pytest.mark.parametrize("kind", ["at", "from"])
def test_at_every_kth_map_the_heap_stays_sound_and_recovers(kind: str) -> None:
    for k in range(2, requests_of_scenario() + 1):
        source = FaultyPages()
        with Heap(source=source, arena_size=256 << 10) as heap:
            (source.fail_at if kind == "at" else source.fail_from)(k - 1)
            failed = scenario(heap)
            counters = heap.counters()
            assert counters is None or counters.failures == failed
            assert failed > 0 or kind == "at"
            source.fail_from(0)
            assert scenario(heap) == 0, f"no recovery after request {k}"
        assert source.counts.mapped_bytes == 0


def test_a_failure_is_told_at_each_try_until_there_is_memory(
    heap: Heap, source: FaultyPages
) -> None:
    source.fail_from(1)
    for _ in range(5):
        with pytest.raises(OutOfMemoryError, match="No memory for 40 bytes; the heap is unchanged"):
            heap.malloc(40)
    source.fail_from(0)
    heap.malloc(40)
    assert counters_of(heap).failures == 5


def use_up(heap: Heap, size: int = 1000) -> list[int]:
    """Blocks of so many bytes until there is no more memory."""
    blocks = []
    try:
        while True:
            blocks.append(heap.malloc(size))
    except OutOfMemoryError:
        return blocks


def test_a_source_with_an_end_can_be_used_up_and_used_again() -> None:
    buffer = BufferPages(4 << 20)
    with Heap(source=buffer, arena_size=256 << 10) as heap:
        counts = []
        for _ in range(3):
            blocks = use_up(heap)
            counts.append(len(blocks))
            verify(heap)
            for block in blocks:
                heap.free(block)
        assert min(counts) >= 0.75 * (4 << 20) / 1000
        assert min(counts) >= 0.97 * max(counts)
    assert buffer.used == 0
    buffer.check()


def test_what_is_kept_for_later_serves_before_a_request_is_refused() -> None:
    # [ cache | empty pools | arena | spare mapping ]: nothing is live, so all of it can be had.
    with Heap(source=BufferPages(1 << 20), arena_size=256 << 10) as heap:
        for size in [*range(16, 65_536, 480), 300_000, 100_000, 400_000] * 3:
            heap.free_sized(heap.malloc(size), size)
            verify(heap)
        assert counters_of(heap).failures == 0


def test_a_run_of_free_pages_is_found_in_the_last_arena_before_a_request_is_refused(
    make_heap: MakeHeap, source: FaultyPages
) -> None:
    heap = make_heap(arena_size=256 << 10, pool_size=4096, purge=Purge.AT_ONCE, strict=True)
    blocks = [heap.malloc(3500) for _ in range(12 * 64)]
    source.fail_from(1)
    blocks += use_up(heap, 3500)
    arenas: dict[int, list[int]] = {}
    for block in sorted(blocks):
        arenas.setdefault(block >> 18, []).append(block)
    first, *others = arenas.values()
    for block in first[10:20]:
        heap.free(block)
    for pages in others:
        for block in pages[10:30:2]:
            heap.free(block)
    assert len(others) > 10
    assert heap.malloc(30_000) == first[10]


def test_frees_need_no_memory(make_heap: MakeHeap, source: FaultyPages) -> None:
    heap = make_heap(arena_size=256 << 10)
    blocks = [heap.malloc(size) for size in (40, 700, 5000, 40_000, 1_000_000) for _ in range(50)]
    source.fail_from(1)
    refused = source.counts.refused
    for block in blocks:
        heap.free(block)
    heap.trim()
    assert source.counts.refused == refused
    assert counters_of(heap).live_blocks == 0
