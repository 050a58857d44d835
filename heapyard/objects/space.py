"""Objects with reference counts, deallocated by the kind of their type.

    with ObjectSpace() as space:
        number = space.type("number", size=24)
        one = space.new(number)
        space.decref(one)

Objects are addresses: ints, and an address that is no live object of the space is undefined
behaviour, as in C. What each call promises stands in <heapyard/object.h>. Misuse is reported by
the native library, which aborts the process unless `heapyard.misuse.recorded_misuse` is in force.
What a function in Python raises is printed and goes no further, since C has called it.
"""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from heapyard._allocator import NativeAllocator
from heapyard._arguments import SIZE_MAX, size_argument
from heapyard._native.prototypes.objects import (
    ListCountersStruct,
    ObjectStruct,
    SpaceConfigStruct,
    SpaceCountersStruct,
    TypeSpecStruct,
    VisitFunction,
)
from heapyard.block import Block, BlockState, walk
from heapyard.counters import ListCounters, SpaceCounters
from heapyard.errors import BadArgumentError, HeapyardError, OutOfMemoryError
from heapyard.objects.collector import Collector, Engine
from heapyard.objects.fields import Fields
from heapyard.objects.graph import Node, draw_graph
from heapyard.objects.object_type import HEADER, Kind, ObjectType, native_functions
from heapyard.objects.weak import WeakFunctions, WeakReference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heapyard.objects.object_type import Functions
    from heapyard.pages import PageSource

__all__ = ["FEW", "LIST_LIMIT", "MAX_LISTED", "ObjectSpace"]

MAX_LISTED = 512
"""HY_OBJECT_MAX_LISTED: the largest object that free lists hold, in bytes."""

LIST_LIMIT = 256
"""HY_OBJECT_LIST_DEFAULT: the blocks that each list takes unless it is said."""

FEW = 10_000
"""HY_GC_FEW_DEFAULT: the containers up to which the walk engine keeps a list of all."""

_UINT32_MAX = (1 << 32) - 1
_MOST_FIELDS = (1 << 32) - 1
_CONTAINER, _REFERENCES, _WEAK, _BORROWS = 1, 2, 4, 8
_DEBUG = 1
_REFERENCE_SHIFT = 31
"""HY_OBJECT_REFERENCE is 1 << 31."""


