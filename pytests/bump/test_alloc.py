"""Requests: alignment, sizes, contents, zeroing, and sizes that can't be."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from heapyard.bump import BIG, MAX_ALIGNMENT
from heapyard.errors import BadArgumentError, OutOfMemoryError
from pytests.bump.verify import counters_of
from pytests.support.memory import fill, is_zero, read

if TYPE_CHECKING:
    from heapyard import Bump
    from pytests.bump.conftest import MakeBump

ALIGNMENTS = [1 << n for n in range(21)]
SIZES = [0, 1, 15, 16, 17, 20, 100, 4096, 8200, BIG - 1, BIG, BIG + 1, 300_000]
IMPOSSIBLE = [2**64 - n for n in (1, 7, 8, 9, 15, 16, 17, 4096, 2**20)] + [2**63, 2**63 - 1, 2**62]


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("size", SIZES)
def test_block_is_aligned_as_asked_and_at_least_to_16(
    bump: Bump, size: int, alignment: int
) -> None:
    bump.alloc(1)
    for _ in range(3):
        address = bump.alloc(size, alignment=alignment)
        assert address % max(alignment, 16) == 0
        fill(address, 0xCC, size)
        assert bump.contains(address)


@pytest.mark.parametrize("size", SIZES)
def test_blocks_do_not_overlap_and_keep_their_contents(bump: Bump, size: int) -> None:
    blocks = [bump.alloc(size) for _ in range(40)]
    for number, block in enumerate(blocks):
        fill(block, number, size)
    for low, high in pairwise(sorted(blocks)):
        assert high - low >= max(size, 1)
    for number, block in enumerate(blocks):
        assert read(block, size) == bytes([number]) * size


def test_zero_bytes_have_a_distinct_address_each(bump: Bump) -> None:
    blocks = [bump.alloc(0) for _ in range(100)]
    assert len(set(blocks)) == 100
    assert all(bump.contains(block) for block in blocks)


def test_small_blocks_lie_side_by_side(bump: Bump, redzone: int) -> None:
    blocks = [bump.alloc(20) for _ in range(50)]
    assert [high - low for low, high in pairwise(blocks)] == [32 + redzone] * 49


@pytest.mark.parametrize("size", IMPOSSIBLE)
def test_size_that_cannot_be_is_refused_and_changes_nothing(bump: Bump, size: int) -> None:
    before = bump.alloc(8)
    walk = bump.walk()
    with pytest.raises(OutOfMemoryError):
        bump.alloc(size)
    assert bump.walk() == walk
    assert bump.alloc(8) > before


@pytest.mark.parametrize("alignment", [1, 32, 4096, MAX_ALIGNMENT])
@pytest.mark.parametrize("size", IMPOSSIBLE)
def test_size_that_cannot_be_is_refused_at_any_alignment(
    bump: Bump, size: int, alignment: int
) -> None:
    walk = bump.walk()
    with pytest.raises(OutOfMemoryError):
        bump.alloc(size, alignment=alignment)
    assert bump.walk() == walk


@pytest.mark.parametrize(
    ("count", "size"),
    [
        (2**32, 2**32),
        (2**63, 2),
        (3, 2**63),
        (2**64 - 1, 2**64 - 1),
        (2**33, 2**31 + 1),
        (1, 2**63),
    ],
)
def test_product_that_overflows_is_refused(bump: Bump, count: int, size: int) -> None:
    with pytest.raises(OutOfMemoryError):
        bump.alloc_zeroed(count, size)


def test_each_refusal_counts_a_failure(bump: Bump) -> None:
    for _ in range(3):
        with pytest.raises(OutOfMemoryError):
            bump.alloc(2**64 - 1)
    with pytest.raises(OutOfMemoryError):
        bump.alloc_zeroed(2**63, 2)
    counters = counters_of(bump)
    assert (counters.failures, counters.allocs, counters.bytes) == (4, 0, 0)


@pytest.mark.parametrize("alignment", [-1, 0, 3, 24, 2**21, 2**63])
def test_bad_alignment_is_refused_by_name(bump: Bump, alignment: int) -> None:
    with pytest.raises(BadArgumentError, match=f"Invalid alignment={alignment}: must be a power"):
        bump.alloc(8, alignment=alignment)


@pytest.mark.parametrize("alignment", [0, 3, 24, 2**21, 2**63, 2**64 - 1])
def test_bad_alignment_is_null_in_c(bump: Bump, alignment: int) -> None:
    assert bump._native.hy_bump_alloc_aligned(bump.handle, 8, alignment) is None


@pytest.mark.parametrize("size", [-1, 2**64])
def test_size_that_c_cannot_hold_is_refused_by_name(bump: Bump, size: int) -> None:
    with pytest.raises(BadArgumentError, match=f"Invalid size={size}: must be"):
        bump.alloc(size)


@pytest.mark.parametrize("size", [n for n in SIZES if n])
def test_zeroed_memory_is_zero_when_fresh_and_when_reused(bump: Bump, size: int) -> None:
    for _ in range(3):
        for _ in range(4):
            block = bump.alloc_zeroed(1, size)
            assert is_zero(block, size)
            fill(block, 0xFF, size)
        bump.reset()


@pytest.mark.parametrize("dirty", [1, 100, 4000, 30_000])
def test_zeroed_memory_is_zero_where_only_a_part_was_used(bump: Bump, dirty: int) -> None:
    fill(bump.alloc(dirty), 0xFF, dirty)
    bump.reset()
    assert is_zero(bump.alloc_zeroed(1, 40_000), 40_000)


def test_zeroed_memory_is_zero_after_a_shrink(bump: Bump) -> None:
    block = bump.alloc(5000)
    fill(block, 0xFF, 5000)
    assert bump.realloc(block, 5000, 10) == block
    assert is_zero(bump.alloc_zeroed(50, 100), 5000)


def test_zeroed_memory_is_zero_after_a_rewind(bump: Bump) -> None:
    mark = bump.mark()
    for _ in range(30):
        fill(bump.alloc(5000), 0xFF, 5000)
    bump.rewind(mark)
    for _ in range(30):
        assert is_zero(bump.alloc_zeroed(1, 5000), 5000)


def test_zeroed_memory_is_zero_after_trim(bump: Bump) -> None:
    fill(bump.alloc(50_000), 0xFF, 50_000)
    bump.reset()
    bump.trim()
    assert is_zero(bump.alloc_zeroed(1, 50_000), 50_000)


@pytest.mark.parametrize(("count", "size"), [(0, 0), (0, 9), (9, 0)])
def test_nothing_zeroed_is_a_block_too(bump: Bump, count: int, size: int) -> None:
    assert bump.alloc_zeroed(count, size) != bump.alloc_zeroed(count, size)


def test_requests_and_their_sizes_are_counted_as_asked(bump: Bump) -> None:
    bump.alloc(20)
    bump.alloc(0)
    bump.alloc(100_000)
    bump.alloc(5, alignment=4096)
    bump.alloc_zeroed(3, 7)
    counters = counters_of(bump)
    assert (counters.allocs, counters.bytes) == (5, 20 + 0 + 100_000 + 5 + 21)


def test_two_arenas_share_nothing(make_bump: MakeBump) -> None:
    one, two = make_bump(), make_bump()
    block = one.alloc(100)
    assert one.contains(block)
    assert not two.contains(block)
    two.reset()
    assert one.contains(block)
