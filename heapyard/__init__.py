"""Put any C allocator on trial, and a family of small allocators to embed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapyard.bump import Bump, BumpMark
    from heapyard.counters import (
        BumpCounters,
        CollectorCounters,
        HeapCounters,
        ListCounters,
        RegionCounters,
        SpaceCounters,
    )
    from heapyard.errors import HeapyardError
    from heapyard.heap import (
        Heap,
        HeapClassStats,
        HeapMap,
        HeapPool,
        HeapStats,
        PoolState,
        Purge,
    )
    from heapyard.objects import (
        Collection,
        GenerationStats,
        Kind,
        ObjectSpace,
        ObjectType,
        WeakReference,
    )
    from heapyard.pages import BufferPages, FaultyPages, MmapPages, PageSource
    from heapyard.region import Engine, Region, Span

__all__ = [
    "BufferPages",
    "Bump",
    "BumpCounters",
    "BumpMark",
    "Collection",
    "CollectorCounters",
    "Engine",
    "FaultyPages",
    "GenerationStats",
    "Heap",
    "HeapClassStats",
    "HeapCounters",
    "HeapMap",
    "HeapPool",
    "HeapStats",
    "HeapyardError",
    "Kind",
    "ListCounters",
    "MmapPages",
    "ObjectSpace",
    "ObjectType",
    "PageSource",
    "PoolState",
    "Purge",
    "Region",
    "RegionCounters",
    "SpaceCounters",
    "Span",
    "WeakReference",
]

_HOMES = {
    "Bump": "heapyard.bump",
    "BumpMark": "heapyard.bump",
    "BumpCounters": "heapyard.counters",
    "HeapyardError": "heapyard.errors",
    "Heap": "heapyard.heap",
    "HeapClassStats": "heapyard.heap",
    "HeapCounters": "heapyard.counters",
    "HeapMap": "heapyard.heap",
    "HeapPool": "heapyard.heap",
    "HeapStats": "heapyard.heap",
    "PoolState": "heapyard.heap",
    "Purge": "heapyard.heap",
    "Collection": "heapyard.objects",
    "CollectorCounters": "heapyard.counters",
    "GenerationStats": "heapyard.objects",
    "ListCounters": "heapyard.counters",
    "Kind": "heapyard.objects",
    "ObjectSpace": "heapyard.objects",
    "ObjectType": "heapyard.objects",
    "WeakReference": "heapyard.objects",
    "SpaceCounters": "heapyard.counters",
    "BufferPages": "heapyard.pages",
    "FaultyPages": "heapyard.pages",
    "MmapPages": "heapyard.pages",
    "PageSource": "heapyard.pages",
    "Engine": "heapyard.region",
    "Region": "heapyard.region",
    "RegionCounters": "heapyard.counters",
    "Span": "heapyard.region",
}


def __getattr__(name: str) -> object:
    """Import on demand: the pytest plugin is loaded in every project that has it installed."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
