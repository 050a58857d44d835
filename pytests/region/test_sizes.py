"""Regions of any size: the smallest, and far above what 32 bits count in bytes.

The large spans are mapped from a file without data (where memory is not handed out beyond what
there is, an anonymous mapping of this size is refused): only what is written exists.
"""

from __future__ import annotations

import ctypes
import mmap
import tempfile

import pytest

from heapyard._native.build import current_build
from heapyard.region import Engine, Span, SpanError, Status, minimum_size
from pytests.region.blocks import ENGINES, SETUPS, Blocks, Setup, hulls, unused_bytes, usable_bytes
from pytests.support.memory import read, write

GIB = 1 << 30
LARGE = [2 * GIB, 4 * GIB - 16, 4 * GIB, 4 * GIB + 48, 6 * GIB, 16 * GIB]


class _Hollow(Span):
    """Memory that is a file's, of which nothing is written yet."""

    def __init__(self, size: int) -> None:
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            self._mapping = mmap.mmap(file.fileno(), size)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._mapping))
        self.size = size


def hollow(size: int) -> Span:
    """A span of any size; under AddressSanitizer, whose shadow is an eighth of it, up to 16 GiB."""
    if size > 16 * GIB and current_build().has_sanitizer("address"):
        pytest.skip(f"the shadow of {size // GIB} GiB does not fit")
    try:
        return _Hollow(size)
    except OSError as error:
        pytest.skip(f"no mapping of {size} bytes here: {error}")


@pytest.mark.parametrize("more", range(0, 200, 4))
@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_the_smallest_regions_are_used_whole(setup: Setup, more: int) -> None:
    least = minimum_size(setup.engine, granule=setup.granule)
    blocks = Blocks(setup.region(Span(least + more)), setup.granule)
    blocks.must_take(usable_bytes(blocks.region))
    assert blocks.take(0) is None
    blocks.verify_all()
    blocks.give_all()
    while blocks.take(1) is not None:
        pass
    assert len(blocks.live) == usable_bytes(blocks.region) // setup.granule
    blocks.give_all()
    blocks.verify_all()
    assert unused_bytes(blocks.region) == usable_bytes(blocks.region)


@pytest.mark.parametrize("size", LARGE)
@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_a_region_above_4_gib_is_used_to_its_last_byte(setup: Setup, size: int) -> None:
    region = setup.region(hollow(size))
    (start, end) = next(hulls(region))
    assert end - start > size * 0.98
    large = region.alloc(end - start - 64)
    last = region.alloc(64)
    assert (large, last + 64) == (start, end)
    write(last, b"the last bytes" + bytes(50))
    region.check()
    region.free(large, end - start - 64)
    assert region.alloc(end - start - 80) == start
    assert read(last, 14) == b"the last bytes"
    region.check()


@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_blocks_of_more_than_4_gib_are_measured_split_and_joined(setup: Setup) -> None:
    region = setup.region(hollow(16 * GIB))
    sizes = [5 * GIB + 16, 16, 4 * GIB, 16, 4 * GIB + 32, 16]
    one, _, two, middle, three, _ = (region.alloc(size) for size in sizes)
    assert region.usable_size(one) in (0, 5 * GIB + 16)
    region.free(two, 4 * GIB)
    region.free(three, 4 * GIB + 32)
    region.free(middle, 16)
    assert region.alloc(8 * GIB + 48) == two
    assert region.realloc(two, 6 * GIB, old_size=8 * GIB + 48) == two
    region.check()


def test_a_large_block_is_measured_wherever_its_size_lies_in_the_map() -> None:
    """The size takes 32 bits of the map, from any bit of a word on, and into the next word."""
    region = Setup(Engine.FAST).region(hollow(4 * GIB))
    size = 0x0A5C3E97 << 4
    for before in range(64):
        for _ in range(before):
            region.alloc(1)
        address = region.alloc(size)
        region.alloc(1)
        assert region.usable_size(address) == size
        region.free(address, size)
        assert region.alloc(size) == address
        region.check()
        region.reset()


