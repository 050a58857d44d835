"""realloc: in place where the class or the mapping allows; contents kept wherever it goes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from heapyard import BufferPages, FaultyPages, Heap
from heapyard.errors import OutOfMemoryError
from heapyard.heap import good_size
from pytests.heap.verify import counters_of, pool_of, verify
from pytests.support.memory import KERNEL_PAGE, fill, is_zero, read, write

if TYPE_CHECKING:
    from pytests.heap.conftest import MakeHeap

SIZES = [1, 16, 100, 512, 600, 5000, 32_768, 40_000, 200_000, 600_000, 3_000_000]


@pytest.mark.parametrize("new", SIZES)
@pytest.mark.parametrize("old", SIZES)
def test_contents_are_kept_up_to_the_smaller_size(heap: Heap, old: int, new: int) -> None:
    block = heap.malloc(old)
    data = bytes(n % 251 for n in range(old))
    write(block, data)
    heap.malloc(old)
    moved = heap.realloc(block, new)
    kept = min(old, new)
    assert read(moved, kept) == data[:kept]
    fill(moved, 0x11, new)
    assert heap.usable_size(moved) >= new


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("size", [1, 100, 500, 600, 5000])
def test_a_size_of_the_same_class_stays(heap: Heap, size: int) -> None:
    block = heap.malloc(size)
    for other in {size, good_size(size), good_size(size) - 1} - {0}:
        assert heap.realloc(block, other) == block
    counters = counters_of(heap)
    assert counters.in_place == counters.reallocs > 0


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("size", [64, 512, 1024, 8192, 32_768])
def test_a_shrink_stays_unless_it_saves_a_quarter(heap: Heap, size: int) -> None:
    block = heap.malloc(size)
    assert heap.realloc(block, size * 3 // 4 + 1) == block
    assert heap.realloc(block, size // 2) != block


@pytest.mark.usefixtures("exact")
def test_the_ancestors_quarter_rule_at_512(heap: Heap) -> None:
    block = heap.malloc(512)
    assert heap.realloc(block, 385) == block
    assert heap.realloc(block, 384) != block


@pytest.mark.parametrize("free", ["free", "free_sized"])
def test_a_block_shrunk_in_place_is_freed_by_its_last_size(make_heap: MakeHeap, free: str) -> None:
    for strict in (False, True):
        heap = make_heap(strict=strict)
        for _ in range(500):
            block = heap.realloc(heap.malloc(512), 400)
            if free == "free":
                heap.free(block)
            else:
                heap.free_sized(block, 400)
        verify(heap)
        assert counters_of(heap).live_blocks == 0


def test_realloc_of_nothing_is_malloc(heap: Heap) -> None:
    block = heap.realloc(None, 100)
    assert heap.contains(block)
    assert counters_of(heap).live_blocks == 1


@pytest.mark.parametrize("size", [1, 500, 5000, 100_000, 1_000_000])
def test_realloc_to_0_is_a_block_and_not_a_free(heap: Heap, size: int) -> None:
    block = heap.realloc(heap.malloc(size), 0)
    assert heap.contains(block)
    assert heap.usable_size(block) >= 1
    assert counters_of(heap).live_blocks == 1


def test_a_run_grows_into_free_pages_behind_it(heap: Heap) -> None:
    block = heap.malloc(80_000)
    for size in (90_000, 100_000, 400_000):
        assert heap.realloc(block, size) == block
    verify(heap)


def test_a_run_does_not_grow_over_its_neighbour(heap: Heap) -> None:
    block, neighbour = heap.malloc(80_000), heap.malloc(80_000)
    fill(neighbour, 0x5A, 80_000)
    moved = heap.realloc(block, 120_000)
    fill(moved, 0xA5, 120_000)
    assert read(neighbour, 80_000) == b"\x5a" * 80_000


def test_a_run_shrinks_in_place_and_leaves_its_pages(heap: Heap) -> None:
    block = heap.malloc(400_000)
    assert heap.realloc(block, 100_000) == block
    assert pool_of(heap, block).size < 110_000
    verify(heap)


def frames(address: int, count: int) -> list[int]:
    """The physical pages behind `count` pages; skips where the kernel does not tell."""
    with Path("/proc/self/pagemap").open("rb", buffering=0) as file:
        file.seek(address // KERNEL_PAGE * 8)
        entries = struct.unpack(f"{count}Q", file.read(8 * count))
    numbers = [entry & (1 << 55) - 1 for entry in entries]
    if not any(numbers):
        pytest.skip("needs the right to read frame numbers in /proc/self/pagemap")
    return numbers


def test_growth_of_a_mapping_keeps_its_physical_pages(heap: Heap) -> None:
    block = heap.malloc(2_000_000)
    fill(block, 0x42, 2_000_000)
    before = frames(block, 480)
    for size in (4_000_000, 9_000_000, 30_000_000):
        block = heap.realloc(block, size)
        assert frames(block, 480) == before
    assert is_zero(block + 9_000_000, 20_000_000)


def test_growth_of_a_mapping_asks_the_source_to_resize(heap: Heap, source: FaultyPages) -> None:
    block = heap.malloc(2_000_000)
    maps = source.counts.maps
    for size in range(2_100_000, 20_000_000, 500_000):
        block = heap.realloc(block, size)
    moves = source.counts.maps - maps
    assert source.counts.resizes >= 10
    assert moves <= 20, "a mapping that moves takes an eighth more"
    assert source.counts.mapped_bytes == counters_of(heap).mapped_bytes
    assert source.counts.mapped_bytes < 23_000_000


def test_a_mapping_grows_by_copying_where_the_source_cannot_resize() -> None:
    buffer = BufferPages(64 << 20)
    with Heap(source=buffer) as heap:
        block = heap.malloc(2_000_000)
        write(block, b"first")
        write(block + 1_999_990, b"last")
        block = heap.realloc(block, 9_000_000)
        assert read(block, 5) == b"first"
        assert read(block + 1_999_990, 4) == b"last"
        verify(heap)
    assert buffer.used == 0


def test_a_mapping_shrinks_and_gives_its_end_back(heap: Heap, source: FaultyPages) -> None:
    block = heap.malloc(20_000_000)
    fill(block, 0x33, 1_000_000)
    block = heap.realloc(block, 1_000_000)
    heap.trim()
    assert source.counts.mapped_bytes < 3_000_000
    assert read(block, 1_000_000) == b"\x33" * 1_000_000


@pytest.mark.parametrize("old", [100, 5000, 100_000, 2_000_000])
@pytest.mark.parametrize("new", [5_000_000, 2**62, 2**63, 2**64 - 1])
def test_a_realloc_that_fails_leaves_the_block(
    heap: Heap, source: FaultyPages, old: int, new: int
) -> None:
    block = heap.malloc(old)
    fill(block, 0x99, old)
    walk = heap.walk()
    source.fail_from(1)
    with pytest.raises(OutOfMemoryError):
        heap.realloc(block, new)
    source.fail_from(0)
    assert read(block, old) == b"\x99" * old
    assert heap.walk() == walk
    assert counters_of(heap).failures == 1


def test_many_steps_of_growth_of_one_vector_stay_mostly_in_place(heap: Heap) -> None:
    block, moves = heap.malloc(100_000), 0
    for size in range(100_000, 4 << 20, 4096):
        moved = heap.realloc(block, size)
        moves += moved != block
        block = moved
    counters = counters_of(heap)
    assert counters.reallocs - counters.in_place == moves
    assert moves <= 0.05 * counters.reallocs


@pytest.mark.parametrize("alignment", [64, 4096, 1 << 16, 1 << 20])
def test_an_aligned_block_can_be_reallocated(heap: Heap, alignment: int) -> None:
    block = heap.aligned_alloc(alignment, 1000)
    write(block, b"kept")
    for size in (2000, 100_000, 2_000_000, 10):
        block = heap.realloc(block, size)
        assert read(block, 4) == b"kept"
    heap.free(block)
