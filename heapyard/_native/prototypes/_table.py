"""The form of the prototype table: rows of functions, structs by their C names."""

from __future__ import annotations

from ctypes import Structure, c_uint32, c_uint64
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heapyard.counters import Counters

CType = Any
"""A ctypes type; None where C says void."""

LibraryName = Literal["libheapyard", "libheapyard_trial"]


@dataclass(frozen=True, slots=True)
class Prototype:
    """One exported function: its name, its result and its arguments as ctypes types."""

    name: str
    result: CType
    arguments: tuple[CType, ...]


def function(name: str, result: CType, *arguments: CType) -> Prototype:
    """One row of the table, in the order in which C writes it; None for void."""
    return Prototype(name, result, arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of one part: what its headers declare and its library exports."""

    headers: tuple[str, ...]
    """Names under native/include/heapyard: exactly these functions are declared there."""
    functions: tuple[Prototype, ...]
    structs: Mapping[str, type[Structure]] = field(default_factory=lambda: MappingProxyType({}))
    """By the C name of the type."""
    library: LibraryName = "libheapyard"


def counters_struct(c_name: str, counters: type[Counters]) -> type[Structure]:
    """The ctypes struct of a list of counters: `size` and `version` of 32 bits, the rest of 64."""
    layout = [
        (item.name, c_uint32 if item.name in ("size", "version") else c_uint64)
        for item in fields(counters)
    ]
    return type(c_name, (Structure,), {"_fields_": layout})