class ObjectSpace(Fields, Collector, NativeAllocator[SpaceCounters]):
    """Types and objects. `list_limit` bounds each free list, in blocks; 0: no lists.

    Up to `few` containers the walk engine keeps a list of all, and looks at no pool.
    With `debug` the dead are kept for a while: one decref too many, and writes into them, are told.
    """

    part = "space"
    counters_struct = SpaceCountersStruct
    counters_class = SpaceCounters

    def __init__(
        self,
        *,
        source: PageSource | None = None,
        list_limit: int = LIST_LIMIT,
        debug: bool = False,
        engine: Engine | str = Engine.WALK,
        few: int = FEW,
    ) -> None:
        super().__init__()
        _check_limit("list_limit", list_limit)
        _check_limit("few", few)
        self._functions: list[object] = []
        self._types: dict[int, ObjectType] = {}
        self._weak_functions = WeakFunctions()
        config = SpaceConfigStruct(
            ctypes.sizeof(SpaceConfigStruct),
            source.pointer if source is not None else None,
            list_limit + 1,
            _DEBUG if debug else 0,
            _engine(engine),
            few + 1,
        )
        self.engine = Engine(config.engine)
        handle: int | None = self._native.hy_space_new(config)
        if handle is None:
            raise OutOfMemoryError("No pages for a space of objects.")
        kept = (self._functions, self._weak_functions, source)
        self._adopt(handle, self._native.hy_space_delete, *kept)

    def __repr__(self) -> str:
        kind = f"{self.engine.name.lower()}, {len(self._types)} types"
        return f"<ObjectSpace: {'closed' if self._handle is None else kind}>"

    def type(  # noqa: PLR0913
        self,
        name: str,
        *,
        size: int = HEADER,
        item_size: int = 0,
        kind: Kind = Kind.PLAIN,
        base: ObjectType | None = None,
        references: bool = False,
        weak: bool = False,
        borrows: bool = False,
        **functions: Unpack[Functions],
    ) -> ObjectType:
        """Register a type of objects of `size` bytes, header included, and of items behind them.

        With `references` each word behind the header is a reference or NULL, and the functions of a
        container are there already. With `weak` there may be weak references to its objects. With
        `borrows` they also hold addresses of objects that they don't own, which traverse leaves
        out. Raises HeapyardError (where misuse doesn't abort) if the type is refused.
        """
        size_argument("size", size)
        size_argument("item_size", item_size)
        flags = _CONTAINER * ("traverse" in functions) | _REFERENCES * references
        flags |= _WEAK * weak | _BORROWS * borrows
        callbacks = native_functions(functions)
        self._functions.extend(callbacks.values())
        spec = TypeSpecStruct(
            size=ctypes.sizeof(TypeSpecStruct),
            name=name.encode(),
            object_size=size,
            item_size=item_size,
            kind=kind,
            flags=flags,
            base=base.handle if base is not None else None,
            **callbacks,
        )
        handle = self._native.hy_type_new(self.handle, spec)
        if handle is None:
            raise HeapyardError(f"Type {name} was refused, or there is no memory for it.")
        made = ObjectType(name, handle, size, item_size, kind)
        self._types[handle] = made
        return made

    def new(self, kind: ObjectType, items: int | None = None) -> int:
        """A new object with one reference. Raises OutOfMemoryError."""
        self._require_own(kind)
        if (items is None) != (kind.item_size == 0):
            wants = "must be given" if kind.item_size else "must be left out"
            raise BadArgumentError("items", items, f"{wants} for {kind!r}")
        if items is None:
            made = self._native.hy_new(kind.handle)
        else:
            made = self._native.hy_new_var(kind.handle, size_argument("items", items))
        if made is None:
            raise OutOfMemoryError(f"No memory for an object of {kind!r}.")
        return int(made)

    def _require_own(self, kind: ObjectType) -> None:
        _ = self.handle  # closed: told
        if self._types.get(kind.handle) is not kind:
            raise BadArgumentError("kind", kind, "must be a type of this space")

    def node_type(
        self,
        name: str,
        fields: int,
        *,
        kind: Kind = Kind.DEALLOC,
        weak: bool = False,
        **functions: Unpack[Functions],
    ) -> ObjectType:
        """A type of objects that are `fields` references."""
        if not 0 <= fields <= _MOST_FIELDS:
            raise BadArgumentError("fields", fields, f"must be from 0 to {_MOST_FIELDS}")
        size = HEADER + 8 * fields
        return self.type(name, size=size, kind=kind, references=True, weak=weak, **functions)

    def new_many(self, kind: ObjectType, count: int) -> list[int]:
        """`count` new objects, made by one call into C. Raises OutOfMemoryError: none is left."""
        self._require_own(kind)
        try:
            made = (ctypes.c_void_p * size_argument("count", count))()
        except (MemoryError, OverflowError):
            raise OutOfMemoryError(f"No memory for {count} addresses.") from None
        found = self._native.hy_new_many(kind.handle, made, count)
        objects = [made[index] or 0 for index in range(found)]
        if found < count:
            self.decref_many(objects)
            raise OutOfMemoryError(f"No memory for {count} objects of {kind!r}.")
        return objects

    def weak(self, address: int, callback: Callable[[], object] | None = None) -> WeakReference:
        """A weak reference; `callback()` is called once when the object dies.

        It lasts until `free`, or the end of the space, whether or not what is answered is kept.
        """
        return WeakReference(self, self._weak_functions, address, callback)

    def incref(self, address: int) -> None:
        """One more reference."""
        self._native.hy_incref(address)

    def decref(self, address: int) -> None:
        """One reference less; the last one ends the object as its kind says."""
        self._native.hy_decref(address)

    def decref_many(self, objects: Sequence[int]) -> None:
        """`decref` of each, by one call into C."""
        self._native.hy_decref_many((ctypes.c_void_p * len(objects))(*objects), len(objects))

    def reference_count(self, address: int) -> int:
        """How many references there are to an object."""
        return int(ObjectStruct.from_address(address).count >> _REFERENCE_SHIFT) + 1

    def type_of(self, address: int) -> ObjectType:
        """The type of a live object."""
        return self._types[ObjectStruct.from_address(address).type]

    def dot(self, most: int = 2000) -> str:
        """The live objects and their references, as text in the DOT language.

        Atoms first, then containers, each by address; beyond `most` they are counted only.
        """
        objects = self.objects()
        return draw_graph([self._node(one) for one in objects[:most]], len(objects))

    def _node(self, address: int) -> Node:
        label = f"{self.type_of(address).name}\n{self.reference_count(address)} refs"
        return Node(address, label, tuple(self.references(address)))

    def free(self, address: int) -> None:
        """The end of a legacy function: the object's memory goes back."""
        self._native.hy_object_free(address)

    def set_list_limit(self, limit: int) -> None:
        """Bound each free list to `limit` blocks from now on; 0: no lists."""
        _check_limit("list_limit", limit)
        self._native.hy_space_set_list_limit(self.handle, limit)

    def list_counters(self, size: int, *, containers: bool = False) -> ListCounters | None:
        """The counters of the free list for objects of `size` bytes.

        None for more than MAX_LISTED, and where the library was built without counters.
        """
        struct = ListCountersStruct()
        size_argument("size", size)
        if not self._native.hy_space_get_list_counters(self.handle, containers, size, struct):
            return None
        return ListCounters.read(struct)

    def trim(self) -> int:
        """Empty the free lists and give back what can be. Returns the bytes given back."""
        return int(self._native.hy_space_trim(self.handle))

    def objects(self) -> list[int]:
        """The live objects: atoms first, then containers, each by address."""
        found: list[int] = []

        def visit(address: int, _context: int | None) -> int:
            found.append(address)
            return 0

        self._native.hy_space_walk(self.handle, VisitFunction(visit), None)
        return found

    def walk(self) -> list[Block]:
        """The memory of both heaps, atoms first; live is what holds an object."""
        objects = frozenset(self.objects())
        return [
            _as_free(run) if run.state is BlockState.LIVE and run.address not in objects else run
            for containers in (False, True)
            for run in walk(self._native.hy_heap_walk, self._heap(containers))
        ]

    def contains(self, address: int) -> bool:
        """Whether `address` lies in one of the heaps."""
        if not 0 <= address <= SIZE_MAX:
            return False
        return any(self._native.hy_heap_contains(self._heap(one), address) for one in (False, True))

    def _heap(self, containers: bool) -> int:
        return int(self._native.hy_space_heap(self.handle, containers))


def _as_free(run: Block) -> Block:
    return replace(run, state=BlockState.FREE)


def _engine(engine: Engine | str) -> Engine:
    if isinstance(engine, Engine):
        return engine
    try:
        return Engine[engine.upper()]
    except KeyError:
        names = " or ".join(one.name.lower() for one in Engine)
        raise BadArgumentError("engine", engine, f"must be {names}") from None


def _check_limit(name: str, limit: int) -> None:
    if not 0 <= limit < _UINT32_MAX:
        raise BadArgumentError(name, limit, f"must be from 0 to {_UINT32_MAX - 1}")
