"""Marks: a rewind frees all since the mark, and nothing before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.block import BlockState
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.bump.verify import bytes_by_state, counters_of, verify
from pytests.support import dies
from pytests.support.memory import fill, read

if TYPE_CHECKING:
    from heapyard import Bump, BumpMark, FaultyPages
    from pytests.bump.conftest import MakeBump

SIZES = [1, 20, 5000, 60_000, 100_000]
COUNTS = [0, 1, 3, 50]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", COUNTS)
def test_rewind_brings_back_what_was_live_at_the_mark(bump: Bump, size: int, count: int) -> None:
    before = bump.alloc(3000)
    fill(before, 0xAB, 3000)
    mark = bump.mark()
    live = bytes_by_state(bump.walk())[BlockState.LIVE]
    for _ in range(count):
        fill(bump.alloc(size), 0xFF, size)
    assert bump.rewind(mark)
    assert bytes_by_state(bump.walk())[BlockState.LIVE] == live
    assert read(before, 3000) == b"\xab" * 3000
    verify(bump)


def test_the_same_requests_after_a_rewind_get_the_same_addresses(bump: Bump) -> None:
    mark = bump.mark()
    first = [bump.alloc(3000) for _ in range(100)]
    bump.rewind(mark)
    assert [bump.alloc(3000) for _ in range(100)] == first


def test_rounds_of_mark_and_rewind_map_nothing_new(bump: Bump, source: FaultyPages) -> None:
    mark = bump.mark()
    for _ in range(50):
        bump.rewind(mark)
        for _ in range(100):
            bump.alloc(3000)
    maps = source.counts.maps
    for _ in range(50):
        bump.rewind(mark)
        for _ in range(100):
            bump.alloc(3000)
    assert source.counts.maps == maps


def test_marks_nest(bump: Bump) -> None:
    marks: list[BumpMark] = []
    positions = []
    for _ in range(20):
        marks.append(bump.mark())
        positions.append(bump.alloc(5000))
    for mark, position in zip(marks[::-1], positions[::-1], strict=True):
        assert bump.rewind(mark)
        assert bump.alloc(5000) == position
    assert bump.rewind(marks[0])
    assert counters_of(bump).marks == 1


def test_a_mark_outlives_its_rewind(bump: Bump) -> None:
    mark = bump.mark()
    for _ in range(10):
        bump.alloc(40_000)
        assert bump.rewind(mark)
    assert counters_of(bump).rewinds == 10


def test_large_blocks_since_the_mark_go_back_to_the_source(bump: Bump, source: FaultyPages) -> None:
    kept = bump.alloc(100_000)
    mark = bump.mark()
    mapped = source.counts.mapped_bytes
    for _ in range(5):
        bump.alloc(200_000)
    bump.rewind(mark)
    assert source.counts.mapped_bytes == mapped
    assert bump.contains(kept)
    assert counters_of(bump).big_blocks == 1


def test_a_large_block_made_before_and_resized_since_does_no_harm(bump: Bump) -> None:
    block = bump.alloc(100_000)
    mark = bump.mark()
    bump.realloc(block, 100_000, 100)
    bump.rewind(mark)
    verify(bump)
    bump.alloc(100_000)


def bad_marks(bump: Bump, other: Bump) -> dict[str, BumpMark]:
    """Marks that are not set in `bump`."""
    early = bump.mark()
    late = bump.mark()
    foreign = other.mark()
    bump.rewind(early)
    bump.alloc(5000)
    return {"gone": late, "foreign": foreign, "none": type(late)(0, 0)}


@pytest.mark.parametrize("name", ["gone", "foreign", "none"])
def test_rewind_to_a_mark_that_is_not_set_is_named_and_has_no_effect(
    make_bump: MakeBump, name: str
) -> None:
    bump, other = make_bump(), make_bump()
    mark = bad_marks(bump, other)[name]
    walk = bump.walk()
    with recorded_misuse() as reports:
        assert not bump.rewind(mark)
    assert [(r.kind, r.part, r.detail) for r in reports] == [
        (MisuseKind.BAD_ARGUMENT, "bump", "(not a mark that is set)")
    ]
    assert bump.walk() == walk


def test_a_mark_at_the_place_of_one_that_is_gone_is_told_apart(bump: Bump) -> None:
    early = bump.mark()
    gone = bump.mark()
    bump.rewind(early)
    again = bump.mark()
    assert again.record == gone.record
    with recorded_misuse() as reports:
        assert not bump.rewind(gone)
    assert len(reports) == 1
    assert bump.rewind(again)


def test_a_mark_is_gone_after_reset(bump: Bump) -> None:
    mark = bump.mark()
    bump.reset()
    with recorded_misuse() as reports:
        assert not bump.rewind(mark)
    assert len(reports) == 1


@pytest.mark.death
def test_rewind_to_a_mark_that_is_past_aborts_with_its_name() -> None:
    dies(
        """
        from heapyard import Bump
        bump = Bump()
        early, late = bump.mark(), bump.mark()
        bump.rewind(early)
        bump.rewind(late)
        """,
        match=r"heapyard: bump: bad argument of 0x[0-9a-f]+ \(not a mark that is set\)\n",
    )
