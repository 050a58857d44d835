"""Regions with watched blocks; at teardown the check holds, and freeing all leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from heapyard.block import BlockState
from pytests.region.blocks import SETUPS, SPAN, Blocks, Setup, runs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=SETUPS, ids=str)
def setup(request: pytest.FixtureRequest) -> Setup:
    """Each engine, with each granule, with and without poison."""
    value: Setup = request.param
    return value


@pytest.fixture
def overwriting() -> None:
    """For tests that write over a region's own words, or make far more calls than blocks."""
    if current_build().assertions == "full":
        pytest.skip("with HEAPYARD_ASSERT=full each call checks all, and aborts where that fails")


@pytest.fixture
def make(setup: Setup) -> Iterator[Callable[[int], Blocks]]:
    """Regions of any size, held to be sound and to become empty at the end."""
    made: list[Blocks] = []

    def make(size: int = SPAN) -> Blocks:
        made.append(Blocks(setup.region(size), setup.granule))
        return made[-1]

    yield make
    for blocks in made:
        blocks.verify_all()
        blocks.give_all()
        blocks.region.check()
        assert not runs_of(blocks.region, BlockState.LIVE), blocks.map()
        assert not runs_of(blocks.region, BlockState.FREE), blocks.map()
        blocks.region.close()


@pytest.fixture
def blocks(make: Callable[[int], Blocks]) -> Blocks:
    """A region of 64 KiB."""
    return make(SPAN)
