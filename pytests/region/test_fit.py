"""The fast engine takes the smallest free block that is large enough, whatever its trees hold."""

from __future__ import annotations

import random

import pytest

from heapyard.region import Engine
from pytests.region.blocks import Blocks, Setup

RANGES = {
    "one tree": (1024, 2032),
    "two trees": (1024, 4080),
    "bins and trees": (16, 8000),
    "few sizes": (1024, 1200),
    "large": (30_000, 60_000),
}


def holed(sizes: list[int], seed: int) -> Blocks:
    """A region without unused memory, and with free blocks of these sizes."""
    blocks = Blocks(Setup(Engine.FAST).region(1 << 23))
    holes = [(blocks.must_take(size), blocks.must_take(1))[0] for size in sizes]
    start, end = blocks.gaps()[-1]
    blocks.must_take(end - start)
    random.Random(seed).shuffle(holes)
    for address in holes:
        blocks.give(address)
    return blocks


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_block_that_fits_is_taken(name: str, seed: int) -> None:
    draw = random.Random(seed)
    low, high = RANGES[name]
    sizes = [draw.randrange(low, high + 1) // 16 * 16 for _ in range(100)]
    blocks = holed(sizes, seed)
    for turn in range(60):
        wanted = draw.randrange(low, high + 100)
        gaps = {start: end - start for start, end in blocks.gaps()}
        best = min((size for size in gaps.values() if size >= wanted), default=None)
        address = blocks.take(wanted)
        assert (address is None) == (best is None)
        if address is not None:
            assert gaps[address] == best
            if turn % 3:
                blocks.give(address)
    blocks.verify_all()


@pytest.mark.parametrize("seed", range(6))
def test_free_blocks_of_one_size_are_all_found(seed: int) -> None:
    blocks = holed([2000] * 40 + [2048] * 40, seed)
    taken = [blocks.take(1985) for _ in range(80)]
    assert None not in taken
    assert blocks.take(1000) is None
    blocks.verify_all()
