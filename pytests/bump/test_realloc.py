"""realloc: contents are kept; the last block and large blocks resize in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.bump import BIG
from heapyard.errors import OutOfMemoryError
from pytests.bump.verify import counters_of, verify
from pytests.support.memory import read, write

if TYPE_CHECKING:
    from heapyard import Bump, FaultyPages

SIZES = [0, 1, 16, 20, 1000, 8200, BIG - 16, BIG, BIG + 5000, 400_000]
PAGE = 4096


def pattern(size: int) -> bytes:
    return bytes(n * 7 % 251 for n in range(size))


def make(bump: Bump, size: int, *, last: bool) -> int:
    block = bump.alloc(size)
    write(block, pattern(size))
    if not last:
        bump.alloc(1)
    return block


@pytest.mark.parametrize("last", [True, False], ids=["last", "not_last"])
@pytest.mark.parametrize("new", SIZES)
@pytest.mark.parametrize("old", SIZES)
def test_what_fits_both_sizes_is_kept(bump: Bump, old: int, new: int, last: bool) -> None:
    block = make(bump, old, last=last)
    moved = bump.realloc(block, old, new)
    kept = min(old, new)
    assert read(moved, kept) == pattern(old)[:kept]
    write(moved, b"\xee" * new)
    verify(bump)


@pytest.mark.parametrize("new", [n for n in SIZES if n < BIG - 16])
@pytest.mark.parametrize("old", [n for n in SIZES if n < BIG - 16])
def test_the_last_block_stays_in_place(bump: Bump, old: int, new: int) -> None:
    block = make(bump, old, last=True)
    assert bump.realloc(block, old, new) == block
    assert counters_of(bump).in_place == 1


@pytest.mark.parametrize("new", [n for n in SIZES if n < BIG - 16])
def test_the_last_block_gives_back_and_takes_exactly_what_it_needs(
    bump: Bump, new: int, redzone: int
) -> None:
    block = make(bump, 1000, last=True)
    bump.realloc(block, 1000, new)
    assert bump.alloc(1) == block + (max(new, 1) + 15) // 16 * 16 + redzone


@pytest.mark.parametrize("old", [n for n in SIZES if 0 < n < BIG - 16])
def test_a_shrinking_block_that_is_not_last_stays_in_place(bump: Bump, old: int) -> None:
    block = make(bump, old, last=False)
    assert bump.realloc(block, old, old // 2) == block


def test_a_growing_block_that_is_not_last_moves(bump: Bump) -> None:
    block = make(bump, 100, last=False)
    assert bump.realloc(block, 100, 200) != block
    counters = counters_of(bump)
    assert (counters.reallocs, counters.in_place) == (1, 0)


def test_growth_byte_by_byte_is_in_place(bump: Bump) -> None:
    block = bump.alloc(0)
    for size in range(3000):
        assert bump.realloc(block, size, size + 1) == block


def test_growth_past_the_block_of_pages_moves_once(bump: Bump) -> None:
    block = bump.alloc(60_000)
    moved = bump.realloc(block, 60_000, 65_400)
    assert moved != block
    assert bump.realloc(moved, 65_400, 500_000) == moved


def test_null_is_a_plain_request(bump: Bump) -> None:
    block = bump.realloc(None, 0, 50)
    assert bump.contains(block)
    assert counters_of(bump).allocs == 1


def test_size_zero_is_not_a_free(bump: Bump) -> None:
    block = bump.alloc(50)
    assert bump.realloc(block, 50, 0) == block
    assert bump.alloc(10) != block


class TestLargeBlocks:
    """Blocks with pages of their own."""

    def test_growth_within_the_pages_is_in_place(self, bump: Bump) -> None:
        block = make(bump, 100_000, last=True)
        assert bump.realloc(block, 100_000, 25 * PAGE) == block

    @pytest.mark.parametrize("new", [60_000, 51_200])
    def test_shrink_to_half_is_in_place(self, bump: Bump, new: int) -> None:
        block = make(bump, 100_000, last=True)
        assert bump.realloc(block, 100_000, new) == block

    def test_shrink_below_half_gives_the_pages_back(self, bump: Bump, source: FaultyPages) -> None:
        block = make(bump, 1_000_000, last=True)
        moved = bump.realloc(block, 1_000_000, 70_000)
        assert read(moved, 70_000) == pattern(70_000)
        assert source.counts.unmapped_bytes >= 1_000_000

    def test_shrink_to_a_small_block_gives_the_pages_back(
        self, bump: Bump, source: FaultyPages
    ) -> None:
        block = make(bump, 1_000_000, last=True)
        moved = bump.realloc(block, 1_000_000, 100)
        assert read(moved, 100) == pattern(100)
        assert source.counts.unmapped_bytes >= 1_000_000
        assert counters_of(bump).big_blocks == 0

    def test_growth_gives_the_old_pages_back(self, bump: Bump, source: FaultyPages) -> None:
        size = 100_000
        block = make(bump, size, last=True)
        for _ in range(8):
            block = bump.realloc(block, size, size * 2)
            size *= 2
            assert read(block, 100_000) == pattern(100_000)
        assert source.counts.mapped_bytes <= size + size // 8 + 2 * BIG

    def test_growth_by_small_steps_moves_once_in_many(
        self, bump: Bump, source: FaultyPages
    ) -> None:
        size = 1_000_000
        block = make(bump, size, last=True)
        before = source.counts.maps
        for _ in range(256):
            block = bump.realloc(block, size, size + 4096)
            size += 4096
        assert read(block, 1_000_000) == pattern(1_000_000)
        assert source.counts.maps - before <= 8

    def test_growth_needs_no_more_than_it_asks_for(self, bump: Bump, source: FaultyPages) -> None:
        block = make(bump, 1_000_000, last=True)
        source.fail_at(1)
        moved = bump.realloc(block, 1_000_000, 1_100_000)
        assert read(moved, 1_000_000) == pattern(1_000_000)

    @pytest.mark.parametrize("new", [70_000, 100, 0])
    def test_a_shrink_never_fails(self, bump: Bump, source: FaultyPages, new: int) -> None:
        block = make(bump, 1_000_000, last=True)
        bump.alloc(65_000)  # the chain has no room left
        source.fail_from(1)
        moved = bump.realloc(block, 1_000_000, new)
        assert read(moved, new) == pattern(new)

    def test_many_large_blocks_keep_apart(self, bump: Bump) -> None:
        blocks = [make(bump, 70_000 + n * PAGE, last=True) for n in range(30)]
        for n, block in enumerate(blocks):
            old = 70_000 + n * PAGE
            moved = bump.realloc(block, old, old * 3)
            assert read(moved, old) == pattern(old)


@pytest.mark.parametrize("old", [100, 8200, 100_000])
@pytest.mark.parametrize("new", [2**64 - 1, 2**64 - 16, 2**63, 2**63 - 1, 2**62])
def test_a_size_that_cannot_be_leaves_the_block_as_it_was(bump: Bump, old: int, new: int) -> None:
    block = make(bump, old, last=True)
    walk = bump.walk()
    with pytest.raises(OutOfMemoryError):
        bump.realloc(block, old, new)
    assert bump.walk() == walk
    assert read(block, old) == pattern(old)


@pytest.mark.parametrize("old", [100, 60_000, 100_000])
def test_a_growth_without_memory_leaves_the_block_as_it_was(
    bump: Bump, source: FaultyPages, old: int
) -> None:
    block = make(bump, old, last=False)
    source.fail_from(1)
    with pytest.raises(OutOfMemoryError):
        bump.realloc(block, old, 500_000)
    assert read(block, old) == pattern(old)
    source.fail_from(0)
    assert read(bump.realloc(block, old, 500_000), old) == pattern(old)
