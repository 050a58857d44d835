"""A region whose blocks are watched: sizes remembered, contents filled and verified.

So one test speaks to both engines: the list engine needs the size at each free. All that a region
should know is computed a second time from the live blocks alone: what is not live can be handed
out, and nothing else can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heapyard.block import Block, BlockState
from heapyard.errors import OutOfMemoryError
from heapyard.region import Engine, Region, Span
from pytests.support.memory import fill, peek, read

if TYPE_CHECKING:
    from collections.abc import Iterator

SPAN = 1 << 16


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to make a region."""

    engine: Engine
    granule: int = 16
    poison: bool = False

    def __str__(self) -> str:
        name = self.engine.name.lower()
        return f"{name}{self.granule}{'-poison' if self.poison else ''}"

    @property
    def is_fast(self) -> bool:
        return self.engine is Engine.FAST

    def region(self, memory: Span | int = SPAN) -> Region:
        """Made of a span, or of a new one that is aligned to 1 MiB."""
        span = memory if isinstance(memory, Span) else Span(memory, alignment=1 << 20)
        return Region(span, engine=self.engine, granule=self.granule, poison=self.poison)


SETUPS = [
    Setup(Engine.FAST),
    Setup(Engine.FAST, poison=True),
    Setup(Engine.LIST),
    Setup(Engine.LIST, 8),
    Setup(Engine.LIST, 4),
    Setup(Engine.LIST, 4, poison=True),
]
ENGINES = [Setup(Engine.FAST), Setup(Engine.LIST)]


@dataclass(frozen=True, slots=True)
class Live:
    """A live block, as asked for, filled with one byte."""

    address: int
    size: int
    byte: int


@dataclass(slots=True)
class Blocks:
    """The live blocks of a region."""

    region: Region
    granule: int = 16
    live: dict[int, Live] = field(default_factory=dict)
    serial: int = 0

    def take(self, size: int, *, alignment: int | None = None) -> int | None:
        """A block, filled; None where there is no room."""
        try:
            address = self.region.alloc(size, alignment=alignment)
        except OutOfMemoryError:
            return None
        assert address % max(alignment or 1, self.granule) == 0
        self._remember(address, size)
        return address

    def must_take(self, size: int, *, alignment: int | None = None) -> int:
        """A block, where there must be room."""
        address = self.take(size, alignment=alignment)
        assert address is not None, f"no room for {size} at {alignment}\n{self.map()}"
        return address

    def give(self, address: int) -> None:
        """Verify a block and free it, with the size where the engine needs it."""
        block = self.live.pop(address)
        self.verify(block)
        self.region.free(address, self.claim(block.size))

    def claim(self, size: int) -> int | None:
        """The size to free with: the list engine takes no 0."""
        return None if self.region.engine is Engine.FAST else max(size, 1)

    def resize(self, address: int, size: int, *, alignment: int = 0) -> int | None:
        """Verify, resize, verify what is kept."""
        block = self.live[address]
        self.verify(block)
        try:
            moved = self.region.realloc(
                address, size, old_size=max(block.size, 1), alignment=alignment
            )
        except OutOfMemoryError:
            self.verify(block)
            return None
        del self.live[address]
        self.verify(Live(moved, min(size, block.size), block.byte))
        self._remember(moved, size)
        return moved

    def give_all(self) -> None:
        """Free every block."""
        for address in list(self.live):
            self.give(address)

    def verify(self, block: Live) -> None:
        """The contents are what was written."""
        assert read(block.address, block.size) == bytes([block.byte]) * block.size

    def verify_all(self) -> None:
        """All contents, and the region's own check."""
        for block in self.live.values():
            self.verify(block)
        self.region.check()

    def _remember(self, address: int, size: int) -> None:
        assert address not in self.live
        self.serial += 1
        byte = self.serial % 251 + 1
        fill(address, byte, size)
        self.live[address] = Live(address, size, byte)

    def occupied(self, block: Live) -> int:
        """The bytes that a block takes: whole granules, at least one."""
        return max(-(-block.size // self.granule), 1) * self.granule

    def gaps(self) -> list[tuple[int, int]]:
        """(start, end) of all that is not live, by address, from the live blocks alone."""
        found = []
        for start, end in hulls(self.region):
            inside = sorted(b.address for b in self.live.values() if start <= b.address < end)
            at = start
            for address in inside:
                assert at <= address, "blocks overlap"
                if at < address:
                    found.append((at, address))
                at = address + self.occupied(self.live[address])
            assert at <= end, "a block runs out of its region"
            if at < end:
                found.append((at, end))
        return found

    def fitting(self, size: int, alignment: int = 1) -> list[tuple[int, int]]:
        """(address, size of the gap) of each gap that a request fits into, by address."""
        needed = max(-(-size // self.granule), 1) * self.granule
        found = []
        for start, end in self.gaps():
            first = -(-start // alignment) * alignment
            if first + needed <= end:
                found.append((first, end - start))
        return found

    def map(self) -> str:
        """The walk, as text."""
        return "\n".join(map(str, self.region.walk()))


def hulls(region: Region) -> Iterator[tuple[int, int]]:
    """(first, end) of the memory that each span of a region hands out."""
    runs = [run for run in region.walk() if run.state is not BlockState.METADATA]
    for span in sorted({run.span for run in runs}):
        inside = [run for run in runs if run.span == span]
        yield inside[0].address, inside[-1].end


def runs_of(region: Region, state: BlockState) -> list[Block]:
    """The runs of one state, by address."""
    return [run for run in region.walk() if run.state is state]


def free_runs(region: Region) -> list[Block]:
    """The free blocks, without the unused memory."""
    return runs_of(region, BlockState.FREE)


def unused_bytes(region: Region) -> int:
    """All that is above the bump pointers."""
    return sum(run.size for run in runs_of(region, BlockState.UNUSED))


def usable_bytes(region: Region) -> int:
    """All that can be handed out, live or not."""
    return sum(end - start for start, end in hulls(region))


def contents(region: Region) -> tuple[bytes, list[Block]]:
    """Every byte that a region hands out and its map, and the walk: what misuse may not change."""
    start, _ = next(hulls(region))
    return peek(start, region.span.end - start), region.walk()
