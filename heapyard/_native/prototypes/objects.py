"""<heapyard/object.h>. Spaces, types and objects are handles: void pointers."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from types import MappingProxyType

from heapyard._native.prototypes._table import Part, counters_struct, function
from heapyard._native.prototypes.block import CheckResultStruct
from heapyard._native.prototypes.pages import PageSourceStruct
from heapyard.counters import ListCounters, SpaceCounters

VisitFunction = CFUNCTYPE(c_int, c_void_p, c_void_p)
"""hy_visit_fn and hy_object_walk_fn."""

TraverseFunction = CFUNCTYPE(c_int, c_void_p, VisitFunction, c_void_p)
"""hy_traverse_fn."""

ObjectFunction = CFUNCTYPE(None, c_void_p)
"""hy_object_fn."""

WeakFunction = CFUNCTYPE(None, c_void_p)
"""hy_weak_fn."""


class ObjectStruct(Structure):
    """What every object begins with (hy_object)."""

    _fields_ = (("type", c_void_p), ("count", c_int64))


class VarObjectStruct(Structure):
    """An object with items (hy_var_object)."""

    _fields_ = (("base", ObjectStruct), ("items", c_size_t))


class ObjectLinkStruct(Structure):
    """A free block on a list (hy_object_link)."""

    _fields_ = (("dead", ObjectStruct), ("next", c_void_p))


class ObjectListStruct(Structure):
    """A free list (hy_object_list)."""

    _fields_ = (("head", c_void_p), ("room", c_int64), ("hits", c_uint64))


class TypeStruct(Structure):
    """What the inline ways see of a type (hy_type)."""

    _fields_ = (("drop_list", c_void_p), ("new_list", c_void_p))


class TypeSpecStruct(Structure):
    """A type, as it is registered (hy_type_spec)."""

    _fields_ = (
        ("size", c_size_t),
        ("name", c_char_p),
        ("object_size", c_size_t),
        ("item_size", c_size_t),
        ("kind", c_uint32),
        ("flags", c_uint32),
        ("base", c_void_p),
        ("traverse", TraverseFunction),
        ("clear", ObjectFunction),
        ("dealloc", ObjectFunction),
        ("finalize", ObjectFunction),
        ("legacy", ObjectFunction),
    )


class SpaceConfigStruct(Structure):
    """How a space is made (hy_space_config)."""

    _fields_ = (
        ("size", c_size_t),
        ("source", POINTER(PageSourceStruct)),
        ("list_limit", c_uint32),
        ("flags", c_uint32),
        ("engine", c_uint32),
        ("few", c_uint32),
    )


class EdgeStruct(Structure):
    """A field of one object that refers to another (hy_edge)."""

    _fields_ = (("origin", c_uint32), ("field", c_uint32), ("target", c_uint32))


ListCountersStruct = counters_struct("hy_list_counters", ListCounters)
SpaceCountersStruct = counters_struct("hy_space_counters", SpaceCounters)

PART = Part(
    headers=("object.h",),
    structs=MappingProxyType(
        {
            "hy_object": ObjectStruct,
            "hy_var_object": VarObjectStruct,
            "hy_object_link": ObjectLinkStruct,
            "hy_object_list": ObjectListStruct,
            "hy_type": TypeStruct,
            "hy_type_spec": TypeSpecStruct,
            "hy_space_config": SpaceConfigStruct,
            "hy_edge": EdgeStruct,
            "hy_space_counters": SpaceCountersStruct,
            "hy_list_counters": ListCountersStruct,
        }
    ),
    functions=(
        function("hy_space_new", c_void_p, POINTER(SpaceConfigStruct)),
        function("hy_space_delete", None, c_void_p),
        function("hy_type_new", c_void_p, c_void_p, POINTER(TypeSpecStruct)),
        function("hy_type_get", POINTER(TypeSpecStruct), c_void_p),
        function("hy_space_heap", c_void_p, c_void_p, c_bool),
        function("hy_new_slow", c_void_p, c_void_p),
        function("hy_object_drop_slow", None, c_void_p),
        function("hy_new", c_void_p, c_void_p),
        function("hy_new_var", c_void_p, c_void_p, c_size_t),
        function("hy_incref", None, c_void_p),
        function("hy_object_drop", None, c_void_p),
        function("hy_decref", None, c_void_p),
        function("hy_object_free", None, c_void_p),
        function("hy_object_traverse", c_int, c_void_p, VisitFunction, c_void_p),
        function("hy_new_many", c_size_t, c_void_p, POINTER(c_void_p), c_size_t),
        function("hy_decref_many", None, POINTER(c_void_p), c_size_t),
        function("hy_link_many", c_size_t, POINTER(c_void_p), POINTER(EdgeStruct), c_size_t),
        function("hy_weak_new", c_void_p, c_void_p, WeakFunction, c_void_p),
        function("hy_weak_get", c_void_p, c_void_p),
        function("hy_weak_free", None, c_void_p),
        function("hy_space_set_list_limit", None, c_void_p, c_uint32),
        function(
            "hy_space_get_list_counters",
            *(c_bool, c_void_p, c_bool, c_size_t, POINTER(ListCountersStruct)),
        ),
        function("hy_space_trim", c_size_t, c_void_p),
        function("hy_space_walk", c_int, c_void_p, VisitFunction, c_void_p),
        function("hy_space_check", CheckResultStruct, c_void_p),
        function("hy_space_check_text", c_char_p, c_uint32),
        function("hy_space_get_counters", c_bool, c_void_p, POINTER(SpaceCountersStruct)),
    ),
)
