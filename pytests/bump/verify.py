"""What must hold of a bump arena after every call."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from pytests.support.accounting import NAMES, bytes_by_state, counters_of

if TYPE_CHECKING:
    from heapyard.bump import Bump

__all__ = ["NAMES", "bytes_by_state", "counters_of", "verify"]


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
