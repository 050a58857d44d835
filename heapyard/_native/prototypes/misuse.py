"""<heapyard/misuse.h>, and the types of <heapyard/block.h>."""

from __future__ import annotations

from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_uint32, c_void_p
from types import MappingProxyType

from heapyard._native.prototypes._table import Part, function
from heapyard._native.prototypes.block import BlockStruct, CheckResultStruct


class MisuseStruct(Structure):
    """One report (hy_misuse)."""

    _fields_ = (
        ("kind", c_uint32),
        ("part", c_char_p),
        ("detail", c_char_p),
        ("address", c_void_p),
        ("dump", c_char_p),
    )


MisuseHandler = CFUNCTYPE(None, c_void_p, POINTER(MisuseStruct))
"""hy_misuse_handler."""

PART = Part(
    headers=("misuse.h", "block.h", "export.h"),
    structs=MappingProxyType(
        {
            "hy_misuse": MisuseStruct,
            "hy_block": BlockStruct,
            "hy_check_result": CheckResultStruct,
        }
    ),
    functions=(
        function(
            "hy_misuse_set_handler",
            None,
            MisuseHandler,
            c_void_p,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
        function("hy_misuse_text", c_char_p, c_uint32),
    ),
)
