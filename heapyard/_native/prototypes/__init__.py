"""One table of what the native libraries export, as ctypes prototypes.

Each part has a module with its rows; a new part adds its module and one entry to `PARTS`. The
tests hold the table against the headers, the exported names and the DWARF of the library, so that
a drift is a failed test and not a crash.
"""

from __future__ import annotations

from heapyard._native.prototypes import (
    bump,
    collector,
    domain,
    heap,
    misuse,
    objects,
    pages,
    region,
    trial,
)
from heapyard._native.prototypes._table import LibraryName, Part, Prototype

__all__ = ["PARTS", "LibraryName", "Part", "Prototype", "functions_of"]

PARTS: tuple[Part, ...] = (
    misuse.PART,
    pages.PART,
    bump.PART,
    region.PART,
    heap.PART,
    domain.PART,
    objects.PART,
    collector.PART,
    trial.PART,
)


def functions_of(library: LibraryName) -> tuple[Prototype, ...]:
    """All rows of one library."""
    return tuple(row for part in PARTS if part.library == library for row in part.functions)
