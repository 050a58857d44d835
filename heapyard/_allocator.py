"""What every native allocator with a handle offers to Python, whatever it allocates like.

A class derives from `NativeAllocator`, names its part ("bump": functions `hy_bump_...`) and its
counters, makes its handle, and passes it to `_adopt` with the function that ends it.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from heapyard._arguments import SIZE_MAX
from heapyard._native.library import library
from heapyard.block import Block, walk
from heapyard.counters import Counters
from heapyard.errors import CheckFailedError, ClosedError

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["NativeAllocator"]

CountersT = TypeVar("CountersT", bound=Counters)


class NativeAllocator(Generic[CountersT]):
    """An open handle, and what can be asked of it: contains, walk, check, counters."""

    part: ClassVar[str]
    """The allocator's name in C: `hy_PART_...`."""
    counters_struct: ClassVar[type[ctypes.Structure]]
    counters_class: ClassVar[type[Counters]]

    def __init__(self) -> None:
        self._native = library()
        self._handle: int | None = None
        self._finalizer: Callable[[], object] = lambda: None

    def _adopt(self, handle: int, end: Callable[[int], object], *kept: object) -> None:
        """Own `handle`; `close` calls `end(handle)`. C points into `kept`, which lives so long."""
        self._handle = handle
        self._finalizer = weakref.finalize(self, _end, end, handle, kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def handle(self) -> int:
        """The address of the native allocator. Raises ClosedError after `close`."""
        if self._handle is None:
            raise ClosedError(f"This {self.part} is closed: make another.")
        return self._handle

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._handle is None

    def close(self) -> None:
        """End the allocator, and with it every block. A second call does nothing."""
        self._handle = None
        self._finalizer()

    def contains(self, address: int) -> bool:
        """Whether `address` lies in memory of this allocator, as its header defines that."""
        if not 0 <= address <= SIZE_MAX:
            return False
        return bool(self._function("contains")(self.handle, address))

    def walk(self) -> list[Block]:
        """The runs of memory, span after span, each by address and without a gap."""
        return walk(self._function("walk"), self.handle)

    def check(self) -> None:
        """Verify every invariant. Raises CheckFailedError with the first one that is violated."""
        found = self._function("check")(self.handle)
        if found.code:
            text = self._function("check_text")(found.code).decode()
            raise CheckFailedError(self.part, found.code, text, found.address or 0)

    def counters(self) -> CountersT | None:
        """The counters; None where the library was built without."""
        struct = self.counters_struct()
        if not self._function("get_counters")(self.handle, struct):
            return None
        return self.counters_class.read(struct)  # type: ignore[return-value]  # the same class

    def _function(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self._native, f"hy_{self.part}_{name}")
        return function


def _end(end: Callable[[int], object], handle: int, _kept: tuple[object, ...]) -> None:
    end(handle)
