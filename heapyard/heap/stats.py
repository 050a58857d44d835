"""What a heap says of itself: its counters, and a row for each size class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heapyard._native.prototypes.heap import HeapClassStatsStruct
    from heapyard.counters import HeapCounters

__all__ = ["HeapClassStats", "HeapStats"]


@dataclass(frozen=True, slots=True)
class HeapClassStats:
    """One size class: hy_heap_class_stats in <heapyard/heap.h>. Sizes are in bytes."""

    block_size: int
    allocs: int
    """Total: blocks handed out. 0 in a build without counters."""
    live_blocks: int
    cached_blocks: int
    """Free blocks in the cache."""
    free_blocks: int
    """Other free blocks: in pools."""
    pools: int
    pool_bytes: int
    cache_limit: int
    """How many blocks the cache takes at most."""

    @classmethod
    def read(cls, struct: HeapClassStatsStruct) -> Self:
        """The values of a filled-in C struct."""
        return cls(*(getattr(struct, name) for name, _ in struct._fields_))

    @property
    def used(self) -> bool:
        """Whether the heap has ever served this class, as far as it shows."""
        return bool(self.allocs or self.pools)

    @property
    def live_bytes(self) -> int:
        """In live blocks, rounding included."""
        return self.live_blocks * self.block_size


@dataclass(frozen=True, slots=True)
class HeapStats:
    """A heap at one moment: `str()` is a table, `to_json()` a dict that JSON can hold."""

    counters: HeapCounters | None
    """None where the library was built without."""
    classes: tuple[HeapClassStats, ...]
    """All size classes, the smallest first."""

    @property
    def used_classes(self) -> tuple[HeapClassStats, ...]:
        """The size classes that were used."""
        return tuple(row for row in self.classes if row.used)

    def to_json(self) -> dict[str, Any]:
        """The counters by name (or None), and the size classes that were used."""
        return {
            "schema": "heapyard.heap-stats/1",
            "counters": None if self.counters is None else self.counters.to_json(),
            "classes": [asdict(row) for row in self.used_classes],
        }

    def table(self) -> str:
        """A row for each size class that was used, and their sum."""
        rows = [_cells(row) for row in self.used_classes]
        return _aligned([_TITLES, *rows, _sum(self.used_classes)])

    def __str__(self) -> str:
        if self.counters is None:
            return self.table()
        return f"{self.table()}\n\n{self.counters.table()}"


class _Column(NamedTuple):
    title: str
    value: Callable[[HeapClassStats], int]
    summed: bool = True


_COLUMNS = (
    _Column("block", lambda row: row.block_size, summed=False),
    _Column("live", lambda row: row.live_blocks),
    _Column("cached", lambda row: row.cached_blocks),
    _Column("free", lambda row: row.free_blocks),
    _Column("pools", lambda row: row.pools),
    _Column("pool bytes", lambda row: row.pool_bytes),
    _Column("live bytes", lambda row: row.live_bytes),
    _Column("allocs", lambda row: row.allocs),
    _Column("cache limit", lambda row: row.cache_limit, summed=False),
)
_TITLES = (*(column.title for column in _COLUMNS), "in use")


def _cells(row: HeapClassStats) -> tuple[str, ...]:
    values = (f"{column.value(row):,}" for column in _COLUMNS)
    return (*values, _share(row.live_bytes, row.pool_bytes))


def _sum(rows: Sequence[HeapClassStats]) -> tuple[str, ...]:
    sums = (f"{sum(map(c.value, rows)):,}" if c.summed else "" for c in _COLUMNS[1:])
    live, pools = sum(row.live_bytes for row in rows), sum(row.pool_bytes for row in rows)
    return ("all", *sums, _share(live, pools))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
