"""<heapyard/heap.h>. A heap is a handle: a void pointer."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from types import MappingProxyType

from heapyard._native.prototypes._table import Part, counters_struct, function
from heapyard._native.prototypes.block import CheckResultStruct, WalkFunction
from heapyard._native.prototypes.pages import PageSourceStruct
from heapyard.counters import HeapCounters


class HeapConfigStruct(Structure):
    """How a heap is made (hy_heap_config)."""

    _fields_ = (
        ("size", c_size_t),
        ("source", POINTER(PageSourceStruct)),
        ("arena_size", c_size_t),
        ("pool_size", c_size_t),
        ("purge_threshold", c_size_t),
        ("arenas_kept", c_uint32),
        ("purge", c_uint32),
        ("flags", c_uint32),
        ("reserved", c_uint32),
    )


class HeapPoolStruct(Structure):
    """One pool, as a walk of the pools shows it (hy_heap_pool)."""

    _fields_ = (
        ("address", c_void_p),
        ("arena", c_void_p),
        ("size", c_size_t),
        ("block_size", c_size_t),
        ("size_class", c_uint32),
        ("state", c_uint32),
        ("capacity", c_uint32),
        ("carved", c_uint32),
        ("live", c_uint32),
        ("purged", c_uint32),
    )


class HeapClassStatsStruct(Structure):
    """One size class (hy_heap_class_stats)."""

    _fields_ = (
        ("block_size", c_uint64),
        ("allocs", c_uint64),
        ("live_blocks", c_uint64),
        ("cached_blocks", c_uint64),
        ("free_blocks", c_uint64),
        ("pools", c_uint64),
        ("pool_bytes", c_uint64),
        ("cache_limit", c_uint64),
    )


HeapPoolFunction = CFUNCTYPE(c_int, c_void_p, POINTER(HeapPoolStruct))
"""A visitor of pools (hy_heap_pool_fn)."""

HeapCountersStruct = counters_struct("hy_heap_counters", HeapCounters)

PART = Part(
    headers=("heap.h",),
    structs=MappingProxyType(
        {
            "hy_heap_config": HeapConfigStruct,
            "hy_heap_pool": HeapPoolStruct,
            "hy_heap_counters": HeapCountersStruct,
            "hy_heap_class_stats": HeapClassStatsStruct,
        }
    ),
    functions=(
        function("hy_heap_new", c_void_p, POINTER(HeapConfigStruct)),
        function("hy_heap_delete", None, c_void_p),
        function("hy_heap_malloc", c_void_p, c_void_p, c_size_t),
        function("hy_heap_malloc_slow", c_void_p, c_void_p, c_size_t),
        function("hy_heap_calloc", c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_heap_aligned_alloc", c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_heap_realloc", c_void_p, c_void_p, c_void_p, c_size_t),
        function("hy_heap_free", None, c_void_p, c_void_p),
        function("hy_heap_free_sized", None, c_void_p, c_void_p, c_size_t),
        function("hy_heap_free_sized_slow", None, c_void_p, c_void_p, c_size_t),
        function("hy_heap_free_aligned_sized", None, c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_heap_usable_size", c_size_t, c_void_p, c_void_p),
        function("hy_heap_good_size", c_size_t, c_size_t),
        function("hy_heap_contains", c_bool, c_void_p, c_void_p),
        function("hy_heap_walk", c_int, c_void_p, WalkFunction, c_void_p),
        function("hy_heap_walk_pools", c_int, c_void_p, HeapPoolFunction, c_void_p),
        function("hy_heap_check", CheckResultStruct, c_void_p),
        function("hy_heap_check_text", c_char_p, c_uint32),
        function("hy_heap_trim", c_size_t, c_void_p),
        function("hy_heap_get_counters", c_bool, c_void_p, POINTER(HeapCountersStruct)),
        function("hy_heap_stats", c_size_t, c_void_p, POINTER(HeapClassStatsStruct), c_size_t),
    ),
)
