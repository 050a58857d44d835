"""The fields of objects that are references: part of `ObjectSpace`."""

from __future__ import annotations

import ctypes
from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

from heapyard._native.prototypes.objects import EdgeStruct
from heapyard.errors import BadArgumentError
from heapyard.objects.object_type import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from heapyard.objects.object_type import ObjectType

__all__ = ["Fields"]

_REFERENCES = 2


class Fields:
    """What a space offers for its objects of references."""

    _native: Any

    def type_of(self, address: int) -> ObjectType:
        """The type of a live object."""
        raise NotImplementedError

    def link(
        self, objects: Sequence[int], edges: Iterable[tuple[int, int, int]] | array[int]
    ) -> None:
        """Let fields refer to objects, by one call into C.

        Each edge is (index of an object of a type with `references`, number of its field, index of
        the object that it refers to); three numbers each in one `array("I")` do as well. Raises
        BadArgumentError at the first that does not fit: those before it are put.
        """
        table = edges if isinstance(edges, array) else _flat(edges)
        if table.typecode != "I" or len(table) % 3:
            raise BadArgumentError("edges", table.typecode, 'must be array("I"), three an edge')
        for index in (0, 2):
            if len(table) and max(table[index::3]) >= len(objects):
                row = _row(table, table[index::3].index(max(table[index::3])))
                raise BadArgumentError("edge", row, f"must be within {len(objects)} objects")
        handles = (ctypes.c_void_p * len(objects))(*objects)
        count = len(table) // 3
        put = self._native.hy_link_many(handles, (EdgeStruct * count).from_buffer(table), count)
        if put < count:
            row = _row(table, put)
            raise BadArgumentError("edge", row, "must name a field that is there and NULL")

    def field(self, address: int, index: int) -> int | None:
        """What a field of an object of references refers to; None: nothing. No new reference."""
        found: int | None = self._field(address, index).value
        return found

    def set_field(self, address: int, index: int, target: int | None) -> None:
        """Let a field refer to `target` from now on, which gets a reference; None: to nothing.

        What it referred to before loses one, and may end.
        """
        field = self._field(address, index)
        before = field.value
        if target is not None:
            self._native.hy_incref(target)
        field.value = target
        if before is not None:
            self._native.hy_decref(before)

    def _field(self, address: int, index: int) -> ctypes.c_void_p:
        kind = self.type_of(address)
        spec = self._native.hy_type_get(kind.handle).contents
        if not spec.flags & _REFERENCES:
            raise BadArgumentError("address", address, f"must be of references, not of {kind!r}")
        first, size = HEADER, kind.size
        if kind.item_size:
            first += 8
            size += kind.item_size * ctypes.c_size_t.from_address(address + HEADER).value
        if not 0 <= index < (size - first) // 8:
            raise BadArgumentError("index", index, f"must be below {(size - first) // 8}")
        return ctypes.c_void_p.from_address(address + first + 8 * index)


def _flat(edges: Iterable[tuple[int, int, int]]) -> array[int]:
    rows = list(edges)
    try:
        return array("I", chain.from_iterable(rows))
    except OverflowError:
        row = next(row for row in rows if not all(0 <= number < 2**32 for number in row))
        raise BadArgumentError("edge", row, "must be three numbers below 2**32") from None


def _row(table: array[int], index: int) -> tuple[int, ...]:
    return tuple(table[3 * index : 3 * index + 3])
