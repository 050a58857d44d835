"""With nothing live, a heap holds at most 8 MiB that the kernel may not take."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from heapyard import Heap
from pytests.heap.verify import counters_of, verify
from pytests.support import runs
from pytests.support.memory import fill, is_zero

if TYPE_CHECKING:
    from pathlib import Path

    from pytests.heap.conftest import MakeHeap

BOUND = 8 << 20

ROUNDS = """
from array import array
from heapyard import Heap
from pytests.support.memory import anonymous_bytes, fill

def take(size, count):
    blocks = array("Q", bytes(8 * count))
    for number in range(count):
        blocks[number] = heap.malloc(size)
        fill(blocks[number], 1, size)
    return blocks

def held():
    return anonymous_bytes() - base

heap = Heap()
base = anonymous_bytes()
"""


def rows_of(body: str) -> list[list[int]]:
    """The numbers that a child prints which runs it."""
    return [[*map(int, line.split())] for line in runs(ROUNDS + body).splitlines()]


@pytest.mark.rss
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("plan", ["churn", "random-free", "lifo"])
@pytest.mark.parametrize(("live", "sizes"), [(4_000, "8-65536"), (60_000, "8-512")])
def test_with_nothing_live_little_is_held(tmp_path: Path, plan: str, live: int, sizes: str) -> None:
    """Blocks in caches are not live: a large heap whose last blocks went to caches kept them all.

    In the end and in the first round: `bench` looks after both.
    """
    answer = tmp_path / "answer.json"
    command = [sys.executable, "-m", "heapyard", "bench", "--target", "heap", "--plan", plan]
    command += ["--live", str(live), "--sizes", sizes, "--rounds", "1", "--pairs", "300000"]
    subprocess.run([*command, "--json", answer], check=True, capture_output=True)
    row = json.loads(answer.read_text())["plans"][0]["rows"][0]
    assert row["peak"] > 10 << 20
    assert row["final"] <= BOUND
    assert row["trimmed"] <= 1 << 20


@pytest.mark.rss
@pytest.mark.usefixtures("exact")
def test_caches_of_all_classes_together_are_within_the_bound() -> None:
    rows = rows_of(
        """
sizes = [16 * n for n in range(1, 33)]
sizes += [(9 + step % 8) << (step // 8 + 6) for step in range(56)]
for _ in range(3):
    of_classes = [take(size, min(4000, (1 << 19) // size)) for size in sizes]
    peak = held()
    for number in range(4000):
        for blocks in of_classes:
            if number < len(blocks):
                heap.free(blocks[number])
    print(peak, held())
"""
    )
    assert all(peak > 32 << 20 for peak, _ in rows)
    assert [left <= BOUND for _, left in rows] == [True] * 3, rows


@pytest.mark.rss
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("count", [300, 1000, 4000])
def test_what_is_freed_once_leaves_the_resident_set(count: int) -> None:
    """As ps shows it: nothing is freed lazily that was not wanted again before."""
    ((before, peak, after),) = rows_of(
        f"""
import psutil
resident = lambda: psutil.Process().memory_info().rss
before = resident()
blocks = take(32_000, {count})
peak = resident()
for block in blocks:
    heap.free(block)
print(before, peak, resident())
"""
    )
    assert peak - before > 30_000 * count
    assert after - before <= BOUND


@pytest.mark.rss
@pytest.mark.usefixtures("exact")
def test_what_a_swinging_heap_keeps_is_freed_lazily() -> None:
    """It learns to keep what it gave back too soon: mapped, but the kernel may have it."""
    rows = rows_of(
        """
for _ in range(4):
    for block in take(32_000, 4000):
        heap.free(block)
    print(held(), heap.counters().dirty_bytes, heap.counters().purged_bytes)
heap.trim()
print(held(), heap.counters().dirty_bytes, 0)
"""
    )
    assert [left <= BOUND for left, _, _ in rows] == [True] * 5, rows
    assert rows[0][1] <= BOUND  # the first time all is given back
    assert rows[3][1] > 100 << 20  # then it is kept
    assert rows[3][2] == rows[2][2]
    assert rows[4][0] <= 1 << 20
    assert rows[4][1] == 0


@pytest.mark.usefixtures("exact")
def test_pages_freed_lazily_serve_again_and_read_as_zero_by_calloc() -> None:
    with Heap() as heap:
        for _ in range(4):  # from the second time on it keeps them
            blocks = [heap.malloc(30_000) for _ in range(1000)]
            for block in blocks:
                fill(block, 0xA5, 30_000)
                heap.free(block)
        assert counters_of(heap).dirty_bytes > 20 << 20
        again = [heap.calloc(1, 30_000) for _ in range(1000)]
        verify(heap)
        assert all(is_zero(block, 30_000) for block in again)


@pytest.mark.parametrize("size", [600, 3000, 30_000, 60_000])
def test_the_last_block_of_a_pool_may_have_shrunk_in_its_place(size: int) -> None:
    """A free by its new size looked at the pool, which was gone, for its class."""
    with Heap() as heap:
        for _ in range(3):
            block = heap.realloc(heap.malloc(size), size * 4 // 5)
            heap.free_sized(block, size * 4 // 5)
            verify(heap)


@pytest.mark.usefixtures("exact")
def test_pages_of_other_sources_are_purged(make_heap: MakeHeap) -> None:
    """Only pages of the default source can be freed lazily."""
    heap = make_heap()
    for block in [heap.malloc(30_000) for _ in range(1000)]:
        heap.free(block)
    assert counters_of(heap).dirty_bytes <= 5 << 20
    verify(heap)
