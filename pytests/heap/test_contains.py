"""contains tells whose an address is without reading what lies there, and agrees with walk."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from heapyard import Heap, MmapPages
from heapyard._native.prototypes.block import WalkFunction
from heapyard._native.prototypes.heap import HeapPoolFunction
from heapyard.block import BlockState
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.heap.native_tools import compile_program
from pytests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

    from pytests.heap.conftest import MakeHeap

ARENA = 256 << 10


def busy(heap: Heap) -> list[tuple[int, int]]:
    sizes = [1, 40, 500, 5000, 40_000, 100_000, 900_000, 5_000_000] * 3
    return [(heap.malloc(size), size) for size in sizes]


def test_contains_is_true_of_every_byte_of_a_block(heap: Heap) -> None:
    for address, size in busy(heap):
        assert all(heap.contains(address + n) for n in (0, size // 2, size - 1))


def test_contains_is_true_in_arenas_and_large_blocks_and_nowhere_else(heap: Heap) -> None:
    busy(heap)
    runs_shown = heap.walk()
    inside = [run for run in runs_shown if run.state in (BlockState.LIVE, BlockState.FREE)]
    assert all(heap.contains(run.address) and heap.contains(run.end - 1) for run in inside)
    ends = [low.end for low, high in pairwise(runs_shown) if low.end != high.address]
    starts = {run.address for run in runs_shown}
    assert [end for end in ends if end not in starts and heap.contains(end)] == []


@pytest.mark.parametrize("address", [0, 1, 4096, 2**47, 2**48, 2**57, 2**63, 2**64 - 1, 2**64, -1])
def test_contains_is_false_of_addresses_nobody_has(heap: Heap, address: int) -> None:
    heap.malloc(1)
    assert not heap.contains(address)


def test_contains_is_false_of_an_object_elsewhere(heap: Heap) -> None:
    heap.malloc(1)
    assert not heap.contains(id(object))


def test_neighbours_that_may_not_be_read_are_foreign_and_not_read() -> None:
    # [ PROT_NONE ][ arena ][ PROT_NONE ]: reading a neighbour would be SIGSEGV.
    output = runs(
        """
        import ctypes, mmap
        from heapyard import BufferPages, Heap
        from heapyard.misuse import recorded_misuse
        libc = ctypes.CDLL(None)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        size = 4 << 20
        memory = mmap.mmap(-1, 3 * size)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        middle = memoryview(memory)[size : 2 * size]
        for first in (start, start + 2 * size):
            assert libc.mprotect(first, size, 0) == 0
        heap = Heap(source=BufferPages(middle), arena_size=256 << 10)
        blocks = [heap.malloc(n) for n in (16, 5000, 100_000)]
        places = (0, size - 16, size - 1, 2 * size, 3 * size - 16)
        outside = [start + place for place in places]
        assert not any(map(heap.contains, outside))
        with recorded_misuse() as reports:
            for address in outside:
                heap.free(address)
                heap.usable_size(address)
        print(len(reports), {report.kind.name for report in reports})
        """
    )
    assert output.split() == ["10", "{'FOREIGN_POINTER'}"]


def test_a_large_block_ends_where_it_ends(heap: Heap) -> None:
    block = heap.malloc(1_000_000)
    end = block + (1_000_000 + 4095) // 4096 * 4096
    assert heap.contains(end - 1)
    assert not heap.contains(end + (16 << 10))


def test_an_arena_given_back_is_no_longer_contained(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=ARENA, arenas_kept=0)
    block, large = heap.malloc(100), heap.malloc(1_000_000)
    heap.free(block)
    heap.free(large)
    heap.trim()
    assert not heap.contains(block)
    assert not heap.contains(large)


def test_the_radix_tree_is_shared_and_cleared() -> None:
    # A source's pages that once were one heap's arena become another's.
    source = MmapPages()
    seen = set()
    for _ in range(50):
        with Heap(source=source, arena_size=ARENA) as one, Heap(arena_size=ARENA) as two:
            block, other = one.malloc(64), two.malloc(64)
            assert (one.contains(block), two.contains(block)) == (True, False)
            assert (one.contains(other), two.contains(other)) == (False, True)
            seen.add(block)
    assert len(seen) < 50, "addresses come again"


def test_heaps_of_several_threads_share_the_radix_tree_without_a_lock() -> None:
    def cycles(number: int) -> int:
        for _ in range(150):
            with Heap(arena_size=ARENA) as heap:
                blocks = [heap.malloc(size) for size in (number + 1, 5000, 100_000, 2_000_000)]
                assert all(map(heap.contains, blocks))
                for block in blocks:
                    heap.free(block)
                assert heap.counters() is None or heap.stats().counters == heap.counters()
        return number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(cycles, range(4))) == [0, 1, 2, 3]


def test_addresses_that_a_block_gave_up_may_be_another_heaps_at_once(tmp_path: Path) -> None:
    program = compile_program(tmp_path, "given_up.c")
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1", "1"]


def heap_free_is_foreign(address: int) -> bool:
    with Heap() as heap, recorded_misuse() as reports:
        heap.free(address)
    return [report.kind for report in reports] == [MisuseKind.FOREIGN_POINTER]


def test_memory_of_a_closed_heap_is_foreign_to_all_others() -> None:
    with Heap() as heap:
        block = heap.malloc(64)
    assert heap_free_is_foreign(block)


def test_contains_of_python_memory_is_false_at_every_page(heap: Heap) -> None:
    heap.malloc(1)
    memory = mmap.mmap(-1, 1 << 20)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert not any(heap.contains(start + offset) for offset in range(0, 1 << 20, 4096))


@pytest.mark.parametrize("stop", [1, 2, 5])
def test_a_visitor_ends_the_walk_with_its_answer(heap: Heap, stop: int) -> None:
    busy(heap)
    seen: list[int] = []

    def visit(_context: int | None, _block: object) -> int:
        seen.append(1)
        return 42 if len(seen) == stop else 0

    assert heap._native.hy_heap_walk(heap.handle, WalkFunction(visit), None) == 42
    assert len(seen) == stop
    assert heap._native.hy_heap_walk_pools(heap.handle, HeapPoolFunction(visit), None) == 0
    seen.clear()
    assert heap._native.hy_heap_walk_pools(heap.handle, HeapPoolFunction(visit), None) == 42
