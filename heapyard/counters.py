"""The debug counters of the allocators: one field for each line of the C list.

The C side has one X-macro list per allocator, which generates the struct. The dataclasses here are
the same lists; from them come the ctypes struct, the JSON and the text table, and the tests hold
them against the library. What each counter means stands beside it in the header.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ctypes import Structure


@dataclass(frozen=True, slots=True)
class Counters:
    """What every list of counters begins with."""

    size: int
    version: int

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The counters in the order of the C list."""
        return tuple(item.name for item in fields(cls))

    @classmethod
    def read(cls, struct: Structure) -> Self:
        """The values of a filled-in C struct."""
        return cls(*(getattr(struct, name) for name in cls.names()))

    def to_json(self) -> dict[str, Any]:
        """Names to values, in the order of the C list."""
        return {name: getattr(self, name) for name in self.names()}

    def table(self) -> str:
        """One line for each counter, the values aligned to the right."""
        width = max(len(name) for name in self.names())
        return "\n".join(f"{name:<{width}} {value:>16,}" for name, value in self.to_json().items())


@dataclass(frozen=True, slots=True)
class BumpCounters(Counters):
    """The counters of a bump arena: HY_BUMP_COUNTERS in <heapyard/bump.h>."""

    allocs: int
    bytes: int
    reallocs: int
    in_place: int
    failures: int
    rewinds: int
    resets: int
    blocks: int
    block_bytes: int
    spare_blocks: int
    big_blocks: int
    big_bytes: int
    cleanups: int
    marks: int
    wasted: int
    live_bytes: int
    free_bytes: int
    metadata_bytes: int
    unused_bytes: int
    mapped_bytes: int
    peak_mapped_bytes: int


@dataclass(frozen=True, slots=True)
class RegionCounters(Counters):
    """The counters of a region: HY_REGION_COUNTERS in <heapyard/region.h>."""

    regions: int
    region_bytes: int
    live_bytes: int
    free_bytes: int
    metadata_bytes: int
    unused_bytes: int
    live_blocks: int
    free_blocks: int
    peak_live_bytes: int
    allocs: int
    frees: int
    in_place: int
    moved: int
    failures: int
    misuses: int
    steps: int
    peak_steps: int


@dataclass(frozen=True, slots=True)
class HeapCounters(Counters):
    """The counters of a heap: HY_HEAP_COUNTERS in <heapyard/heap.h>."""

    allocs: int
    frees: int
    reallocs: int
    in_place: int
    failures: int
    maps: int
    unmaps: int
    purges: int
    purged_bytes: int
    live_blocks: int
    cached_blocks: int
    arenas: int
    empty_arenas: int
    pools: int
    full_pools: int
    empty_pools: int
    page_runs: int
    large_blocks: int
    live_bytes: int
    free_bytes: int
    metadata_bytes: int
    unused_bytes: int
    dirty_bytes: int
    mapped_bytes: int
    peak_mapped_bytes: int


@dataclass(frozen=True, slots=True)
class DomainCounters(Counters):
    """The counters of a domain: HY_DOMAIN_COUNTERS in <heapyard/domain.h>."""

    allocs: int
    frees: int
    reallocs: int
    failures: int
    live_blocks: int
    held_bytes: int
    peak_held_bytes: int
    live_bytes: int
    peak_live_bytes: int
    quarantined_blocks: int
    quarantined_bytes: int


@dataclass(frozen=True, slots=True)
class SpaceCounters(Counters):
    """The counters of an object space: HY_SPACE_COUNTERS in <heapyard/object.h>."""

    types: int
    made: int
    failures: int
    plain: int
    dealloc: int
    finalize: int
    legacy: int
    finalized: int
    resurrected: int
    deferred: int
    list_hits: int
    list_misses: int
    list_overflows: int
    list_flushes: int
    weak_references: int
    listed_blocks: int
    listed_bytes: int
    quarantined: int
    live_objects: int
    mapped_bytes: int


@dataclass(frozen=True, slots=True)
class ListCounters(Counters):
    """The counters of one free list of a space: HY_LIST_COUNTERS in <heapyard/object.h>."""

    block_size: int
    blocks: int
    hits: int
    misses: int
    overflows: int
    flushes: int


@dataclass(frozen=True, slots=True)
class CollectorCounters(Counters):
    """The counters of a space's collector: HY_GC_COUNTERS in <heapyard/gc.h>."""

    young_collections: int
    middle_collections: int
    full_collections: int
    postponed: int
    candidates: int
    collected: int
    resurrected: int
    uncollectable: int
    frozen: int
    pools_skipped: int
    pools_walked: int
    log_entries: int
    log_bytes: int
    side_bytes: int
