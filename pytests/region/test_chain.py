"""Chains and extensions: what is refused changes nothing, what is added is used."""

from __future__ import annotations

import random

import pytest

from heapyard.errors import BadArgumentError
from heapyard.region import Engine, Region, Span, SpanError, Status, minimum_size
from pytests.region.blocks import (
    ENGINES,
    SETUPS,
    Blocks,
    Setup,
    contents,
    unused_bytes,
    usable_bytes,
)

KIB = 1 << 10
BAD = [(Engine.FAST, 4), (Engine.FAST, 8), (Engine.LIST, 2), (Engine.LIST, 32), (Engine.LIST, 5)]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 1000])
@pytest.mark.parametrize("order", ["up", "down", "mixed"])
@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_spans_are_found_in_whatever_order_they_were_added(
    setup: Setup, order: str, count: int
) -> None:
    span = Span(4 * KIB * (count + 1))
    parts = [span.part(4 * KIB * i, 2 * KIB) for i in range(count + 1)]
    if order == "down":
        parts.reverse()
    elif order == "mixed":
        random.Random(count).shuffle(parts)
    blocks = Blocks(setup.region(parts[0]))
    for part in parts[1:]:
        blocks.region.chain(part)
    blocks.region.check()
    taken = []
    while (address := blocks.take(300)) is not None:
        taken.append(address)
    assert {(address - span.address) // (4 * KIB) for address in taken} == set(range(count + 1))
    assert all(blocks.region.contains(address) for address in taken)
    assert not any(blocks.region.contains(part.end + KIB) for part in parts)
    random.Random(1).shuffle(taken)
    for address in taken:
        blocks.give(address)
    assert unused_bytes(blocks.region) == usable_bytes(blocks.region)
    blocks.region.check()


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize(
    ("first", "size"),
    [(0, 4), (4, 4), (3, 2), (7, 2), (5, 1), (0, 12), (3, 6), (4, 1), (7, 1)],
    ids=str,
)
def test_a_span_that_overlaps_is_refused(setup: Setup, first: int, size: int) -> None:
    span = Span(12 * KIB)
    region = setup.region(span.part(4 * KIB, 4 * KIB))
    overlap = first < 8 and first + size > 4
    before = contents(region)
    if overlap:
        with pytest.raises(SpanError) as refused:
            region.chain(span.part(first * KIB, size * KIB))
        assert refused.value.status is Status.OVERLAPS
        assert contents(region) == before
    else:
        region.chain(span.part(first * KIB, size * KIB))
    region.check()


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize("shared", [1, 15, 16, 17])
@pytest.mark.parametrize("side", ["below", "above"])
def test_spans_may_touch_but_not_share_a_byte(setup: Setup, side: str, shared: int) -> None:
    span = Span(16 * KIB)
    region = setup.region(span.part(4 * KIB, 4 * KIB))
    region.chain(span.part(8 * KIB + 2, KIB))
    edge = {"below": 3 * KIB + shared, "above": 9 * KIB + 2 - shared}[side]
    with pytest.raises(SpanError, match="overlaps"):
        region.chain(span.part(edge, KIB))
    touching = {"below": 3 * KIB, "above": 9 * KIB + 2}[side]
    region.chain(span.part(touching, KIB))
    region.check()


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 63, 64])
def test_a_span_without_room_for_one_block_is_refused(setup: Setup, size: int) -> None:
    region = setup.region()
    before = contents(region)
    with pytest.raises(SpanError) as refused:
        region.chain(Span(4096).part(0, size))
    assert refused.value.status is Status.TOO_SMALL
    assert contents(region) == before


@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_a_span_past_the_end_of_the_address_space_is_refused(setup: Setup) -> None:
    region = setup.region()
    native = region._native
    assert native.hy_region_chain(region.handle, 2**64 - 4096, 8192) == Status.WRAPS
    assert native.hy_region_chain(region.handle, None, 8192) == Status.TOO_SMALL
    assert native.hy_region_create(2**64 - 4096, 8192, None) is None
    assert native.hy_region_create(None, 8192, None) is None


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize("off", [-4096, -16, -1, 1, 16, 4096])
def test_extend_names_an_end_that_no_span_has(setup: Setup, off: int) -> None:
    region = setup.region()
    end = region.span.end + off
    with pytest.raises(SpanError, match="no region of the chain ends there"):
        region.extend(end, end + 4096)
    region.check()


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize("step", [1, 15, 16, 17, 100, 1023, 1024, 1040, 5000])
def test_extending_again_and_again_is_making_it_large_at_once(setup: Setup, step: int) -> None:
    size = 2 * KIB + 60 * step
    span, other = Span(size, alignment=1 << 20), Span(size, alignment=1 << 20)
    blocks = Blocks(setup.region(span.part(0, 2 * KIB)), setup.granule)
    for end in range(span.address + 2 * KIB, span.end, step):
        blocks.take(70)
        blocks.region.extend(end, end + step)
        blocks.verify_all()
    blocks.give_all()
    assert blocks.region.walk()[-1].end == span.end
    assert usable_bytes(blocks.region) == usable_bytes(setup.region(other))


@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_a_full_region_goes_on_behind_its_last_block_when_extended(setup: Setup) -> None:
    span = Span(64 * KIB, alignment=1 << 20)
    blocks = Blocks(setup.region(span.part(0, 8 * KIB)), setup.granule)
    last = blocks.must_take(usable_bytes(blocks.region))
    assert blocks.take(1) is None
    blocks.region.extend(span.address + 8 * KIB, span.end)
    grown = blocks.resize(last, 30 * KIB)
    assert grown == last
    blocks.verify_all()
    blocks.give_all()
    assert unused_bytes(blocks.region) == usable_bytes(blocks.region)


@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_a_chained_region_can_be_extended_too(setup: Setup) -> None:
    span = Span(64 * KIB)
    region = setup.region(span.part(0, 8 * KIB))
    region.chain(span.part(16 * KIB, 8 * KIB))
    region.extend(span.address + 24 * KIB, span.end)
    region.extend(span.address + 8 * KIB, span.address + 16 * KIB)
    assert region.alloc(35 * KIB) > span.address + 16 * KIB
    region.check()


@pytest.mark.parametrize(("engine", "granule"), BAD, ids=str)
def test_granules_that_an_engine_does_not_have_are_refused(engine: Engine, granule: int) -> None:
    with pytest.raises(BadArgumentError, match=f"Invalid granule={granule}"):
        Region(4096, engine=engine, granule=granule)
    with pytest.raises(BadArgumentError, match="granule"):
        minimum_size(engine, granule=granule)


@pytest.mark.parametrize("status", Status, ids=lambda status: status.name.lower())
def test_every_status_has_a_text_of_its_own(status: Status) -> None:
    assert [other for other in Status if other.text == status.text] == [status]
