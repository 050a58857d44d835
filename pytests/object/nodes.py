"""Types for tests: nodes whose fields are references, of each kind."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from heapyard.objects import HEADER, Kind
from pytests.support.memory import read, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard import ObjectSpace, ObjectType

__all__ = ["KINDS", "field", "node_type", "set_field"]

KINDS = (Kind.DEALLOC, Kind.FINALIZE, Kind.LEGACY)
"""The kinds of what refers to objects."""


def field(address: int, index: int) -> int:
    """The reference in a field; 0: none."""
    value: int = struct.unpack("<Q", read(address + HEADER + 8 * index, 8))[0]
    return value


def set_field(address: int, index: int, value: int) -> None:
    """Put a reference into a field; it owns that reference from now on."""
    write(address + HEADER + 8 * index, struct.pack("<Q", value))


def node_type(
    space: ObjectSpace,
    kind: Kind,
    fields: int,
    *,
    name: str = "node",
    note: Callable[[int], object] = lambda _: None,
) -> ObjectType:
    """A container of `fields` references. `note` is told of each that is deallocated."""

    def children(address: int) -> list[int]:
        return [child for index in range(fields) if (child := field(address, index))]

    def drop(address: int) -> None:
        note(address)
        for child in children(address):
            space.decref(child)

    def drop_and_free(address: int) -> None:
        drop(address)
        space.free(address)

    size = HEADER + 8 * fields
    if kind is Kind.LEGACY:
        return space.type(name, size=size, kind=kind, legacy=drop_and_free, traverse=children)
    if kind is Kind.FINALIZE:
        return space.type(
            name, size=size, kind=kind, finalize=lambda _: None, dealloc=drop, traverse=children
        )
    return space.type(name, size=size, kind=kind, dealloc=drop, traverse=children)
