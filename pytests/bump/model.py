"""A plan of calls on a bump arena, run beside a model of what every block must hold.

A plan is a list of calls, each a list: ["alloc", size, alignment], ["zeroed", count, size],
["realloc", choice, size], ["mark"], ["rewind", choice], ["reset"], ["trim"], ["cleanup"],
["fail", k]. A choice is a number, taken modulo what there is to choose from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from heapyard import Bump, BumpMark, FaultyPages
from heapyard.bump import ALIGNMENT
from heapyard.errors import OutOfMemoryError
from pytests.bump.verify import verify
from pytests.support.memory import fill, is_zero, read


@dataclass
class Live:
    """A block that the model knows to be live, and the byte that fills it."""

    address: int
    size: int
    byte: int

    def paint(self, start: int = 0) -> None:
        fill(self.address + start, self.byte, self.size - start)

    def intact(self, size: int) -> bool:
        return read(self.address, size) == bytes([self.byte]) * size


@dataclass
class Saved:
    """A mark, and what the model looked like."""

    mark: BumpMark
    live: list[Live]
    cleanups: int


@dataclass
class Model:
    """The arena and what is known of it."""

    bump: Bump
    source: FaultyPages
    live: list[Live] = field(default_factory=list)
    marks: list[Saved] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    ran: list[int] = field(default_factory=list)
    serial: int = 0

    def next_byte(self) -> int:
        self.serial += 1
        return self.serial % 255 + 1

    def add(self, address: int, size: int, alignment: int) -> None:
        assert address % max(alignment, ALIGNMENT) == 0
        block = Live(address, size, self.next_byte())
        for other in self.live:
            apart = address + max(size, 1) <= other.address or (
                other.address + max(other.size, 1) <= address
            )
            assert apart, f"{block} overlaps {other}"
        assert self.bump.contains(address)
        block.paint()
        self.live.append(block)

    def do_alloc(self, size: int, alignment: int) -> None:
        self.add(self.bump.alloc(size, alignment=alignment), size, alignment)

    def do_zeroed(self, count: int, size: int) -> None:
        address = self.bump.alloc_zeroed(count, size)
        assert is_zero(address, count * size)
        self.add(address, count * size, ALIGNMENT)

    def do_realloc(self, choice: int, size: int) -> None:
        if not self.live:
            return
        block = self.live[choice % len(self.live)]
        address = self.bump.realloc(block.address, block.size, size)
        self.live.remove(block)
        kept = min(size, block.size)
        moved = Live(address, size, block.byte)
        assert moved.intact(kept), "realloc lost what it must keep"
        self.add(address, size, ALIGNMENT)

    def do_mark(self) -> None:
        self.marks.append(Saved(self.bump.mark(), list(self.live), len(self.pending)))

    def do_rewind(self, choice: int) -> None:
        if not self.marks:
            return
        number = choice % len(self.marks)
        saved = self.marks[number]
        self.expect_cleanups(saved.cleanups, lambda: self.bump.rewind(saved.mark))
        del self.marks[number + 1 :]
        self.live = [block for block in self.live if any(block is old for old in saved.live)]

    def do_reset(self) -> None:
        self.expect_cleanups(0, self.bump.reset)
        self.marks.clear()
        self.live.clear()

    def do_trim(self) -> None:
        mapped = self.source.counts.mapped_bytes
        purged = self.source.counts.purged_bytes
        given = self.bump.trim()
        counts = self.source.counts
        assert given == mapped - counts.mapped_bytes + counts.purged_bytes - purged

    def do_cleanup(self) -> None:
        number = self.next_byte()
        self.bump.add_cleanup(lambda: self.ran.append(number))
        self.pending.append(number)

    def do_fail(self, k: int) -> None:
        self.source.fail_at(k)

    def expect_cleanups(self, left: int, call: Any) -> None:
        expected = self.pending[left:][::-1]
        del self.pending[left:]
        self.ran.clear()
        call()
        assert self.ran == expected

    def step(self, name: str, arguments: list[int]) -> None:
        try:
            getattr(self, f"do_{name}")(*arguments)
        except OutOfMemoryError:
            assert self.source.counts.refused, "out of memory, but no request was refused"
        verify(self.bump)
        for block in self.live:
            assert block.intact(block.size), f"{block} was overwritten"


def run_plan(plan: dict[str, Any]) -> int:
    """Run a plan; returns how many blocks were live at its end."""
    source = FaultyPages()
    bump = Bump(source=source, **plan.get("config", {}))
    model = Model(bump, source)
    for name, *arguments in plan["calls"]:
        model.step(name, arguments)
    live = len(model.live)
    model.expect_cleanups(0, bump.close)
    assert source.counts.mapped_bytes == 0
    return live
