"""What must hold of a bump arena after every call."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from heapyard.block import Block, BlockState

if TYPE_CHECKING:
    from heapyard.bump import Bump
    from heapyard.counters import BumpCounters

NAMES = {
    BlockState.LIVE: "live_bytes",
    BlockState.FREE: "free_bytes",
    BlockState.METADATA: "metadata_bytes",
    BlockState.UNUSED: "unused_bytes",
}


def counters_of(bump: Bump) -> BumpCounters:
    """The counters, or a skip where the build has none."""
    counters = bump.counters()
    if counters is None:
        pytest.skip("the library was built with HEAPYARD_COUNTERS=OFF")
    return counters


def bytes_by_state(blocks: list[Block]) -> dict[BlockState, int]:
    """How many bytes of a walk are in each state."""
    return {state: sum(b.size for b in blocks if b.state == state) for state in BlockState}


def verify(bump: Bump) -> None:
    """Its own check, the order of its walk, and the identities of its counters."""
    bump.check()
    blocks = bump.walk()
    assert all(low.end <= high.address for low, high in itertools.pairwise(blocks))
    counters = bump.counters()
    if counters is None:
        return
    for state, size in bytes_by_state(blocks).items():
        assert size == getattr(counters, NAMES[state]), f"{state.name}\n{counters.table()}"
    assert sum(block.size for block in blocks) == counters.mapped_bytes
    assert counters.wasted <= counters.unused_bytes
    assert counters.mapped_bytes <= counters.peak_mapped_bytes
