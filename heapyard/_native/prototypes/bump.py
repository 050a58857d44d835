"""<heapyard/bump.h>. The arena itself is a handle: a void pointer."""

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
from heapyard.counters import BumpCounters


class BumpStruct(Structure):
    """What the inline path sees of an arena (hy_bump)."""

    _fields_ = (
        ("next", c_void_p),
        ("limit", c_void_p),
        ("allocs", c_uint64),
        ("failures", c_uint64),
        ("bytes", c_uint64),
    )


class BumpConfigStruct(Structure):
    """How an arena is made (hy_bump_config)."""

    _fields_ = (
        ("size", c_size_t),
        ("source", POINTER(PageSourceStruct)),
        ("block_size", c_size_t),
        ("max_block_size", c_size_t),
    )


class BumpMarkStruct(Structure):
    """A position to rewind to (hy_bump_mark)."""

    _fields_ = (("record", c_void_p), ("serial", c_uint64))


CleanupFunction = CFUNCTYPE(None, c_void_p)
"""hy_bump_cleanup_fn."""

BumpCountersStruct = counters_struct("hy_bump_counters", BumpCounters)

PART = Part(
    headers=("bump.h",),
    structs=MappingProxyType(
        {
            "hy_bump": BumpStruct,
            "hy_bump_config": BumpConfigStruct,
            "hy_bump_mark": BumpMarkStruct,
            "hy_bump_counters": BumpCountersStruct,
        }
    ),
    functions=(
        function("hy_bump_new", c_void_p, POINTER(BumpConfigStruct)),
        function("hy_bump_delete", None, c_void_p),
        function("hy_bump_alloc", c_void_p, c_void_p, c_size_t),
        function("hy_bump_alloc_slow", c_void_p, c_void_p, c_size_t),
        function("hy_bump_alloc_aligned", c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_bump_alloc_zeroed", c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_bump_realloc", c_void_p, c_void_p, c_void_p, c_size_t, c_size_t),
        function("hy_bump_set_mark", BumpMarkStruct, c_void_p),
        function("hy_bump_rewind", c_bool, c_void_p, BumpMarkStruct),
        function("hy_bump_reset", c_bool, c_void_p),
        function("hy_bump_trim", c_size_t, c_void_p),
        function("hy_bump_add_cleanup", c_bool, c_void_p, CleanupFunction, c_void_p),
        function("hy_bump_contains", c_bool, c_void_p, c_void_p),
        function("hy_bump_walk", c_int, c_void_p, WalkFunction, c_void_p),
        function("hy_bump_check", CheckResultStruct, c_void_p),
        function("hy_bump_check_text", c_char_p, c_uint32),
        function("hy_bump_get_counters", c_bool, c_void_p, POINTER(BumpCountersStruct)),
    ),
)
