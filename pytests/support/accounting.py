"""Counters of an allocator held against its walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from heapyard.block import Block, BlockState
from heapyard.counters import Counters

if TYPE_CHECKING:
    from heapyard._allocator import NativeAllocator

CountersT = TypeVar("CountersT", bound=Counters)

NAMES = {
    BlockState.LIVE: "live_bytes",
    BlockState.FREE: "free_bytes",
    BlockState.METADATA: "metadata_bytes",
    BlockState.UNUSED: "unused_bytes",
}


def counters_of(allocator: NativeAllocator[CountersT]) -> CountersT:
    """The counters, or a skip where the build has none."""
    counters = allocator.counters()
    if counters is None:
        pytest.skip("the library was built with HEAPYARD_COUNTERS=OFF")
    return counters


def bytes_by_state(blocks: list[Block]) -> dict[BlockState, int]:
    """How many bytes of a walk are in each state."""
    return {state: sum(b.size for b in blocks if b.state == state) for state in BlockState}
