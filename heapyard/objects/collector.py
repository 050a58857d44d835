"""The collector of a space: part of `ObjectSpace`. What it promises stands in <heapyard/gc.h>."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

from heapyard._native.prototypes.collector import (
    CollectionFunction,
    CollectorCountersStruct,
    GenerationStatsStruct,
)
from heapyard._native.prototypes.objects import VisitFunction
from heapyard.counters import CollectorCounters
from heapyard.errors import BadArgumentError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Collection", "Collector", "Engine", "GenerationStats"]

GENERATIONS = 3


class Engine(IntEnum):
    """How the collector finds containers (hy_gc_engine)."""

    WALK = 0
    LINKED = 1
    POOLS = 2


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection did (hy_gc_result)."""

    generation: int
    candidates: int
    collected: int
    resurrected: int
    uncollectable: tuple[int, ...]
    """The objects whose cycles nothing breaks."""


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """One generation (hy_gc_generation_stats). All but `containers` are totals.

    A collection counts as one of its own generation, with all that it did in those before.
    """

    containers: int
    """Now. Frozen ones are in no generation."""
    collections: int
    candidates: int
    collected: int
    resurrected: int
    uncollectable: int

    @classmethod
    def read(cls, struct: GenerationStatsStruct) -> Self:
        """The values of a filled-in C struct."""
        return cls(*(getattr(struct, name) for name, _ in struct._fields_))


class Collector:
    """What a space offers beside its objects."""

    _native: Any
    handle: int

    def collect(self, generation: int = GENERATIONS - 1) -> int:
        """Collect; how many objects were garbage. Raises OutOfMemoryError: it is postponed."""
        if not 0 <= generation < GENERATIONS:
            raise BadArgumentError("generation", generation, f"must be 0 to {GENERATIONS - 1}")
        found = int(self._native.hy_gc_collect(self.handle, generation))
        if found < 0:
            raise OutOfMemoryError("No memory for a collection, or one runs: nothing has changed.")
        return found

    def set_thresholds(self, young: int, middle: int = 10, old: int = 10) -> None:
        """Collect by itself after so many new containers; young=0: never.

        Each `middle`-th such collection takes those that survived one too, and each `old`-th of
        these takes all. Raises OutOfMemoryError.
        """
        _check_bounds("young", young, 2**64 - 1)
        _check_bounds("middle", middle, 2**32 - 1)
        _check_bounds("old", old, 2**32 - 1)
        _succeed(self._native.hy_gc_set_thresholds(self.handle, young, middle, old))

    def set_callback(self, call: Callable[[Collection | None], object] | None) -> None:
        """Have `call(None)` before each collection and `call(what it did)` after it.

        As in every function that C calls, what it raises is printed and goes no further. Raises
        OutOfMemoryError.
        """

        def relay(_context: int | None, _generation: int, result: Any) -> None:
            assert call is not None
            call(_collection(result.contents) if result else None)

        function = CollectionFunction(relay) if call else CollectionFunction()
        _succeed(self._native.hy_gc_set_callback(self.handle, function, None))
        self._collection_function = function

    def set_roots(self, roots: Sequence[int]) -> None:
        """Containers that are known to be alive: full collections mark what they reach first.

        They must be referred to from outside until other roots are set; none: `set_roots([])`.
        Raises OutOfMemoryError.
        """
        array = (ctypes.c_void_p * len(roots))(*roots)
        _succeed(self._native.hy_gc_set_roots(self.handle, array, len(roots)))
        self._roots = array

    def freeze(self) -> int:
        """Leave all containers alone from now on. How many."""
        return int(self._native.hy_gc_freeze(self.handle))

    def unfreeze(self) -> int:
        """Collect them again. How many."""
        return int(self._native.hy_gc_unfreeze(self.handle))

    def containers(self) -> list[int]:
        """All containers, by address."""
        return self._visited(lambda visit: self._native.hy_gc_walk(self.handle, visit, None))

    def referrers(self, address: int) -> list[int]:
        """The containers that refer to an object."""
        return self._visited(
            lambda visit: self._native.hy_gc_referrers(self.handle, address, visit, None)
        )

    def references(self, address: int) -> list[int]:
        """The objects that an object refers to, as its type's traverse tells."""
        return self._visited(lambda visit: self._native.hy_object_traverse(address, visit, None))

    def generation(self, address: int) -> int:
        """The generation that a container is in; 3: frozen."""
        return int(self._native.hy_gc_generation(self.handle, address))

    def generations(self) -> tuple[GenerationStats, ...]:
        """What each generation holds, and what its collections did; the young one first."""
        rows = (GenerationStatsStruct * GENERATIONS)()
        self._native.hy_gc_stats(self.handle, rows, GENERATIONS)
        return tuple(GenerationStats.read(row) for row in rows)

    def collector_counters(self) -> CollectorCounters | None:
        """What the collector has done; None where the library was built without counters."""
        struct = CollectorCountersStruct()
        if not self._native.hy_gc_get_counters(self.handle, struct):
            return None
        return CollectorCounters.read(struct)

    @staticmethod
    def _visited(walk: Callable[[Any], object]) -> list[int]:
        found: list[int] = []

        def visit(address: int, _context: int | None) -> int:
            found.append(address)
            return 0

        walk(VisitFunction(visit))
        return found


def _check_bounds(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise BadArgumentError(name, value, f"must be from 0 to {most}")


def _succeed(done: bool) -> None:
    if not done:
        raise OutOfMemoryError("No memory for a collector: nothing has changed.")


def _collection(result: Any) -> Collection:
    return Collection(
        result.generation,
        result.candidates,
        result.collected,
        result.resurrected,
        tuple(result.left[index] for index in range(result.uncollectable)),
    )
