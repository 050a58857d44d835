"""The domains raw, mem and obj: who memory is for, and which allocator serves it.

    address = OBJ.malloc(24)
    OBJ.free(address)

    with MEM.using(MyAllocator(MEM.allocator).table):
        ...

Addresses are ints. What each call promises stands in <heapyard/domain.h>; HEAPYARD_MALLOC chooses
what serves the domains at first. Debug hooks are in `heapyard.debug`.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from heapyard._arguments import SIZE_MAX, size_argument
from heapyard._native.library import library
from heapyard._native.prototypes.domain import (
    AllocatorStruct,
    CallocFunction,
    DomainCountersStruct,
    FreeFunction,
    MallocFunction,
    ReallocFunction,
)
from heapyard.counters import DomainCounters
from heapyard.errors import BadArgumentError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["DOMAINS", "MEM", "OBJ", "RAW", "Allocator", "Domain", "PythonAllocator"]


@dataclass(frozen=True, slots=True)
class Allocator:
    """A table that can serve a domain: the addresses of a context and four C functions.

    Its methods call it as a domain would. What the context points to must stay where it is.
    """

    context: int
    malloc_function: int
    calloc_function: int
    realloc_function: int
    free_function: int

    @classmethod
    def read(cls, struct: AllocatorStruct) -> Allocator:
        """The table in a C struct."""
        functions = (struct.malloc, struct.calloc, struct.realloc, struct.free)
        addresses = (ctypes.cast(function, ctypes.c_void_p).value or 0 for function in functions)
        return cls(struct.context or 0, *addresses)

    def struct(self) -> AllocatorStruct:
        """The table as a C struct."""
        context, malloc, calloc, realloc, free = astuple(self)
        return AllocatorStruct(
            context,
            MallocFunction(malloc),
            CallocFunction(calloc),
            ReallocFunction(realloc),
            FreeFunction(free),
        )

    def malloc(self, size: int) -> int | None:
        """The address of a block; None: no memory."""
        block: int | None = MallocFunction(self.malloc_function)(self.context, size)
        return block

    def calloc(self, count: int, size: int) -> int | None:
        """The same for `count` times `size` bytes that read as zero."""
        block: int | None = CallocFunction(self.calloc_function)(self.context, count, size)
        return block

    def realloc(self, address: int, size: int) -> int | None:
        """The block, of another size; None: no memory, and it is as it was."""
        block: int | None = ReallocFunction(self.realloc_function)(self.context, address, size)
        return block

    def free(self, address: int) -> None:
        """Take the block back."""
        FreeFunction(self.free_function)(self.context, address)


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain. `number` is its hy_domain."""

    number: int

    @property
    def name(self) -> str:
        """As C names it: raw, mem or obj."""
        name: bytes = library().hy_domain_name(self.number)
        return name.decode()

    def malloc(self, size: int) -> int:
        """`size` bytes, contents unspecified. Raises OutOfMemoryError."""
        return _given(self._call("malloc")(size_argument("size", size)), f"{size} bytes")

    def calloc(self, count: int, size: int) -> int:
        """`count` times `size` bytes that read as zero. Raises OutOfMemoryError."""
        size_argument("count", count)
        size_argument("size", size)
        return _given(self._call("calloc")(count, size), f"{count} times {size} bytes")

    def realloc(self, address: int | None, size: int) -> int:
        """The block, of another size. Raises OutOfMemoryError: then it is as it was."""
        size_argument("size", size)
        return _given(self._call("realloc")(address, size), f"{size} bytes")

    def free(self, address: int | None) -> None:
        """Take the block back. Misuse is told by what serves the domain, if it can."""
        self._call("free")(address)

    @property
    def allocator(self) -> Allocator:
        """The table in force."""
        struct = AllocatorStruct()
        library().hy_domain_get_allocator(self.number, struct)
        return Allocator.read(struct)

    def set_allocator(self, allocator: Allocator) -> None:
        """Let `allocator` serve the domain. Raises OutOfMemoryError."""
        if not library().hy_domain_set_allocator(self.number, allocator.struct()):
            raise OutOfMemoryError(f"No memory for another table of {self.name}.")

    @contextmanager
    def using(self, allocator: Allocator) -> Iterator[None]:
        """Let `allocator` serve the domain for a while; then the one before does so again."""
        before = self.allocator
        self.set_allocator(allocator)
        try:
            yield
        finally:
            self.set_allocator(before)

    def counters(self) -> DomainCounters | None:
        """The counters; None where the library was built without."""
        struct = DomainCountersStruct()
        if not library().hy_domain_get_counters(self.number, struct):
            return None
        return DomainCounters.read(struct)

    def _call(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(library(), f"hy_{self.name}_{name}")
        return function


RAW: Final = Domain(0)
"""For any thread at any time; libc's malloc, unless told otherwise."""

MEM: Final = Domain(1)
"""For buffers, under a lock of the caller's."""

OBJ: Final = Domain(2)
"""For objects, under a lock of the caller's."""

DOMAINS: Final = (RAW, MEM, OBJ)


class PythonAllocator:
    """An allocator in Python, for tests: override what should be different.

    The methods get and give addresses; None is 'no memory'. As they stand they pass on to `below`.
    An exception can't travel through C: it is kept in `errors`, and the call fails, as if without
    memory. The objects stay for good, since C may call a table that it saw at any time.
    """

    _all: ClassVar[list[PythonAllocator]] = []

    def __init__(self, below: Allocator) -> None:
        self.below = below
        self.errors: list[Exception] = []
        self._struct = AllocatorStruct(
            None,
            MallocFunction(lambda _, size: self._guarded(self.malloc, size)),
            CallocFunction(lambda _, count, size: self._guarded(self.calloc, count, size)),
            ReallocFunction(lambda _, address, size: self._guarded(self.realloc, address, size)),
            FreeFunction(self._guarded_free),
        )
        self._all.append(self)

    @property
    def table(self) -> Allocator:
        """What to set as a domain's allocator."""
        return Allocator.read(self._struct)

    def malloc(self, size: int) -> int | None:
        """As hy_allocator.malloc."""
        return self.below.malloc(size)

    def calloc(self, count: int, size: int) -> int | None:
        """As hy_allocator.calloc."""
        return self.below.calloc(count, size)

    def realloc(self, address: int, size: int) -> int | None:
        """As hy_allocator.realloc."""
        return self.below.realloc(address, size)

    def free(self, address: int) -> None:
        """As hy_allocator.free."""
        self.below.free(address)

    def _guarded(self, method: Callable[..., int | None], *arguments: int) -> int | None:
        try:
            return _address(method(*arguments))
        except Exception as error:  # whatever it is, C must not see it
            self.errors.append(error)
            return None

    def _guarded_free(self, _context: int | None, address: int) -> None:
        try:
            self.free(address)
        except Exception as error:
            self.errors.append(error)


def _address(value: object) -> int | None:
    """`value`, if C can take it as a pointer."""
    if value is None:
        return None
    if not isinstance(value, int) or not 0 <= value <= SIZE_MAX:
        raise BadArgumentError("block", value, f"must be None, or an int from 0 to {SIZE_MAX}")
    return value


def _given(address: int | None, what: str) -> int:
    if address is None:
        raise OutOfMemoryError(f"No memory for {what}; the domain is unchanged.")
    return address
