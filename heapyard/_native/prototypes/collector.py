"""<heapyard/gc.h>. Spaces and objects are handles: void pointers."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_int,
    c_int64,
    c_size_t,
    c_uint,
    c_uint32,
    c_uint64,
    c_void_p,
)
from types import MappingProxyType

from heapyard._native.prototypes._table import Part, counters_struct, function
from heapyard._native.prototypes.objects import VisitFunction
from heapyard.counters import CollectorCounters


class ResultStruct(Structure):
    """What a collection did (hy_gc_result)."""

    _fields_ = (
        ("generation", c_uint32),
        ("reserved", c_uint32),
        ("candidates", c_uint64),
        ("collected", c_uint64),
        ("resurrected", c_uint64),
        ("uncollectable", c_uint64),
        ("left", POINTER(c_void_p)),
    )


class GenerationStatsStruct(Structure):
    """One generation (hy_gc_generation_stats)."""

    _fields_ = (
        ("containers", c_uint64),
        ("collections", c_uint64),
        ("candidates", c_uint64),
        ("collected", c_uint64),
        ("resurrected", c_uint64),
        ("uncollectable", c_uint64),
    )


CollectionFunction = CFUNCTYPE(None, c_void_p, c_uint, POINTER(ResultStruct))
"""hy_gc_fn."""

CollectorCountersStruct = counters_struct("hy_gc_counters", CollectorCounters)

PART = Part(
    headers=("gc.h",),
    structs=MappingProxyType(
        {
            "hy_gc_result": ResultStruct,
            "hy_gc_counters": CollectorCountersStruct,
            "hy_gc_generation_stats": GenerationStatsStruct,
        }
    ),
    functions=(
        function("hy_gc_collect", c_int64, c_void_p, c_uint),
        function("hy_gc_set_thresholds", c_bool, c_void_p, c_uint64, c_uint32, c_uint32),
        function("hy_gc_set_callback", c_bool, c_void_p, CollectionFunction, c_void_p),
        function("hy_gc_set_roots", c_bool, c_void_p, POINTER(c_void_p), c_size_t),
        function("hy_gc_freeze", c_uint64, c_void_p),
        function("hy_gc_unfreeze", c_uint64, c_void_p),
        function("hy_gc_referrers", c_int, c_void_p, c_void_p, VisitFunction, c_void_p),
        function("hy_gc_walk", c_int, c_void_p, VisitFunction, c_void_p),
        function("hy_gc_generation", c_uint, c_void_p, c_void_p),
        function("hy_gc_get_counters", c_bool, c_void_p, POINTER(CollectorCountersStruct)),
        function("hy_gc_stats", c_size_t, c_void_p, POINTER(GenerationStatsStruct), c_size_t),
    ),
)
