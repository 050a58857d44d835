"""stats: counters and a row for each size class, as JSON and as a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from heapyard import HeapClassStats, HeapStats
from heapyard.heap import CLASSES, good_size
from pytests.heap.verify import counters_of

if TYPE_CHECKING:
    from heapyard import Heap

ROW = HeapClassStats(64, 1500, 1000, 20, 480, 3, 98_304, 64)
REST = HeapClassStats(80, 0, 0, 0, 0, 0, 0, 64)


def test_there_is_a_row_for_each_class_with_its_block_size(heap: Heap) -> None:
    rows = heap.stats().classes
    assert len(rows) == CLASSES
    assert [row.block_size for row in rows] == sorted({good_size(n) for n in range(1, 65_537)})
    assert heap.stats().used_classes == ()


def test_a_row_counts_the_blocks_of_its_class(heap: Heap, annotated: bool) -> None:
    blocks = [heap.malloc(60) for _ in range(100)]
    for block in blocks[:30]:
        heap.free_sized(block, 60)
    (row,) = heap.stats().used_classes
    assert row.block_size == (80 if annotated else 64)
    assert (row.live_blocks, row.pools) == (70, len(heap.walk_pools()))
    assert row.pool_bytes == sum(pool.size for pool in heap.walk_pools())
    assert row.cached_blocks + row.free_blocks >= 30
    assert counters_of(heap).allocs == row.allocs == 100


def test_rows_add_up_to_the_counters(heap: Heap) -> None:
    blocks = [heap.malloc(size) for size in range(1, 30_000, 111)]
    for block in blocks[::3]:
        heap.free(block)
    counters_of(heap)
    stats = heap.stats()
    assert stats.counters is not None
    assert sum(row.live_bytes for row in stats.classes) == stats.counters.live_bytes
    assert sum(row.allocs for row in stats.classes) == stats.counters.allocs


def test_the_table_has_a_row_for_each_used_class_and_their_sum() -> None:
    lines = HeapStats(None, (ROW, REST)).table().splitlines()
    assert lines == [
        "block   live  cached  free  pools  pool bytes  live bytes  allocs  cache limit  in use",
        "   64  1,000      20   480      3      98,304      64,000   1,500           64    65 %",
        "  all  1,000      20   480      3      98,304      64,000   1,500                 65 %",
    ]


def test_the_text_has_table_and_counters(heap: Heap) -> None:
    heap.malloc(100)
    counters_of(heap)
    stats = heap.stats()
    assert stats.counters is not None
    assert str(stats) == f"{stats.table()}\n\n{stats.counters.table()}"
    assert str(HeapStats(None, stats.classes)) == stats.table()


def test_the_table_of_an_unused_heap_has_a_sum_of_nothing(heap: Heap) -> None:
    assert heap.stats().table().splitlines()[1].split() == ["all", *["0"] * 7, "-"]


def test_json_has_the_counters_and_the_used_classes(heap: Heap) -> None:
    heap.malloc(100)
    stats = heap.stats()
    decoded = json.loads(json.dumps(stats.to_json()))
    assert list(decoded) == ["schema", "counters", "classes"]
    assert decoded["schema"] == "heapyard.heap-stats/1"
    (row,) = decoded["classes"]
    assert row["live_blocks"] == 1
    assert list(row) == list(HeapClassStats.__slots__)
    assert HeapStats(None, ()).to_json()["counters"] is None
