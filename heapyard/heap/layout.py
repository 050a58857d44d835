"""How the memory of a heap is laid out: what it has mapped, with the pools and blocks inside."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Self

from heapyard.block import BlockState
from heapyard.heap.pools import PoolState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from heapyard.block import Block
    from heapyard.heap.pools import HeapPool

__all__ = ["HeapLayout", "MapSpan"]


@dataclass(frozen=True, slots=True)
class MapSpan:
    """An arena, or another mapping: a large block, or the heap's own data."""

    runs: tuple[Block, ...]
    pools: tuple[HeapPool, ...]

    @property
    def address(self) -> int:
        """Where it starts."""
        return self.runs[0].address

    @property
    def size(self) -> int:
        """In bytes."""
        return self.runs[-1].end - self.address

    @property
    def is_arena(self) -> bool:
        """Whether it holds, or could hold, pools."""
        own = len(self.runs) == 1 and self.runs[0].state == BlockState.METADATA
        return not own and all(pool.arena is not None for pool in self.pools)

    @property
    def is_large_block(self) -> bool:
        """Whether it is one block with a mapping of its own."""
        return any(pool.arena is None for pool in self.pools)

    @property
    def live_bytes(self) -> int:
        """In live blocks, rounding included."""
        return sum(run.size for run in self.runs if run.state == BlockState.LIVE)


@dataclass(frozen=True, slots=True)
class HeapLayout:
    """All that a heap has mapped at one moment."""

    spans: tuple[MapSpan, ...]
    """Arenas and other mappings, by address."""

    @classmethod
    def of(cls, runs: Iterable[Block], pools: Sequence[HeapPool]) -> Self:
        """From what a walk of the heap shows, and from its pools, by address."""
        starts = [pool.address for pool in pools]
        spans = []
        for _, group in groupby(runs, key=lambda run: run.span):
            inside = tuple(group)
            first = bisect_left(starts, inside[0].address)
            last = bisect_left(starts, inside[-1].end)
            spans.append(MapSpan(inside, tuple(pools[first:last])))
        return cls(tuple(spans))

    @property
    def arenas(self) -> tuple[MapSpan, ...]:
        """The spans that hold pools, or could."""
        return tuple(span for span in self.spans if span.is_arena)

    @property
    def large_blocks(self) -> tuple[MapSpan, ...]:
        """The blocks with a mapping of their own."""
        return tuple(span for span in self.spans if span.is_large_block)

    @property
    def pools(self) -> tuple[HeapPool, ...]:
        """All pools of small blocks, by address."""
        pools = (pool for span in self.spans for pool in span.pools)
        return tuple(pool for pool in pools if pool.state != PoolState.BLOCK)

    def blocks_of(self, pool: HeapPool) -> tuple[Block, ...]:
        """The runs inside one pool: blocks, and what was not carved."""
        for span in self.spans:
            if span.address <= pool.address < span.address + span.size:
                first = bisect_left(span.runs, pool.address, key=lambda run: run.address)
                last = bisect_left(span.runs, pool.end, key=lambda run: run.address)
                return span.runs[first:last]
        return ()
