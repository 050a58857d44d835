"""Weak references to objects of a space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heapyard._native.prototypes.objects import WeakFunction
from heapyard.errors import HeapyardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard._allocator import NativeAllocator

__all__ = ["WeakFunctions", "WeakReference"]


class WeakFunctions:
    """The functions that C calls: each must be there until its last call has returned."""

    def __init__(self) -> None:
        self._kept: dict[int, object] = {}
        self._retired: list[object] = []
        self._running = 0

    def make(self, callback: Callable[[], object] | None) -> Any:
        """A function for C."""
        if callback is None:
            return WeakFunction()

        def call(_context: int | None) -> None:
            self._running += 1
            try:
                callback()
            finally:
                self._running -= 1

        return WeakFunction(call)

    def keep(self, weak: int, function: object) -> None:
        """Until the weak reference is freed."""
        self._kept[weak] = function

    def retire(self, weak: int) -> None:
        """It was freed, maybe by its own function."""
        if not self._running:
            self._retired.clear()
        self._retired.append(self._kept.pop(weak, None))


class WeakReference:
    """A weak reference to an object. Made by `ObjectSpace.weak`."""

    def __init__(
        self,
        owner: NativeAllocator[Any],
        functions: WeakFunctions,
        address: int,
        callback: Callable[[], object] | None,
    ) -> None:
        self._owner = owner
        self._functions = functions
        self._native = owner._native
        function = functions.make(callback)
        handle = self._native.hy_weak_new(address, function, None)
        if handle is None:
            raise HeapyardError("The weak reference was refused, or there is no memory for it.")
        functions.keep(handle, function)
        self._handle: int | None = handle

    @property
    def handle(self) -> int | None:
        """The address of the native one; None once it was freed, or its space is closed."""
        return None if self._owner.closed else self._handle

    def get(self) -> int | None:
        """A new reference to the object; None where it is dying or gone."""
        if self.handle is None:
            return None
        found: int | None = self._native.hy_weak_get(self.handle)
        return found

    def free(self) -> None:
        """End it. A second call does nothing, and one after the end of the space."""
        if self.handle is not None:
            self._native.hy_weak_free(self.handle)
            self._functions.retire(self.handle)
        self._handle = None
