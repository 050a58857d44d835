"""reset keeps blocks of pages, trim gives them back, close gives everything back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Bump, FaultyPages
from heapyard.block import BlockState
from heapyard.errors import ClosedError
from pytests.bump.verify import bytes_by_state, counters_of, verify
from pytests.support.memory import fill, is_zero, resident_pages

if TYPE_CHECKING:
    from pytests.bump.conftest import MakeBump

SIZES = [20, 500, 8200, 60_000]


@pytest.mark.parametrize("size", SIZES)
def test_reset_leaves_nothing_live(bump: Bump, size: int) -> None:
    for _ in range(200):
        bump.alloc(size)
    bump.reset()
    assert bytes_by_state(bump.walk())[BlockState.LIVE] == 0
    verify(bump)


@pytest.mark.parametrize("size", SIZES)
def test_the_same_requests_after_a_reset_map_nothing(
    bump: Bump, source: FaultyPages, size: int
) -> None:
    for _ in range(200):
        bump.alloc(size)
    for _ in range(5):
        bump.reset()
        maps = source.counts.maps
        for _ in range(200):
            bump.alloc(size)
        assert source.counts.maps == maps


def test_reset_keeps_blocks_and_gives_large_ones_back(bump: Bump, source: FaultyPages) -> None:
    for _ in range(100):
        bump.alloc(5000)
    kept = source.counts.mapped_bytes
    bump.alloc(1_000_000)
    bump.reset()
    assert source.counts.mapped_bytes == kept
    counters = counters_of(bump)
    assert (counters.big_blocks, counters.resets, counters.blocks) == (0, 1, 1)


def test_trim_gives_back_all_but_the_first_block(bump: Bump, source: FaultyPages) -> None:
    for _ in range(100):
        bump.alloc(5000)
    mapped = source.counts.mapped_bytes
    bump.reset()
    given = bump.trim()
    counts = source.counts
    assert given == mapped - counts.mapped_bytes + counts.purged_bytes
    assert counters_of(bump).mapped_bytes == 64 << 10
    verify(bump)


def test_trim_of_a_full_arena_gives_nothing(bump: Bump) -> None:
    for _ in range(100):
        bump.alloc(5000)
    assert bump.trim() == 0


def test_a_second_trim_gives_nothing(bump: Bump) -> None:
    for _ in range(100):
        bump.alloc(5000)
    bump.reset()
    assert bump.trim() > 0
    assert bump.trim() == 0


def test_trim_releases_the_pages_that_a_reset_left_dirty(make_bump: MakeBump) -> None:
    # Residence by mincore, on exactly the pages of the one block that stays mapped.
    bump = make_bump(block_size=1 << 20)
    block = bump.alloc(1_000_000)
    fill(block, 0xFF, 1_000_000)
    pages, size = (block + 4095) // 4096 * 4096, 960_000 // 4096 * 4096
    assert resident_pages(pages, size) == size // 4096
    bump.reset()
    assert bump.trim() >= size
    assert resident_pages(pages, size) == 0
    assert is_zero(bump.alloc_zeroed(1, 1_000_000), 1_000_000)


def test_trim_leaves_live_blocks_alone(bump: Bump) -> None:
    block = bump.alloc(3000)
    fill(block, 0x77, 3000)
    mark = bump.mark()
    for _ in range(100):
        bump.alloc(5000)
    bump.rewind(mark)
    bump.trim()
    assert bump.contains(block)
    assert not is_zero(block, 3000)
    verify(bump)


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_close_gives_everything_back(count: int) -> None:
    source = FaultyPages()
    with Bump(source=source) as bump:
        for n in range(count):
            bump.alloc(n * 37 % 9000)
            bump.alloc(100_000) if n % 100 == 0 else None
    counts = source.counts
    assert (counts.mapped_bytes, counts.maps) == (0, counts.unmaps)


def test_a_closed_arena_is_refused() -> None:
    bump = Bump()
    bump.close()
    bump.close()
    with pytest.raises(ClosedError, match="closed"):
        bump.alloc(1)


def test_an_arena_that_is_dropped_gives_everything_back() -> None:
    source = FaultyPages()
    bump = Bump(source=source)
    bump.alloc(100_000)
    del bump
    assert source.counts.mapped_bytes == 0


@pytest.mark.parametrize("count", [1000, 20_000])
def test_close_costs_one_unmap_per_block_of_pages(count: int, redzone: int) -> None:
    source = FaultyPages()
    with Bump(source=source) as bump:
        for _ in range(count):
            bump.alloc(20)
    assert source.counts.unmaps <= count * (32 + redzone) // (64 << 10) + 2
