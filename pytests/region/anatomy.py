"""Where a region keeps its own words: for tests that overwrite them.

It follows native/region/layout.h, map.h, bins.h and list.h, and is right only for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard.block import BlockState
from pytests.region.blocks import Blocks, free_runs, hulls, runs_of
from pytests.support.memory import peek

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST_HEADER = 64
FAST_HEADER = 464
SMALL_BINS = 64


@dataclass(frozen=True, slots=True)
class Field:
    """Some bytes of a region's own."""

    name: str
    address: int
    size: int = 4

    def __str__(self) -> str:
        return f"{self.name} at {self.address:#x}"


def segment_of(blocks: Blocks) -> int:
    """The address of the first segment's header."""
    start, _ = next(hulls(blocks.region))
    return start - (FAST_HEADER if blocks.region.engine == 0 else LIST_HEADER)


def header_fields(blocks: Blocks) -> Iterator[Field]:
    """The links and numbers of the region and of its first segment that can be verified."""
    region, segment = blocks.region.handle, segment_of(blocks)
    for index, name in enumerate(("seal", "engine, flags, shift, watched", "segments", "header")):
        yield Field(name, region + 4 * index)
    for index, name in enumerate(("first", "last", "root", "current")):
        yield Field(name, region + 16 + 8 * index, 8)
    for index, name in enumerate(("next", "left", "right", "span_size")):
        yield Field(name, segment + 8 * index, 8)
    for name, offset in {"before": 32, "ordinal": 36, "top": 40, "limit": 44, "seal": 52}.items():
        yield Field(name, segment + offset)


def bin_fields(blocks: Blocks) -> Iterator[Field]:
    """The fast engine's bins, their maps, and the count of live blocks."""
    segment = segment_of(blocks)
    yield Field("small_map", segment + 64, 8)
    yield Field("tree_map", segment + 72)
    yield Field("live_blocks", segment + 76)
    for size in range(SMALL_BINS):
        yield Field(f"bins[{size}]", segment + 84 + 4 * size)
    for tree in range(25):
        yield Field(f"trees[{tree}]", segment + 84 + 4 * SMALL_BINS + 4 * tree)


def map_fields(blocks: Blocks) -> Iterator[Field]:
    """The pairs of the fast engine's map that are in use."""
    start, end = next(hulls(blocks.region))
    unused = runs_of(blocks.region, BlockState.UNUSED)
    top = ((unused[0].address if unused else end) - start) // 16 + 1
    for pair in range((top >> 6) + 2):
        yield Field(f"starts[{pair}]", end + 16 * pair, 8)
        yield Field(f"frees[{pair}]", end + 16 * pair + 8, 8)


def fast_block_fields(blocks: Blocks) -> Iterator[Field]:
    """The words in free blocks of the fast engine."""
    for run in free_runs(blocks.region):
        is_tree = run.size // 16 >= SMALL_BINS
        previous = int.from_bytes(peek(run.address + 4, 4), "little")
        names = ["next", "previous", "size"]
        if is_tree and previous == 0:  # blocks on a node's list have no links of the tree
            names += ["child 0", "child 1", "parent"]
        for index, name in enumerate(names):
            yield Field(f"{name} of a block of {run.size}", run.address + 4 * index)
        yield Field(f"last word of a block of {run.size}", run.end - 4)


def list_block_fields(blocks: Blocks) -> Iterator[Field]:
    """The list's head, and the words in its free blocks."""
    yield Field("free", segment_of(blocks) + 56)
    for run in free_runs(blocks.region):
        yield Field(f"next of a block of {run.size}", run.address)
        if run.size > blocks.granule:
            yield Field(f"size of a block of {run.size}", run.address + 4)
