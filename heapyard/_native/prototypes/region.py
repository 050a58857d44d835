"""<heapyard/region.h>. A region is a handle: a void pointer into the caller's memory."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_bool, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from types import MappingProxyType

from heapyard._native.prototypes._table import Part, counters_struct, function
from heapyard._native.prototypes.block import CheckResultStruct, WalkFunction
from heapyard.counters import RegionCounters


class RegionOptionsStruct(Structure):
    """How a region is made (hy_region_options)."""

    _fields_ = (("engine", c_uint32), ("flags", c_uint32), ("granule", c_uint32))


RegionCountersStruct = counters_struct("hy_region_counters", RegionCounters)

PART = Part(
    headers=("region.h",),
    structs=MappingProxyType(
        {"hy_region_options": RegionOptionsStruct, "hy_region_counters": RegionCountersStruct}
    ),
    functions=(
        function("hy_region_status_text", c_char_p, c_uint32),
        function("hy_region_create", c_void_p, c_void_p, c_size_t, POINTER(RegionOptionsStruct)),
        function("hy_region_minimum", c_size_t, POINTER(RegionOptionsStruct)),
        function("hy_region_chain", c_uint32, c_void_p, c_void_p, c_size_t),
        function("hy_region_extend", c_uint32, c_void_p, c_void_p, c_void_p),
        function("hy_region_reset", None, c_void_p),
        function("hy_region_destroy", None, c_void_p),
        function("hy_region_alloc", c_void_p, c_void_p, c_size_t),
        function("hy_region_alloc_aligned", c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_region_calloc", c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_region_free", None, c_void_p, c_void_p),
        function("hy_region_free_sized", None, c_void_p, c_void_p, c_size_t),
        function("hy_region_realloc", c_void_p, c_void_p, c_void_p, c_size_t),
        function(
            "hy_region_realloc_sized",
            c_void_p,
            c_void_p,
            c_void_p,
            c_size_t,
            c_size_t,
            c_size_t,
        ),
        function("hy_region_usable_size", c_size_t, c_void_p, c_void_p),
        function("hy_region_contains", c_bool, c_void_p, c_void_p),
        function("hy_region_engine_of", c_uint32, c_void_p),
        function("hy_region_walk", c_int, c_void_p, WalkFunction, c_void_p),
        function("hy_region_check", CheckResultStruct, c_void_p),
        function("hy_region_check_text", c_char_p, c_uint32),
        function("hy_region_get_counters", c_bool, c_void_p, POINTER(RegionCountersStruct)),
    ),
)
