"""Alignment: any power of two, found inside free memory; anything else is refused."""

from __future__ import annotations

import pytest

from heapyard.errors import OutOfMemoryError
from heapyard.region import Span
from pytests.region.blocks import SETUPS, Blocks, Setup, contents, free_runs, hulls

MIB = 1 << 20


@pytest.mark.parametrize("alignment", [1 << bits for bits in range(21)])
@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_blocks_lie_at_every_power_of_two_up_to_1_mib(setup: Setup, alignment: int) -> None:
    blocks = Blocks(setup.region(Span(8 * MIB, alignment=MIB).part(16, 7 * MIB)), setup.granule)
    addresses = [blocks.must_take(size, alignment=alignment) for size in (1, 40, 1000, 70_000)]
    assert all(address % alignment == 0 for address in addresses)
    blocks.verify_all()
    for address in addresses[::2] + addresses[1::2]:
        blocks.give(address)
    assert free_runs(blocks.region) == []


@pytest.mark.parametrize("alignment", [0, 3, 5, 6, 12, 24, 48, 2**31 - 1, 2**31 + 1, 2**64 - 1])
def test_alignments_that_are_no_power_of_two_are_refused(blocks: Blocks, alignment: int) -> None:
    blocks.must_take(64)
    before, counted = contents(blocks.region), blocks.region.counters()
    with pytest.raises(OutOfMemoryError):
        blocks.region.alloc(16, alignment=alignment)
    assert contents(blocks.region) == before
    after = blocks.region.counters()
    if counted is not None and after is not None:
        assert after.failures == counted.failures + 1


@pytest.mark.parametrize("alignment", [1 << bits for bits in (24, 31, 32, 40, 47, 62, 63)])
def test_alignments_that_no_block_can_have_here_are_refused(setup: Setup, alignment: int) -> None:
    span = Span(1 << 16, alignment=1 << 17).part(64, 60_000)
    blocks = Blocks(setup.region(span), setup.granule)
    blocks.must_take(64)
    before = contents(blocks.region)
    if any(start % alignment == 0 for start in range(span.address, span.end, 64)):
        pytest.skip("an address in the span is aligned so")
    assert blocks.take(16, alignment=alignment) is None
    assert contents(blocks.region) == before


@pytest.mark.parametrize("size", [2**64 - 1, 2**64 - 16, 2**63, 2**40, 2**35, 2**32, 2**31])
@pytest.mark.parametrize("alignment", [1, 64, MIB, 2**31, 2**63])
def test_sizes_that_can_not_be_served_are_refused_at_any_alignment(
    blocks: Blocks, size: int, alignment: int
) -> None:
    before = contents(blocks.region)
    assert blocks.take(size, alignment=alignment) is None
    assert contents(blocks.region) == before


@pytest.mark.parametrize("alignment", [32, 64, 256, 1024, 4096])
@pytest.mark.parametrize("hole", [256, 512, 2048, 8192])
def test_a_request_is_served_if_and_only_if_a_hole_holds_an_aligned_range(
    setup: Setup, alignment: int, hole: int
) -> None:
    blocks = Blocks(setup.region(1 << 17), setup.granule)
    holes = [(blocks.must_take(hole), blocks.must_take(48))[0] for _ in range(6)]
    rest = next(reversed(blocks.gaps()))
    blocks.must_take(rest[1] - rest[0])
    for address in holes[::2]:
        blocks.give(address)
    for size in (1, hole // 2, hole - 48, hole):
        fits = blocks.fitting(size, alignment)
        taken = blocks.take(size, alignment=alignment)
        assert (taken is not None) == bool(fits), blocks.map()
        if taken is not None:
            assert taken in [address for address, _ in fits]
            blocks.give(taken)
    blocks.verify_all()


def test_what_alignment_skips_is_free(blocks: Blocks) -> None:
    first = blocks.must_take(16)
    aligned = blocks.must_take(64, alignment=4096)
    runs = free_runs(blocks.region)
    assert [(run.address, run.end) for run in runs] == [(first + 16, aligned)]
    assert blocks.must_take(aligned - first - 16) == first + 16


def test_rounding_past_the_end_is_refused_with_nothing_changed(setup: Setup) -> None:
    blocks = Blocks(setup.region(Span(1 << 13, alignment=1 << 13).part(16, 3000)), setup.granule)
    (start, end) = next(hulls(blocks.region))
    blocks.must_take(end - start - 64)
    before = contents(blocks.region)
    assert blocks.take(16, alignment=2048) is None
    assert contents(blocks.region) == before
    blocks.verify_all()
