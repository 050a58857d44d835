"""<heapyard/domain.h> and <heapyard/debug.h>. A domain is a number: hy_domain."""

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

from heapyard._native.prototypes._table import Part, counters_struct, function
from heapyard.counters import DomainCounters

MallocFunction = CFUNCTYPE(c_void_p, c_void_p, c_size_t)
CallocFunction = CFUNCTYPE(c_void_p, c_void_p, c_size_t, c_size_t)
ReallocFunction = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t)
FreeFunction = CFUNCTYPE(None, c_void_p, c_void_p)

LockFunction = CFUNCTYPE(c_bool, c_void_p)
"""Whether the calling thread holds the lock (hy_debug_lock_fn)."""


class AllocatorStruct(Structure):
    """A table of functions and their context (hy_allocator)."""

    _fields_ = (
        ("context", c_void_p),
        ("malloc", MallocFunction),
        ("calloc", CallocFunction),
        ("realloc", ReallocFunction),
        ("free", FreeFunction),
    )


class DebugConfigStruct(Structure):
    """How hooks are made (hy_debug_config)."""

    _fields_ = (
        ("size", c_size_t),
        ("guard_bytes", c_size_t),
        ("quarantine_bytes", c_size_t),
        ("quarantine_blocks", c_size_t),
        ("flags", c_uint32),
        ("reserved", c_uint32),
    )


class DebugLeakStruct(Structure):
    """A block that is still live (hy_debug_leak)."""

    _fields_ = (
        ("address", c_void_p),
        ("size", c_size_t),
        ("serial", c_uint64),
        ("domain", c_uint32),
        ("reserved", c_uint32),
    )


DomainCountersStruct = counters_struct("hy_domain_counters", DomainCounters)

_CALLS = tuple(
    row
    for domain in ("raw", "mem", "obj")
    for row in (
        function(f"hy_{domain}_malloc", c_void_p, c_size_t),
        function(f"hy_{domain}_calloc", c_void_p, c_size_t, c_size_t),
        function(f"hy_{domain}_realloc", c_void_p, c_void_p, c_size_t),
        function(f"hy_{domain}_free", None, c_void_p),
    )
)

PART = Part(
    headers=("domain.h", "debug.h"),
    structs=MappingProxyType(
        {
            "hy_allocator": AllocatorStruct,
            "hy_debug_config": DebugConfigStruct,
            "hy_debug_leak": DebugLeakStruct,
            "hy_domain_counters": DomainCountersStruct,
        }
    ),
    functions=(
        *_CALLS,
        function("hy_domain_name", c_char_p, c_uint32),
        function("hy_domain_get_allocator", None, c_uint32, POINTER(AllocatorStruct)),
        function("hy_domain_set_allocator", c_bool, c_uint32, POINTER(AllocatorStruct)),
        function("hy_domain_get_counters", c_bool, c_uint32, POINTER(DomainCountersStruct)),
        function("hy_domain_setup_debug_hooks", c_bool, c_uint32, POINTER(DebugConfigStruct)),
        function(
            "hy_debug_wrap",
            c_bool,
            c_uint32,
            POINTER(AllocatorStruct),
            POINTER(DebugConfigStruct),
            POINTER(AllocatorStruct),
        ),
        function("hy_debug_serial", c_uint64),
        function("hy_debug_check_all", c_size_t),
        function("hy_debug_leaks", c_size_t, POINTER(DebugLeakStruct), c_size_t, POINTER(c_uint64)),
        function("hy_debug_report_leaks", c_size_t, c_size_t),
        function("hy_debug_set_lock_check", c_bool, LockFunction, c_void_p),
        function("hy_debug_declare_lock", None, c_bool),
    ),
)
