"""The thirteen defects that were confirmed in an ancestor of this design: none of them is here.

Each test is named after what must hold, and numbered as the table in docs/region.md.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from heapyard.errors import OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.region import Engine, Region, Span, SpanError, Status, minimum_size
from pytests.region.blocks import (
    ENGINES,
    SETUPS,
    Blocks,
    Setup,
    contents,
    free_runs,
    hulls,
    unused_bytes,
    usable_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20


def test_01_coalesced_blocks_of_any_size_keep_their_size(make: Callable[[int], Blocks]) -> None:
    blocks = make(MIB)
    first = blocks.must_take(8191 * 4)
    second = blocks.must_take(16)
    guard = blocks.must_take(16)
    blocks.give(first)
    blocks.give(second)
    assert [run.size for run in free_runs(blocks.region)] == [guard - first]
    assert blocks.must_take(guard - first) == first


@pytest.mark.parametrize("order", ["ascending", "descending", "even then odd"])
def test_01_everything_freed_is_everything_usable(
    make: Callable[[int], Blocks], order: str
) -> None:
    blocks = make(MIB)
    addresses = [blocks.must_take(256) for _ in range(4000)]
    if order == "descending":
        addresses.reverse()
    elif order == "even then odd":
        addresses = addresses[::2] + addresses[1::2]
    for address in addresses:
        blocks.give(address)
    assert unused_bytes(blocks.region) == usable_bytes(blocks.region)
    assert blocks.must_take(usable_bytes(blocks.region))


@pytest.mark.parametrize("alignment", [1 << bits for bits in range(4, 21)])
def test_02_aligned_start_past_the_end_is_refused(setup: Setup, alignment: int) -> None:
    span = Span(4 * MIB, alignment=2 * MIB)
    size = 40 * setup.granule + 1024
    blocks = Blocks(setup.region(span.part(64, size)), setup.granule)
    blocks.must_take(usable_bytes(blocks.region) - setup.granule)
    before = contents(blocks.region)
    address = blocks.take(1, alignment=alignment)
    if address is None:
        assert contents(blocks.region) == before
    else:
        assert address + setup.granule <= span.address + 64 + size
    blocks.verify_all()


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize("size", [2 * MIB, 2 * MIB + 16, 4 * MIB, 32 * MIB])
def test_03_the_last_words_of_a_region_can_be_freed_and_taken_again(
    setup: Setup, size: int
) -> None:
    blocks = Blocks(setup.region(size), setup.granule)
    (start, end) = next(hulls(blocks.region))
    guard = blocks.must_take(16)
    blocks.must_take(end - start - 16 - setup.granule)
    last = blocks.must_take(setup.granule)
    assert last + setup.granule == end
    blocks.give(last)
    assert blocks.must_take(setup.granule) == last
    assert guard == start
    blocks.verify_all()


def test_04_size_0_is_a_distinct_block_that_can_be_freed(blocks: Blocks) -> None:
    addresses = {blocks.must_take(0) for _ in range(50)}
    assert len(addresses) == 50
    assert all(b - a >= blocks.granule for a, b in pairwise(sorted(addresses)))


def test_04_size_0_at_an_alignment_is_not_inside_free_memory(blocks: Blocks) -> None:
    blocks.must_take(0)
    aligned = blocks.must_take(0, alignment=256)
    assert all(not run.address <= aligned < run.end for run in free_runs(blocks.region))


@pytest.mark.parametrize("size", [17, 64, 4096])
def test_04_a_sized_free_of_a_live_block_with_0_is_refused(blocks: Blocks, size: int) -> None:
    address = blocks.must_take(size)
    blocks.must_take(1)
    before = contents(blocks.region)
    with recorded_misuse() as reports:
        blocks.region.free(address, 0)
    assert [(r.kind, r.address) for r in reports] == [(MisuseKind.WRONG_SIZE, address)]
    assert contents(blocks.region) == before


def test_05_an_aligned_address_inside_a_free_block_is_found(setup: Setup) -> None:
    blocks = Blocks(setup.region(Span(1 << 14, alignment=4096).part(16, 3000)), setup.granule)
    (start, end) = next(hulls(blocks.region))
    first = blocks.must_take(end - start - setup.granule)
    blocks.must_take(1)
    blocks.give(first)
    expected = -(-start // 256) * 256
    assert blocks.must_take(end - setup.granule - expected, alignment=256) == expected
    blocks.verify_all()


@pytest.mark.parametrize("place", ["at the list's head", "inside a merged block", "the last"])
@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_06_a_second_free_is_named_and_changes_nothing(setup: Setup, place: str) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    one, two, three = (blocks.must_take(48) for _ in range(3))
    guard = blocks.must_take(48) if place != "the last" else None
    first = {"at the list's head": [one], "inside a merged block": [one, three, two]}
    victim = {"at the list's head": one, "inside a merged block": two}.get(place, three)
    for address in first.get(place, [three]):
        blocks.give(address)
    before = contents(blocks.region)
    with recorded_misuse() as reports:
        blocks.region.free(victim, 48)
    expected = MisuseKind.DOUBLE_FREE if guard is not None else MisuseKind.UNUSED_POINTER
    assert [(r.kind, r.address) for r in reports] == [(expected, victim)]
    assert contents(blocks.region) == before
    blocks.verify_all()


def test_07_a_free_above_the_bump_pointer_is_named(blocks: Blocks) -> None:
    address = blocks.must_take(48)
    _expect(blocks, address + 4096, 48, MisuseKind.UNUSED_POINTER)


def test_07_a_free_with_a_size_that_runs_into_unused_memory_is_named(blocks: Blocks) -> None:
    address = blocks.must_take(48)
    _expect(blocks, address, 64, MisuseKind.WRONG_SIZE)


def test_07_a_free_of_a_foreign_pointer_is_named(blocks: Blocks) -> None:
    blocks.must_take(48)
    other = Span(4096)
    _expect(blocks, other.address, 48, MisuseKind.FOREIGN_POINTER)


def _expect(blocks: Blocks, address: int, size: int, kind: MisuseKind) -> None:
    before = contents(blocks.region)
    with recorded_misuse() as reports:
        blocks.region.free(address, size)
    assert [(r.kind, r.address) for r in reports] == [(kind, address)]
    assert contents(blocks.region) == before


@pytest.mark.parametrize("pad", [8_184, 16_376, 65_504, 1_000_000])
def test_08_pads_of_any_size_are_recorded_whole(setup: Setup, pad: int) -> None:
    pad -= pad % 16
    span = Span(8 * MIB, alignment=4 * MIB)
    blocks = Blocks(setup.region(span.part(2 * MIB - pad - 1024, 3 * MIB)), setup.granule)
    (start, _) = next(hulls(blocks.region))
    aligned = blocks.must_take(16, alignment=2 * MIB)
    assert aligned == span.address + 2 * MIB
    assert [(run.address, run.end) for run in free_runs(blocks.region)] == [(start, aligned)]
    assert blocks.must_take(aligned - start) == start
    blocks.verify_all()


@pytest.mark.parametrize("setup", ENGINES, ids=str)
@pytest.mark.parametrize("back", [1, 16, 4096, 32768, 65535])
def test_09_extend_refuses_to_shrink(setup: Setup, back: int) -> None:
    region = setup.region()
    with pytest.raises(SpanError, match="before the old one") as refused:
        region.extend(region.span.end, region.span.end - back)
    assert refused.value.status is Status.SHRINKS
    region.check()


@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_09_extend_refuses_to_run_over_a_chained_region(setup: Setup) -> None:
    span = Span(1 << 18)
    region = setup.region(span.part(0, 1 << 16))
    region.chain(span.part(1 << 17, 1 << 16))
    with pytest.raises(SpanError) as refused:
        region.extend(span.address + (1 << 16), span.address + (1 << 17) + 1)
    assert refused.value.status is Status.OVERLAPS
    region.extend(span.address + (1 << 16), span.address + (1 << 17))
    region.check()


@pytest.mark.parametrize("grown", [MIB, 2 * MIB, 4 * MIB + 48])
def test_09_extend_keeps_blocks_and_merges_the_tail(setup: Setup, grown: int) -> None:
    span = Span(grown, alignment=MIB)
    blocks = Blocks(setup.region(span.part(0, 1 << 16)), setup.granule)
    first = blocks.must_take(1000)
    last = blocks.must_take(5000)
    tail = unused_bytes(blocks.region)
    blocks.region.extend(span.address + (1 << 16), span.end)
    blocks.verify_all()
    assert unused_bytes(blocks.region) > tail
    assert blocks.must_take(tail + 32) > last > first
    blocks.verify_all()


@pytest.mark.parametrize("fragments", [100, 1_000, 10_000, 60_000])
def test_10_the_fast_engine_looks_at_no_more_blocks_where_there_are_more(fragments: int) -> None:
    region = Setup(Engine.FAST).region(4 * MIB)
    addresses = [region.alloc(16) for _ in range(2 * fragments)]
    for address in addresses[::2]:
        region.free(address)
    if (counters := region.counters()) is None:
        pytest.skip("built without counters")
    for size in (16, 32, 48, 1024, 5000):
        region.free(region.alloc(size))
        counters = region.counters()
    assert counters is not None
    assert counters.free_blocks >= fragments - 5
    assert counters.peak_steps <= 4


@pytest.mark.parametrize("offset", range(1, 17))
def test_11_an_unaligned_span_is_rounded_up(setup: Setup, offset: int) -> None:
    span = Span(8192, alignment=64)
    blocks = Blocks(setup.region(span.part(offset, 2000)), setup.granule)
    address = blocks.must_take(1)
    assert address % setup.granule == 0
    assert min(run.address for run in blocks.region.walk()) == span.address + offset
    assert max(run.end for run in blocks.region.walk()) == span.address + offset + 2000
    blocks.verify_all()


@pytest.mark.parametrize("offset", range(1, 16))
def test_11_an_unaligned_span_that_is_too_small_when_rounded_is_refused(
    setup: Setup, offset: int
) -> None:
    least = minimum_size(setup.engine, granule=setup.granule)
    span = Span(8192, alignment=64)
    with pytest.raises(ValueError, match="must be at least"):
        setup.region(span.part(offset, least + 15 - offset))
    setup.region(span.part(offset, least + 16 - offset)).alloc(1)


@pytest.mark.usefixtures("overwriting")
@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_12_a_chain_of_100_000_regions_is_gone_through_without_recursion(setup: Setup) -> None:
    count, size = 100_000, 1280
    block = 560 if setup.is_fast else 700  # one fits into each region
    span = Span(count * size, alignment=4096)
    region = setup.region(span.part(0, size))
    native, handle = region._native, region.handle
    order = [(i * 7919) % count for i in range(count)]
    for i in order:
        if i != 0:
            assert native.hy_region_chain(handle, span.address + i * size, size) == Status.OK
    taken = [native.hy_region_alloc(handle, block) for _ in range(count)]
    reached = {(address - span.address) // size for address in taken if address}
    assert reached == set(range(count))
    region.check()
    for address in reversed(taken):
        native.hy_region_free_sized(handle, address, block)
    region.check()
    assert region.contains(span.end - 600)


def test_13_live_free_metadata_and_unused_are_separate_and_sum_up(blocks: Blocks) -> None:
    addresses = [blocks.must_take(100) for _ in range(20)]
    for address in addresses[::2]:
        blocks.give(address)
    counters = blocks.region.counters()
    if counters is None:
        pytest.skip("built without counters")
    granules = -(-100 // blocks.granule) * blocks.granule
    assert counters.live_bytes == 10 * granules
    assert counters.free_bytes == 10 * granules
    assert counters.unused_bytes == usable_bytes(blocks.region) - 20 * granules
    parts = counters.live_bytes + counters.free_bytes + counters.metadata_bytes
    assert parts + counters.unused_bytes == counters.region_bytes == blocks.region.span.size


def test_13_a_region_that_is_too_small_is_refused(setup: Setup) -> None:
    least = minimum_size(setup.engine, granule=setup.granule)
    with pytest.raises(ValueError, match=f"must be at least {least}"):
        setup.region(Span(least - 1))
    region: Region = setup.region(Span(least))
    region.alloc(setup.granule)
    with pytest.raises(OutOfMemoryError):
        region.alloc(1)
    region.check()
