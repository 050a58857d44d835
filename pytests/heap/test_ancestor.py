"""Defects of obmalloc's own history, by name: none of them is here.

Steady states are told by counted calls, not by time; where only time tells, by a ratio of medians
of interleaved rounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.errors import OutOfMemoryError
from pytests.heap.native_tools import callgrind_program, instructions
from pytests.heap.verify import counters_of
from pytests.support import runs
from pytests.support.memory import KERNEL_PAGE, resident_pages

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard import FaultyPages, Heap
    from pytests.heap.conftest import MakeHeap

ARENA = 256 << 10


@pytest.mark.parametrize("below", [0, 1, 7, 8, 15, 16, 17, 4095, 4096, 1 << 20])
def test_sizes_near_size_max_do_not_wrap(heap: Heap, below: int) -> None:
    """PyArena and obmalloc: a size rounded up past SIZE_MAX gave a live pointer to nothing."""
    block = heap.malloc(16)
    walk = heap.walk()
    size = 2**64 - 1 - below
    for call in (heap.malloc, lambda n: heap.calloc(n, 1), lambda n: heap.realloc(block, n)):
        with pytest.raises(OutOfMemoryError):
            call(size)
    assert heap.walk() == walk


@pytest.mark.parametrize("size", [*range(1, 130), 511, 512, 513, 1000, 33_000])
def test_bpo_27987_every_block_is_aligned_to_16(heap: Heap, size: int) -> None:
    """obmalloc aligned to 8 where the ABI says 16: SSE instructions crashed."""
    blocks = [heap.malloc(size), heap.calloc(1, size), heap.realloc(None, size)]
    blocks.append(heap.realloc(heap.malloc(1), size))
    assert [block % 16 for block in blocks] == [0, 0, 0, 0]


@pytest.mark.death
def test_the_ownership_test_reads_no_foreign_memory() -> None:
    """address_in_range read the page of any pointer: freed memory, or a page nobody may read."""
    assert "FOREIGN_POINTER" in runs(
        """
        import ctypes, mmap
        from heapyard import Heap
        from heapyard.misuse import recorded_misuse
        libc = ctypes.CDLL(None)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        memory = mmap.mmap(-1, 1 << 20)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        assert libc.mprotect(start, 1 << 20, 0) == 0
        heap = Heap()
        heap.malloc(16)
        with recorded_misuse() as reports:
            for offset in range(0, 1 << 20, 4096):
                assert not heap.contains(start + offset)
                heap.free(start + offset)
        assert len(reports) == 256
        print(reports[0].kind.name)
        """
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return callgrind_program(tmp_path_factory.mktemp("arenas"), "arenas.c", "1", "1")


def instructions_per_free(program: Path, arenas: int) -> float:
    frees = arenas * 56
    return (instructions(program, arenas, 1) - instructions(program, arenas, 0)) / frees


def test_bpo_37029_the_cost_of_a_free_does_not_grow_with_the_arenas(program: Path) -> None:
    """free kept arenas sorted by a linear search: 10 x the arenas and frees cost 100 x the time.

    Here at most 12 x, counted in instructions; in random order, the arenas' worst. Both are large
    enough to give pages back.
    """
    few, many = (instructions_per_free(program, arenas) for arenas in (60, 600))
    assert many <= 1.2 * few


def swing(heap: Heap, blocks: int, size: int = 1024) -> None:
    """Allocate so many blocks and free them, newest first."""
    taken = [heap.malloc(size) for _ in range(blocks)]
    for block in reversed(taken):
        heap.free(block)


def test_bpo_37257_a_swing_over_an_arenas_boundary_maps_nothing(
    make_heap: MakeHeap, source: FaultyPages
) -> None:
    """An arena was mapped and unmapped at each swing over its boundary."""
    heap = make_heap(arena_size=ARENA)
    while counters_of(heap).arenas < 3:
        heap.malloc(1024)
    for _ in range(3):
        swing(heap, 80)
    maps = source.counts.maps
    for _ in range(200):
        swing(heap, 80)
    assert source.counts.maps - maps <= 2


@pytest.mark.parametrize("strict", [False, True], ids=["cached", "strict"])
@pytest.mark.parametrize("arenas", [10, 50])
def test_gh_115429_waves_over_many_arenas_keep_to_twice_the_steady_state(
    make_heap: MakeHeap, source: FaultyPages, arenas: int, strict: bool
) -> None:
    """10-arena waves made 16,200 mappings: each wave unmapped all it had, and mapped it again.

    Here a wave maps and unmaps one arena at most, however many it swings over; at its highest it
    may purge pages that no request can use, a few times.
    """
    heap = make_heap(arena_size=ARENA, strict=strict)
    for _ in range(100):
        heap.malloc(1024)
    wave = arenas * (ARENA // 1024)
    for _ in range(12):
        swing(heap, wave)
    counts = source.counts
    for _ in range(40):
        swing(heap, wave)
    after = source.counts
    calls = after.maps - counts.maps + after.unmaps - counts.unmaps
    assert calls <= 2 * 40, f"{calls} calls in 40 waves over {arenas} arenas"
    assert after.purges - counts.purges <= 10 * 40


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("arenas", [10, 50])
def test_gh_115429_what_a_heap_keeps_for_waves_goes_once_they_end(
    make_heap: MakeHeap, source: FaultyPages, arenas: int
) -> None:
    """The other side: what is kept must go by trim, and does not grow."""
    heap = make_heap(arena_size=ARENA)
    for _ in range(100):
        heap.malloc(1024)
    for _ in range(20):
        swing(heap, arenas * (ARENA // 1024))
    assert source.counts.peak_bytes <= (arenas + 4) * ARENA * 1.3
    heap.trim()
    assert source.counts.mapped_bytes <= 2 * ARENA


@pytest.mark.usefixtures("exact")
@pytest.mark.rss
def test_one_block_in_16000_kept_alive_keeps_a_tenth_of_the_peak_at_most() -> None:
    """One live block pins its arena: CPython kept 123 of 123 MiB."""
    output = runs(
        """
        from heapyard import Heap
        from pytests.support.memory import anonymous_bytes
        heap = Heap()
        count = 130 * 16_000
        import array
        blocks = array.array("Q", bytes(8 * count))
        base = anonymous_bytes()
        malloc, free = heap._native.hy_heap_malloc, heap._native.hy_heap_free
        handle = heap.handle
        for number in range(count):
            blocks[number] = malloc(handle, 64)
        peak = anonymous_bytes() - base
        for number, block in enumerate(blocks):
            if number % 16_000:
                free(handle, block)
        print(peak, anonymous_bytes() - base)
        """
    )
    peak, left = map(int, output.split())
    assert peak > 120 << 20
    assert left <= peak / 10


@pytest.mark.parametrize("strict", [False, True], ids=["cached", "strict"])
def test_pinned_arenas_do_not_hold_their_pages(make_heap: MakeHeap, strict: bool) -> None:
    """The same, seen by mincore: pools with a live block are resident, and 7 MiB in all."""
    heap = make_heap(strict=strict)
    blocks = [heap.malloc(64) for _ in range(40 * 16_000)]
    for number, block in enumerate(blocks):
        if number % 16_000:
            heap.free(block)
    held = {pool.arena for pool in heap.walk_pools()}
    pages = sum(resident_pages(arena, 4 << 20) for arena in held if arena)
    bound = (7 << 20) + len(held) * (64 << 10)
    assert pages * KERNEL_PAGE <= bound
    assert bound < len(blocks) * 64 / 4


@pytest.mark.usefixtures("exact")
@pytest.mark.rss
def test_gh_113055_cycles_of_new_use_delete_leak_nothing() -> None:
    """Each interpreter leaked its allocator's state: 406 MB in 200 cycles."""
    output = runs(
        """
        from heapyard._native.library import library
        from pytests.support.memory import anonymous_bytes, mapped_bytes
        native = library()
        def cycle():
            heap = native.hy_heap_new(None)
            for size in range(0, 40_000, 97):
                native.hy_heap_malloc(heap, size)
            native.hy_heap_delete(heap)
        for _ in range(20):
            cycle()
        anonymous, mapped = anonymous_bytes(), mapped_bytes()
        for _ in range(300):
            cycle()
        print(anonymous_bytes() - anonymous, mapped_bytes() - mapped)
        """
    )
    anonymous, mapped = map(int, output.split())
    assert anonymous <= 128 << 10
    assert mapped <= 128 << 10


@pytest.mark.parametrize("size", [16, 64, 512])
def test_a_block_that_leaves_the_pools_by_realloc_comes_back_to_them(heap: Heap, size: int) -> None:
    """obmalloc: what raw malloc once served stayed there, however small it became."""
    block = heap.realloc(heap.malloc(size), 100_000)
    assert counters_of(heap).page_runs == 1
    block = heap.realloc(block, size)
    assert counters_of(heap).page_runs == 0
    heap.free_sized(block, size)


def test_no_page_is_lost_to_the_alignment_of_an_arena(heap: Heap, source: FaultyPages) -> None:
    """obmalloc lost one pool of each arena, since mappings are not aligned to pools."""
    for _ in range(3):
        heap.malloc(500_000)
    own = source.counts.mapped_bytes - counters_of(heap).arenas * (4 << 20)
    assert 0 <= own <= 32 << 10
