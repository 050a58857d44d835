"""Frees past a full cache are finished late: nothing of it shows but when a double free is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Purge
from heapyard.misuse import Misuse, MisuseKind, recorded_misuse
from pytests.heap.verify import counters_of, pool_of, verify
from pytests.support.memory import fill, read

if TYPE_CHECKING:
    from heapyard import Heap
    from pytests.heap.conftest import MakeHeap

LATE = 16
LATE_FROM = 64 << 10
"""Bytes of a class."""
SIZES = [16, 48, 512, 2000]

pytestmark = pytest.mark.usefixtures("exact")


@pytest.fixture
def full(make_heap: MakeHeap) -> Heap:
    """A heap whose blocks may go to caches."""
    return make_heap()


def overfill(heap: Heap, size: int) -> tuple[list[int], list[int]]:
    """Live blocks, and freed ones of the same pools: more than the cache takes, the last late."""
    blocks = [heap.malloc(size) for _ in range(max(5000, 2 * LATE_FROM // size))]
    for block in blocks[: len(blocks) * 3 // 4 : 2]:
        heap.free(block)
    last = blocks[len(blocks) * 3 // 4 :]
    return blocks[1 : len(blocks) * 3 // 4 : 2] + last, blocks[: len(blocks) * 3 // 4 : 2]


def told(reports: list[Misuse]) -> list[int]:
    """The blocks of which a double free was told; nothing else may have been."""
    assert {report.kind for report in reports} <= {MisuseKind.DOUBLE_FREE}
    return [report.address for report in reports]


@pytest.mark.parametrize("size", SIZES)
def test_late_blocks_are_not_live(full: Heap, size: int) -> None:
    live, freed = overfill(full, size)
    counters = counters_of(full)
    assert counters.live_blocks == len(live)
    assert counters.frees == len(freed)
    row = next(row for row in full.stats().classes if row.live_blocks)
    assert row.live_blocks == len(live)
    verify(full)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("back", [1, 2, LATE])
def test_a_double_free_of_a_late_block_is_told_once(full: Heap, size: int, back: int) -> None:
    live, freed = overfill(full, size)
    with recorded_misuse() as reports:
        full.free(freed[-back])
        for block in live[-LATE:]:
            full.free(block)
    assert told(reports) == [freed[-back]]
    assert counters_of(full).live_blocks == len(live) - LATE
    verify(full)


@pytest.mark.parametrize("size", SIZES)
def test_a_free_that_is_made_twice_in_a_row_is_told_at_once(full: Heap, size: int) -> None:
    _, freed = overfill(full, size)
    with recorded_misuse() as reports:
        full.free(freed[-1])
        assert told(reports) == [freed[-1]]
    verify(full)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("which", [0, 500, 1000])
def test_a_double_free_past_a_full_cache_is_told_within_16_frees(
    full: Heap, size: int, which: int
) -> None:
    """Of a block in the cache, or in its pool."""
    live, freed = overfill(full, size)
    with recorded_misuse() as reports:
        full.free(freed[which])
        for block in live[-LATE:]:
            full.free(block)
    assert told(reports) == [freed[which]]
    assert counters_of(full).live_blocks == len(live) - LATE
    verify(full)


@pytest.mark.parametrize("size", SIZES)
def test_a_late_block_is_known_to_be_free_at_once(full: Heap, size: int) -> None:
    _, freed = overfill(full, size)
    with recorded_misuse() as reports:
        full.usable_size(freed[-1])
        full.usable_size(freed[-LATE])
    assert len(told(reports)) == 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("which", [0, 64, -1])
def test_where_a_class_has_little_out_nothing_is_late(full: Heap, size: int, which: int) -> None:
    blocks = [full.malloc(size) for _ in range(min(5000, LATE_FROM // size - 1))]
    freed = blocks[::2]
    for block in freed:
        full.free(block)
    with recorded_misuse() as reports:
        full.free(freed[min(which, len(freed) - 1)])
    assert len(told(reports)) == 1


@pytest.mark.parametrize("size", SIZES)
def test_check_tells_a_double_free_that_is_late(full: Heap, size: int) -> None:
    _, freed = overfill(full, size)
    with recorded_misuse() as reports:
        full.free(freed[0])
        full.check()
    assert len(told(reports)) == 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("taken", [1, 10, 200])
def test_once_the_cache_has_room_a_late_block_does_not_go_there_too(
    full: Heap, size: int, taken: int
) -> None:
    """It was in the cache and in its pool, and handed out twice."""
    live, freed = overfill(full, size)
    live += [full.malloc(size) for _ in range(taken)]
    twice = next(block for block in freed[::-1] if block not in live)
    with recorded_misuse() as reports:
        full.free(twice)
        full.free(twice)
        full.check()
    assert told(reports) == [twice, twice]
    live += [full.malloc(size) for _ in range(3000)]
    assert len({*live}) == len(live)
    verify(full)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("taken", [1, 10, 200])
def test_a_late_block_that_is_freed_again_is_not_handed_out_twice(
    full: Heap, size: int, taken: int
) -> None:
    live, freed = overfill(full, size)
    live += [full.malloc(size) for _ in range(taken)]
    with recorded_misuse() as reports:
        full.free(next(block for block in freed[::-1] if block not in live))
        live.append(full.malloc(size))
        full.check()
    assert len(told(reports)) == 1
    live += [full.malloc(size) for _ in range(3000)]
    assert len({*live}) == len(live)
    verify(full)


@pytest.mark.parametrize("size", [16, 512])
@pytest.mark.parametrize("purge", [Purge.THRESHOLD, Purge.AT_ONCE])
def test_a_double_free_that_outlives_its_pool_is_told(
    make_heap: MakeHeap, size: int, purge: Purge
) -> None:
    """The last blocks of a pool are late, one twice: its pages go before that is looked at."""
    full = make_heap(purge=purge)
    blocks = [full.malloc(size) for _ in range(20_000)]
    others = [full.malloc(size) for _ in range(1000)]
    pool = pool_of(full, blocks[9_000])
    for block in blocks[:9_000]:
        full.free(block)
    inside = [block for block in blocks[9_000:] if pool.address <= block < pool.end]
    for block in [block for block in blocks[9_000:] if block not in {*inside}] + inside[:-4]:
        full.free(block)
    with recorded_misuse() as reports:
        for block in (*inside[-4:], inside[-4], inside[-4]):
            full.free(block)
        full.check()
    assert {report.address for report in reports} == {inside[-4]}
    assert len(reports) == 2
    assert counters_of(full).live_blocks == len(others)
    verify(full)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_handed_out_after_is_nobody_else_s(full: Heap, size: int) -> None:
    live, freed = overfill(full, size)
    for number, block in enumerate(live):
        fill(block, number % 251, size)
    again = [full.malloc(size) for _ in freed]
    assert len({*live, *again}) == len(live) + len(again)
    for block in again:
        fill(block, 0xFF, size)
    assert all(
        read(block, size) == bytes([number % 251]) * size for number, block in enumerate(live)
    )
    verify(full)
