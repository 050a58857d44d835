"""realloc: in place where the next memory allows it; what is kept is kept."""

from __future__ import annotations

import pytest

from heapyard.errors import OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.region import Engine
from pytests.region.blocks import SETUPS, Blocks, Setup, contents, free_runs, hulls

SIZES = [1, 15, 16, 17, 64, 1023, 1024, 1025, 2000, 5000]


@pytest.mark.parametrize("new", SIZES)
@pytest.mark.parametrize("old", SIZES)
def test_the_last_block_is_resized_in_place(blocks: Blocks, old: int, new: int) -> None:
    address = blocks.must_take(old)
    assert blocks.resize(address, new) == address
    blocks.verify_all()


@pytest.mark.parametrize("old", SIZES)
def test_a_block_grows_into_the_free_block_behind_it(blocks: Blocks, old: int) -> None:
    address, behind, _ = (blocks.must_take(n) for n in (old, 3000, 16))
    blocks.give(behind)
    assert blocks.resize(address, old + 2000) == address
    blocks.verify_all()
    grown = blocks.occupied(blocks.live[address])
    assert [run.address for run in free_runs(blocks.region)] == [address + grown]


def test_a_block_grows_over_all_of_the_free_block_behind_it(blocks: Blocks) -> None:
    address, behind, guard = (blocks.must_take(n) for n in (64, 960, 16))
    blocks.give(behind)
    assert blocks.resize(address, guard - address) == address
    assert free_runs(blocks.region) == []


@pytest.mark.parametrize("old", SIZES)
def test_what_shrinking_leaves_joins_the_free_block_behind(blocks: Blocks, old: int) -> None:
    address, behind, _ = (blocks.must_take(n) for n in (old, 960, 16))
    blocks.give(behind)
    assert blocks.resize(address, 1) == address
    assert len(free_runs(blocks.region)) == 1
    blocks.verify_all()


def test_a_block_moves_where_its_neighbour_lives(blocks: Blocks) -> None:
    address, neighbour = blocks.must_take(64), blocks.must_take(64)
    moved = blocks.resize(address, 1000)
    assert moved not in (None, address)
    assert [run.address for run in free_runs(blocks.region)] == [address]
    assert neighbour in blocks.live


def test_a_block_moves_where_the_free_block_behind_is_too_small(blocks: Blocks) -> None:
    address, behind, _ = (blocks.must_take(64) for _ in range(3))
    blocks.give(behind)
    assert blocks.resize(address, 129) != address
    blocks.verify_all()


def test_without_room_the_block_stays_as_it_was(blocks: Blocks) -> None:
    address = blocks.must_take(64)
    blocks.must_take(64)
    start, end = blocks.gaps()[-1]
    blocks.must_take(end - start)
    before = contents(blocks.region)
    assert blocks.resize(address, 65) is None
    assert contents(blocks.region) == before


@pytest.mark.parametrize("new", [2**64 - 1, 2**64 - 16, 2**63, 2**40, 2**36, 2**35 + 1, 2**32])
def test_sizes_that_can_not_be_served_are_refused(blocks: Blocks, new: int) -> None:
    address = blocks.must_take(100)
    before = contents(blocks.region)
    assert blocks.resize(address, new) is None
    assert contents(blocks.region) == before


@pytest.mark.parametrize("old", [0, 1, 100])
def test_size_0_is_a_block_of_one_granule_and_not_a_free(blocks: Blocks, old: int) -> None:
    address = blocks.must_take(old)
    assert blocks.resize(address, 0) == address
    assert address in blocks.live
    other = blocks.must_take(1)
    assert other == address + blocks.granule


def test_realloc_of_null_is_alloc(setup: Setup) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    start, _ = next(hulls(blocks.region))
    assert blocks.region.realloc(None, 100) == start
    assert blocks.region.realloc(None, 100, old_size=0, alignment=4096) % 4096 == 0


@pytest.mark.parametrize("alignment", [32, 256, 4096])
def test_a_block_that_moves_keeps_the_alignment_that_is_asked_for(
    blocks: Blocks, alignment: int
) -> None:
    address = blocks.must_take(64, alignment=alignment)
    blocks.must_take(16)
    for size in (100, 300, 1000, 5000):
        moved = blocks.resize(address, size, alignment=alignment)
        assert moved is not None
        assert moved % alignment == 0
        blocks.must_take(16)
        address = moved


def test_a_block_moves_where_it_is_not_aligned_as_asked(blocks: Blocks) -> None:
    blocks.must_take(16)
    address = blocks.must_take(64)
    moved = blocks.resize(address, 64, alignment=8192)
    assert moved is not None
    assert moved % 8192 == 0
    blocks.verify_all()


@pytest.mark.parametrize("alignment", [3, 24, 2**64 - 1])
def test_an_alignment_that_is_no_power_of_two_is_refused(blocks: Blocks, alignment: int) -> None:
    address = blocks.must_take(64)
    before = contents(blocks.region)
    assert blocks.resize(address, 100, alignment=alignment) is None
    assert contents(blocks.region) == before


@pytest.mark.parametrize("setup", [s for s in SETUPS if s.is_fast], ids=str)
def test_the_fast_engine_holds_the_old_size_against_the_block(setup: Setup) -> None:
    blocks = Blocks(setup.region())
    address = blocks.must_take(100)
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        blocks.region.realloc(address, 200, old_size=50)
    assert [report.kind for report in reports] == [MisuseKind.WRONG_SIZE]
    assert blocks.region.realloc(address, 200) == address
    assert blocks.region.engine is Engine.FAST
