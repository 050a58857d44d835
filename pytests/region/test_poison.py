"""With poison on, memory written after it was freed is found: by the next alloc, or by check."""

from __future__ import annotations

import pytest

from heapyard.errors import CheckFailedError, OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.region import Engine, Violation
from pytests.region.blocks import Blocks, Setup
from pytests.support.memory import peek, poke

pytestmark = pytest.mark.usefixtures("overwriting")

POISONED = [Setup(Engine.FAST, poison=True), Setup(Engine.LIST, 4, poison=True)]
POISONED += [Setup(Engine.LIST, 16, poison=True)]
PLACES = [24, 25, 31, 32, 100, 1000, 2040]


@pytest.fixture(params=POISONED, ids=str)
def blocks(request: pytest.FixtureRequest) -> Blocks:
    setup: Setup = request.param
    return Blocks(setup.region(), setup.granule)


def freed_between(blocks: Blocks, size: int = 2048) -> int:
    """A free block with live ones on both sides."""
    blocks.must_take(16)
    address = blocks.must_take(size)
    blocks.must_take(16)
    blocks.give(address)
    return address


@pytest.mark.parametrize("place", PLACES)
def test_check_finds_a_write_to_a_free_block(blocks: Blocks, place: int) -> None:
    address = freed_between(blocks)
    poke(address + place, b"!")
    with pytest.raises(CheckFailedError) as failed:
        blocks.region.check()
    assert failed.value.code == Violation.WRITTEN_AFTER_FREE
    assert failed.value.address == (address + place) & ~3


@pytest.mark.parametrize("place", PLACES)
def test_the_next_alloc_finds_a_write_to_a_free_block(blocks: Blocks, place: int) -> None:
    address = freed_between(blocks)
    poke(address + place, b"!")
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        blocks.region.alloc(2048)
    assert [(r.kind, r.address) for r in reports] == [
        (MisuseKind.WRITE_AFTER_FREE, (address + place) & ~3)
    ]


@pytest.mark.parametrize("place", PLACES)
def test_the_next_alloc_finds_a_write_to_the_last_block(blocks: Blocks, place: int) -> None:
    address = blocks.must_take(2048)
    blocks.give(address)
    poke(address + place, b"!")
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        blocks.region.alloc(2048)
    assert [r.kind for r in reports] == [MisuseKind.WRITE_AFTER_FREE]
    with pytest.raises(CheckFailedError):
        blocks.region.check()


@pytest.mark.parametrize("place", PLACES)
def test_an_aligned_alloc_finds_a_write_too(blocks: Blocks, place: int) -> None:
    address = freed_between(blocks, 8192)
    inside = -(-address // 4096) * 4096
    poke(inside + place, b"!")
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        blocks.region.alloc(2048, alignment=4096)
    assert [r.kind for r in reports] == [MisuseKind.WRITE_AFTER_FREE]


@pytest.mark.parametrize("place", PLACES)
def test_growing_in_place_finds_a_write_to_the_block_behind(blocks: Blocks, place: int) -> None:
    address = freed_between(blocks)
    poke(address + place, b"!")
    with recorded_misuse() as reports:
        assert blocks.resize(address - 16, 16 + 2048) != address - 16
    assert {r.kind for r in reports} == {MisuseKind.WRITE_AFTER_FREE}


def test_freed_memory_is_poison_also_where_blocks_were_joined(blocks: Blocks) -> None:
    addresses = [blocks.must_take(size) for size in (48, 2000, 64, 1040, 16)]
    for index in (0, 2, 1, 3):
        blocks.give(addresses[index])
    start, end = addresses[0], addresses[4]
    assert set(peek(start + 24, end - start - 28)) == {0xDD}
    blocks.region.check()


def test_poison_survives_blocks_that_come_and_go(blocks: Blocks) -> None:
    for turn in range(200):
        kept = [blocks.must_take((turn * 37 + n * 211) % 3000) for n in range(6)]
        for address in kept[::2]:
            blocks.give(address)
        if turn % 5 == 4:
            blocks.give_all()
        blocks.region.check()
    assert blocks.region.handle


def test_without_poison_a_freed_block_keeps_its_bytes_but_for_the_links() -> None:
    blocks = Blocks(Setup(Engine.FAST).region())
    address = freed_between(blocks)  # the first two blocks are filled with 2 and 3
    assert set(peek(address + 24, 2000)) == {3}


def test_reset_poisons_what_was_live(blocks: Blocks) -> None:
    address = blocks.must_take(2048)
    blocks.region.reset()
    blocks.live.clear()
    assert set(peek(address, 2048)) == {0xDD}
    blocks.region.check()
    poke(address + 100, b"!")
    with pytest.raises(CheckFailedError):
        blocks.region.check()
