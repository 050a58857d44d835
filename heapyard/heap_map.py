"""A heap drawn: where its blocks and pools lie, for the terminal and as SVG."""

from __future__ import annotations

import shutil
from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from heapyard.block import BlockState
from heapyard.errors import BadArgumentError
from heapyard.heap_pools import PoolState

if TYPE_CHECKING:
    from heapyard.block import Block
    from heapyard.heap import Heap
    from heapyard.heap_pools import HeapPool

__all__ = ["LEAST_WIDTH", "HeapMap", "MapSpan", "read_map"]

LEAST_WIDTH = 40
"""The narrowest terminal, in columns, that a map is drawn for."""


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
class HeapMap:
    """A heap at one moment. `str()` draws it for the terminal."""

    spans: tuple[MapSpan, ...]
    """Arenas and other mappings, by address."""

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

    def draw(self, *, width: int | None = None, rows: int = 40) -> str:
        """The map as text: one line per arena, or per part of it, or for several arenas.

        `width` is in columns, by default the terminal's; `rows` bounds the lines for arenas, and
        the lines for pools, where the pools with the least in use come first.
        """
        from heapyard._heap_text import draw_text  # noqa: PLC0415

        if width is None:
            width = max(shutil.get_terminal_size().columns, LEAST_WIDTH)
        if width < LEAST_WIDTH:
            raise BadArgumentError("width", width, f"must be at least {LEAST_WIDTH} columns")
        if rows < 1:
            raise BadArgumentError("rows", rows, "must be at least 1 line")
        return draw_text(self, width, rows)

    def svg(self) -> str:
        """The map as an SVG document that needs no other file; what lies where shows on hover."""
        from heapyard._heap_svg import draw_svg  # noqa: PLC0415

        return draw_svg(self)

    def __str__(self) -> str:
        return self.draw()


def read_map(heap: Heap) -> HeapMap:
    """The map of a heap. O(blocks)."""
    runs = heap.walk()
    pools = heap.walk_pools()
    starts = [pool.address for pool in pools]
    spans = []
    for _, group in groupby(runs, key=lambda run: run.span):
        inside = tuple(group)
        first = bisect_left(starts, inside[0].address)
        last = bisect_left(starts, inside[-1].end)
        spans.append(MapSpan(inside, tuple(pools[first:last])))
    return HeapMap(tuple(spans))
