"""A general allocator: size classes, pools and arenas behind a handle."""

from heapyard.heap.constants import (
    ALIGNMENT,
    CLASSES,
    DEFAULT_ARENA_SIZE,
    FINE_CLASSES,
    MAX_ALIGNMENT,
    MAX_ARENA_SIZE,
    MAX_POOL_SIZE,
    MAX_SMALL,
    MIN_ARENA_SIZE,
    Purge,
    Violation,
)
from heapyard.heap.heap import Heap, good_size
from heapyard.heap.map import HeapMap
from heapyard.heap.pools import HeapPool, PoolState
from heapyard.heap.stats import HeapClassStats, HeapStats

__all__ = [
    "ALIGNMENT",
    "CLASSES",
    "DEFAULT_ARENA_SIZE",
    "FINE_CLASSES",
    "MAX_ALIGNMENT",
    "MAX_ARENA_SIZE",
    "MAX_POOL_SIZE",
    "MAX_SMALL",
    "MIN_ARENA_SIZE",
    "Heap",
    "HeapClassStats",
    "HeapMap",
    "HeapPool",
    "HeapStats",
    "PoolState",
    "Purge",
    "Violation",
    "good_size",
]
