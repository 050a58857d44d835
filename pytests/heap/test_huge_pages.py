"""Which arenas the kernel is asked to back with huge pages: told by the flags of their mappings.

`hg` in VmFlags of /proc/self/smaps is MADV_HUGEPAGE, whether or not a huge page could be had.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from heapyard import Heap
from heapyard.errors import BadArgumentError
from pytests.heap.verify import verify
from pytests.support.memory import fill, resident_pages

ARENA = 4 << 20
HUGE_FROM = 64 << 20
RUN = 500 << 10

pytestmark = pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="this kernel has none"
)


def flags_at(address: int) -> set[str]:
    """VmFlags of the mapping that holds the address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if bounds := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            low, high = (int(text, 16) for text in bounds.groups())
            inside = low <= address < high
        elif inside and line.startswith("VmFlags:"):
            return set(line.split()[1:])
    raise AssertionError(f"{address:#x} is not mapped")


def arenas(heap: Heap) -> list[int]:
    """Those with a pool, in address order."""
    return sorted({pool.arena for pool in heap.walk_pools() if pool.arena})


def huge_arenas(heap: Heap) -> list[int]:
    return [arena for arena in arenas(heap) if "hg" in flags_at(arena)]


def take(heap: Heap, total: int) -> list[int]:
    return [heap.malloc(RUN) for _ in range(total // RUN)]


def test_the_first_64_mib_are_of_small_pages_and_the_rest_of_huge_ones() -> None:
    with Heap() as heap:
        take(heap, HUGE_FROM * 3 // 4)
        assert huge_arenas(heap) == []
        take(heap, HUGE_FROM)
        assert len(arenas(heap)) - len(huge_arenas(heap)) == HUGE_FROM // ARENA - 1
        verify(heap)


def test_true_asks_for_them_at_once_and_false_never() -> None:
    with Heap(huge_pages=True) as heap:
        heap.malloc(16)
        assert huge_arenas(heap) == arenas(heap)
    with Heap(huge_pages=False) as heap:
        take(heap, HUGE_FROM + 4 * ARENA)
        assert huge_arenas(heap) == []


def test_arenas_smaller_than_a_huge_page_do_not_ask() -> None:
    with Heap(huge_pages=True, arena_size=1 << 20) as heap:
        heap.malloc(16)
        assert huge_arenas(heap) == []


@pytest.mark.usefixtures("exact")
def test_trim_gives_back_what_no_pool_ever_took_and_the_kernel_may_not_fill_it_again() -> None:
    with Heap(huge_pages=True) as heap:
        block = heap.malloc(1024)
        fill(block, 1, 1024)
        arena = arenas(heap)[0]
        heap.trim()
        assert "hg" not in flags_at(arena)
        header = min(pool.address for pool in heap.walk_pools()) - arena
        assert header <= 256 << 10
        assert resident_pages(arena + header, ARENA - header) == 1
        verify(heap)


def test_an_arena_without_a_block_is_made_huge_again_where_it_serves_next() -> None:
    with Heap(huge_pages=True) as heap:
        run = heap.malloc(RUN)
        heap.trim()
        split = arenas(heap)
        assert huge_arenas(heap) == []
        heap.free(run)
        heap.malloc(RUN)
        assert huge_arenas(heap) == split
        verify(heap)


def test_any_other_value_is_refused() -> None:
    with pytest.raises(BadArgumentError, match="Invalid huge_pages=2: must be True, False or None"):
        Heap(huge_pages=2)  # type: ignore[arg-type]
