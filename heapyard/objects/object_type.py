"""The types of objects: what an object is made of, and what its end may do."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypedDict

from heapyard._native.prototypes.objects import ObjectFunction, TraverseFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["HEADER", "Functions", "Kind", "ObjectType", "native_functions"]

HEADER = 16
"""sizeof(hy_object): where an object's fields begin."""


class Kind(IntEnum):
    """What deallocation may do (hy_kind)."""

    PLAIN = 0
    DEALLOC = 1
    FINALIZE = 2
    LEGACY = 3


class Functions(TypedDict, total=False):
    """A type's functions; each gets the address of an object."""

    dealloc: Callable[[int], object]
    finalize: Callable[[int], object]
    legacy: Callable[[int], object]
    clear: Callable[[int], object]
    traverse: Callable[[int], Iterable[int]]
    """Answers the objects that the object refers to; with it the type is a container."""


class ObjectType:
    """A type of one space. Made by `ObjectSpace.type`."""

    def __init__(self, name: str, handle: int, size: int, item_size: int, kind: Kind) -> None:
        self.name = name
        self.handle = handle
        self.size = size
        self.item_size = item_size
        self.kind = kind

    def __repr__(self) -> str:
        return f"<ObjectType {self.name}: {self.kind.name.lower()}, {self.size} bytes>"


def native_functions(functions: Functions) -> dict[str, object]:
    """The same functions, as C calls them."""
    calls: dict[str, Callable[[int], object]] = {
        name: functions[name]
        for name in ("clear", "dealloc", "finalize", "legacy")
        if name in functions
    }
    made: dict[str, object] = {name: ObjectFunction(call) for name, call in calls.items()}
    if "traverse" in functions:
        made["traverse"] = TraverseFunction(_traverse(functions["traverse"]))
    return made


def _traverse(children: Callable[[int], Iterable[int]]) -> Callable[..., int]:
    def traverse(address: int, visit: Callable[[int, int | None], int], context: int | None) -> int:
        for child in children(address):
            stopped = visit(child, context)
            if stopped:
                return stopped
        return 0

    return traverse
