"""Blocks of pages: their size, how they grow, and how little of them is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import BufferPages, Bump, FaultyPages
from heapyard.block import BlockState
from heapyard.bump import BIG
from heapyard.errors import BadArgumentError, OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.bump.verify import counters_of, verify

if TYPE_CHECKING:
    from pytests.bump.conftest import MakeBump

PAGE = 4096
KIB = 1 << 10


def sizes_of_blocks(bump: Bump) -> list[int]:
    spans: dict[int, int] = {}
    for run in bump.walk():
        spans[run.span] = spans.get(run.span, 0) + run.size
    return sorted(spans.values())


def fill_up(bump: Bump, size: int) -> int:
    """Take blocks until there is no memory; returns how many there were."""
    for served in range(10**6):
        try:
            bump.alloc(size)
        except OutOfMemoryError:
            return served
    pytest.fail("a bounded source never ran out")


@pytest.mark.parametrize("size", [1, PAGE, PAGE + 1, 8 * KIB, 64 * KIB, 1024 * KIB])
def test_blocks_have_the_size_that_was_configured_in_whole_pages(
    make_bump: MakeBump, size: int
) -> None:
    bump = make_bump(block_size=size)
    for _ in range(3 * size // 16):
        bump.alloc(16)
    assert set(sizes_of_blocks(bump)) == {(size + PAGE - 1) // PAGE * PAGE}


def test_blocks_double_up_to_the_largest(make_bump: MakeBump) -> None:
    bump = make_bump(block_size=PAGE, max_block_size=10 * PAGE)
    while counters_of(bump).blocks < 7:
        bump.alloc(16)
    assert sizes_of_blocks(bump) == [n * PAGE for n in (1, 2, 4, 8, 10, 10, 10)]


@pytest.mark.parametrize("block_size", [PAGE, 8 * KIB, 64 * KIB])
@pytest.mark.parametrize("small", [16, 100, 1000])
@pytest.mark.parametrize("large", [4000, 8200, 20_000, 33_000, 60_000, 64 * KIB, 70_000, 200_001])
def test_two_sizes_in_turn_take_little_more_than_their_payload(
    make_bump: MakeBump, block_size: int, small: int, large: int
) -> None:
    bump = make_bump(block_size=block_size)
    rounds = 32_000_000 // large
    for _ in range(rounds):
        bump.alloc(small)
        bump.alloc(large)
    counters = counters_of(bump)
    assert counters.wasted <= counters.mapped_bytes / 16
    rounding = 2 * 16 + small % 16
    assert counters.mapped_bytes <= 1.1 * rounds * (small + large + rounding)


@pytest.mark.parametrize("size", [BIG, BIG + 1, 100_000, 10_000_000])
def test_a_large_request_leaves_the_current_block_in_use(bump: Bump, size: int) -> None:
    first = bump.alloc(16)
    for _ in range(20):
        bump.alloc(size)
    assert bump.alloc(16) - first < 64 * KIB
    counters = counters_of(bump)
    assert (counters.blocks, counters.big_blocks) == (1, 20)


@pytest.mark.parametrize("alignment", [PAGE, 64 * KIB, 1 << 20])
def test_a_large_alignment_costs_no_more_than_a_page(bump: Bump, alignment: int) -> None:
    before = counters_of(bump).mapped_bytes
    for _ in range(10):
        bump.alloc(16, alignment=alignment)
    assert counters_of(bump).mapped_bytes - before <= max(10 * PAGE, 16 * 2 * PAGE)


def test_a_request_that_a_block_of_due_size_cannot_have_gets_one_that_will_do() -> None:
    buffer = BufferPages(24 * PAGE)
    with Bump(source=buffer, block_size=8 * PAGE) as bump:
        for _ in range(3):
            bump.alloc(7 * PAGE)
        assert buffer.used >= 3 * 7 * PAGE
        verify(bump)
    assert buffer.used == 0


def test_a_buffer_is_filled_to_its_last_page() -> None:
    buffer = BufferPages(64 * PAGE)
    with Bump(source=buffer, block_size=PAGE) as bump:
        served = fill_up(bump, 48)
        assert buffer.used == buffer.capacity
        verify(bump)
    assert served * 48 > 0.7 * buffer.capacity


def test_an_arena_without_a_first_block_is_not_made() -> None:
    source = FaultyPages()
    source.fail_at(1)
    with pytest.raises(OutOfMemoryError):
        Bump(source=source)
    with pytest.raises(OutOfMemoryError):
        Bump(block_size=2**64 - 1)


@pytest.mark.parametrize(("block_size", "max_block_size"), [(8192, 4096), (-1, 0), (0, 2**64)])
def test_bad_configuration_is_refused_by_name(block_size: int, max_block_size: int) -> None:
    with pytest.raises(BadArgumentError, match=r"Invalid (max_)?block_size="):
        Bump(block_size=block_size, max_block_size=max_block_size)


@pytest.mark.parametrize(("size", "largest"), [(0, 0), (31, 0), (32, 1), (40, 0)])
def test_bad_configuration_is_named_in_c(bump: Bump, size: int, largest: int) -> None:
    from heapyard._native.prototypes.bump import BumpConfigStruct  # noqa: PLC0415

    config = BumpConfigStruct(size, None, 8192, largest)
    with recorded_misuse() as reports:
        assert bump._native.hy_bump_new(config) is None
    assert [(r.kind, r.detail) for r in reports] == [(MisuseKind.BAD_ARGUMENT, "(configuration)")]


def test_growth_to_the_largest_size_survives_a_source_that_has_less() -> None:
    buffer = BufferPages(40 * PAGE)
    with Bump(source=buffer, block_size=PAGE, max_block_size=1 << 30) as bump:
        fill_up(bump, 1000)
        assert buffer.used == buffer.capacity


def test_live_bytes_are_what_was_asked_rounded_to_16(bump: Bump, redzone: int) -> None:
    for size in (0, 1, 16, 17, 100):
        bump.alloc(size)
    live = sum(run.size for run in bump.walk() if run.state == BlockState.LIVE)
    assert live == 16 + 16 + 16 + 32 + 112 + 5 * redzone


def test_a_kept_block_that_is_too_small_is_passed_over(make_bump: MakeBump) -> None:
    bump = make_bump(block_size=PAGE)
    mark = bump.mark()
    for _ in range(500):
        bump.alloc(16)
    bump.rewind(mark)
    assert bump.contains(bump.alloc(5 * PAGE))


def test_a_large_block_whose_record_has_no_room_gives_its_pages_back(
    make_bump: MakeBump, source: FaultyPages, redzone: int
) -> None:
    bump = make_bump(block_size=PAGE)
    (unused,) = (run.size for run in bump.walk() if run.state == BlockState.UNUSED)
    bump.alloc(unused - redzone)
    mapped = source.counts.mapped_bytes
    source.fail_from(2)
    with pytest.raises(OutOfMemoryError):
        bump.alloc(100_000)
    assert source.counts.mapped_bytes == mapped
    verify(bump)
