"""<heapyard/pages.h>."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from types import MappingProxyType

from heapyard._native.prototypes._table import Part, function
from heapyard._native.prototypes.block import CheckResultStruct

MapFunction = CFUNCTYPE(c_void_p, c_void_p, c_size_t, c_size_t)
UnmapFunction = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)
PurgeFunction = CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_size_t)
ResizeFunction = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_size_t, c_size_t)
MoveFunction = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t, c_void_p)


class PageSourceStruct(Structure):
    """A table of functions and their context (hy_page_source)."""

    _fields_ = (
        ("context", c_void_p),
        ("map", MapFunction),
        ("unmap", UnmapFunction),
        ("purge", PurgeFunction),
        ("resize", ResizeFunction),
        ("move", MoveFunction),
    )


class BufferStruct(Structure):
    """Pages of a caller's buffer (hy_pages_buffer)."""

    _fields_ = (
        ("source", PageSourceStruct),
        ("first", c_void_p),
        ("capacity", c_size_t),
        ("used", c_size_t),
        ("peak", c_size_t),
        ("failures", c_uint64),
        ("free_runs", c_void_p),
    )


class FaultyStruct(Structure):
    """A source that fails on purpose (hy_pages_faulty)."""

    _fields_ = (
        ("source", PageSourceStruct),
        ("inner", POINTER(PageSourceStruct)),
        ("fail_first", c_uint64),
        ("fail_last", c_uint64),
        ("requests", c_uint64),
        ("maps", c_uint64),
        ("unmaps", c_uint64),
        ("purges", c_uint64),
        ("resizes", c_uint64),
        ("refused", c_uint64),
        ("mapped_bytes", c_size_t),
        ("peak_bytes", c_size_t),
        ("total_bytes", c_size_t),
        ("unmapped_bytes", c_size_t),
        ("purged_bytes", c_size_t),
    )


PART = Part(
    headers=("pages.h",),
    structs=MappingProxyType(
        {
            "hy_page_source": PageSourceStruct,
            "hy_pages_buffer": BufferStruct,
            "hy_pages_faulty": FaultyStruct,
        }
    ),
    functions=(
        function("hy_pages_mmap", POINTER(PageSourceStruct)),
        function("hy_pages_advise_huge", None, c_void_p, c_size_t, c_bool),
        function("hy_pages_free_lazily", c_bool, c_void_p, c_size_t),
        function(
            "hy_pages_buffer_init",
            POINTER(PageSourceStruct),
            POINTER(BufferStruct),
            c_void_p,
            c_size_t,
        ),
        function("hy_pages_buffer_check", CheckResultStruct, POINTER(BufferStruct)),
        function("hy_pages_buffer_check_text", c_char_p, c_uint32),
        function(
            "hy_pages_faulty_init",
            POINTER(PageSourceStruct),
            POINTER(FaultyStruct),
            POINTER(PageSourceStruct),
        ),
        function("hy_pages_faulty_fail_at", None, POINTER(FaultyStruct), c_uint64),
        function("hy_pages_faulty_fail_from", None, POINTER(FaultyStruct), c_uint64),
    ),
)
