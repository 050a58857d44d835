"""The constants of <heapyard/heap.h>."""

from __future__ import annotations

from enum import IntEnum

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
    "Purge",
    "Violation",
]

ALIGNMENT = 16
"""HY_HEAP_ALIGNMENT: the least alignment of a block."""

MAX_ALIGNMENT = 1 << 20
"""HY_HEAP_MAX_ALIGNMENT: the largest alignment that can be asked for."""

MAX_SMALL = 64 << 10
"""HY_HEAP_MAX_SMALL: the largest block of a size class."""

CLASSES = 88
"""HY_HEAP_CLASSES: the number of size classes."""

FINE_CLASSES = 32
"""HY_HEAP_FINE_CLASSES: how many of them are multiples of 16, up to 512."""

MIN_ARENA_SIZE = 256 << 10
"""HY_HEAP_MIN_ARENA_SIZE."""

MAX_ARENA_SIZE = 64 << 20
"""HY_HEAP_MAX_ARENA_SIZE."""

DEFAULT_ARENA_SIZE = 4 << 20
"""HY_HEAP_DEFAULT_ARENA_SIZE."""

MAX_POOL_SIZE = 64 << 10
"""HY_HEAP_MAX_POOL_SIZE: the largest, and the default, bound of a pool's size."""


class Purge(IntEnum):
    """hy_heap_purge: what happens to pages that hold nothing any more but have been touched."""

    THRESHOLD = 0
    """Purged when they are more than `purge_threshold` bytes."""
    AT_ONCE = 1
    """Purged when their pool empties."""
    ON_TRIM = 2
    """Purged by `Heap.trim` only."""


class Violation(IntEnum):
    """hy_heap_check_code: the codes of CheckFailedError."""

    SOUND = 0
    ARENA_HEADER = 1
    PAGE_MAP = 2
    POOL_BOUNDS = 3
    POOL_COUNT = 4
    POOL_LIST = 5
    FREE_LIST = 6
    CACHE = 7
    ARENA_ORDER = 8
    LARGE_BLOCK = 9
    RADIX = 10
    TOTAL = 11