@pytest.mark.parametrize("setup", [*ENGINES, Setup(Engine.LIST, 4)], ids=str)
@pytest.mark.parametrize("gib", [9, 33, 65, 100])
def test_a_span_of_more_granules_than_a_region_counts_is_cut(setup: Setup, gib: int) -> None:
    region = setup.region(hollow(gib * GIB))
    most = (2**31 - 1) * setup.granule
    parts = list(hulls(region))
    assert len(parts) == -(-gib * GIB // (most + (most // 64 if setup.is_fast else 0)))
    assert sum(end - start for start, end in parts) > gib * GIB * 0.98
    assert all(region.contains(start) and region.contains(end - 1) for start, end in parts)
    longest = max(end - start for start, end in parts)
    with pytest.raises(MemoryError):
        region.alloc(longest + 1)
    region.check()


@pytest.mark.parametrize("setup", [Setup(Engine.LIST), Setup(Engine.LIST, 4)], ids=str)
def test_each_part_of_a_span_that_was_cut_is_used(setup: Setup) -> None:
    """The list engine only: the other clears a map of 1/64 of what is handed out first."""
    region = setup.region(hollow(100 * GIB))
    parts = list(hulls(region))
    taken = [region.alloc(end - start) for start, end in parts]
    assert sorted(taken) == [start for start, _ in parts]
    for address, (start, end) in zip(taken, parts, strict=True):
        region.free(address, end - start)
    region.check()


@pytest.mark.parametrize("setup", [*ENGINES, Setup(Engine.LIST, 4)], ids=str)
def test_a_region_is_not_extended_beyond_what_it_can_count(setup: Setup) -> None:
    span = hollow(40 * GIB)
    region = setup.region(span.part(0, 1 << 20))
    most = (2**31 - 1) * setup.granule
    longest = most + (most // 64 if setup.is_fast else 0)
    with pytest.raises(SpanError) as refused:
        region.extend(span.address + (1 << 20), span.address + longest + 1)
    assert refused.value.status is Status.TOO_LARGE
    region.check()
    region.extend(span.address + (1 << 20), span.address + longest)
    assert usable_bytes(region) > most * 0.999
    region.check()


@pytest.mark.parametrize("size", [2**64 - k for k in range(1, 40, 3)] + [2**63, 2**35, 2**32])
def test_sizes_near_the_largest_are_refused_and_change_nothing(setup: Setup, size: int) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    blocks.must_take(64)
    walked = blocks.region.walk()
    assert blocks.take(size) is None
    assert blocks.region.walk() == walked


@pytest.mark.parametrize(
    ("count", "size"), [(2**32, 2**32), (2**63, 2), (3, 2**63), (2**64 - 1, 2)]
)
def test_calloc_refuses_a_product_that_overflows(setup: Setup, count: int, size: int) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    walked = blocks.region.walk()
    with pytest.raises(MemoryError):
        blocks.region.calloc(count, size)
    assert blocks.region.walk() == walked


@pytest.mark.parametrize(("count", "size"), [(0, 0), (0, 5), (1, 1), (3, 7), (100, 41), (1, 4096)])
def test_calloc_clears_what_was_used_before(setup: Setup, count: int, size: int) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    blocks.give(blocks.must_take(8192))
    assert read(blocks.region.calloc(count, size), count * size) == bytes(count * size)


@pytest.mark.parametrize("size", [*range(1, 16), 16, 64, 4096])
def test_a_freed_block_of_a_full_region_can_be_taken_again(setup: Setup, size: int) -> None:
    """Where a structure rounds requests up to a class, the freed block is in the class below."""
    for step in range(30):
        wanted = size * 16 + 16 * step
        blocks = Blocks(setup.region(1 << 17), setup.granule)
        address, _ = blocks.must_take(wanted), blocks.must_take(16)
        start, end = blocks.gaps()[-1]
        blocks.must_take(end - start)
        blocks.give(address)
        assert blocks.must_take(wanted) == address


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100, 1024, 1025, 5000, 40_000])
def test_usable_size_is_what_the_block_has(size: int) -> None:
    region = Setup(Engine.FAST).region()
    address = region.alloc(size)
    usable = max(-(-size // 16), 1) * 16
    assert region.usable_size(address) == usable
    write(address, b"x" * usable)
    region.check()
    assert region.usable_size(None) == 0
    assert Setup(Engine.LIST).region().usable_size(None) == 0
