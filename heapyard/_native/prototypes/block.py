"""What walks and checks of every allocator share: <heapyard/block.h>. It declares no function."""

from __future__ import annotations

from ctypes import CFUNCTYPE, POINTER, Structure, c_int, c_size_t, c_uint32, c_void_p


class BlockStruct(Structure):
    """One run of memory (hy_block)."""

    _fields_ = (
        ("address", c_void_p),
        ("size", c_size_t),
        ("state", c_uint32),
        ("span", c_uint32),
    )


class CheckResultStruct(Structure):
    """The answer of a check (hy_check_result)."""

    _fields_ = (("code", c_uint32), ("address", c_void_p))


WalkFunction = CFUNCTYPE(c_int, c_void_p, POINTER(BlockStruct))
"""A walk's visitor (hy_walk_fn)."""
