"""A plan of calls on a heap, run beside a model of what every block must hold.

A plan is a list of calls, each a list: ["malloc", size], ["calloc", count, size],
["aligned", alignment, size], ["realloc", choice, size], ["free", choice], ["free_sized", choice],
["burst", count, size], ["drop", choice, step], ["trim"], ["fail", k]. A choice is a number, taken
modulo what there is to choose from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from heapyard import FaultyPages, Heap, Purge
from heapyard.errors import OutOfMemoryError
from heapyard.heap import ALIGNMENT
from pytests.heap.verify import verify
from pytests.support.memory import fill, is_zero, read


@dataclass
class Live:
    """A block that the model knows to be live, and the byte that fills it."""

    address: int
    size: int
    byte: int
    alignment: int = 0
    """As asked of aligned_alloc; 0 for any other block."""

    def intact(self, size: int) -> bool:
        return read(self.address, size) == bytes([self.byte]) * size


@dataclass
class Model:
    """The heap and what is known of it."""

    heap: Heap
    source: FaultyPages
    live: list[Live] = field(default_factory=list)
    serial: int = 0

    def add(self, address: int, size: int, alignment: int = 0) -> None:
        assert address % max(alignment, ALIGNMENT) == 0
        assert self.heap.contains(address)
        assert self.heap.contains(address + max(size, 1) - 1)
        assert self.heap.usable_size(address) >= max(size, 1)
        self.serial += 1
        block = Live(address, size, self.serial % 255 + 1, alignment)
        fill(address, block.byte, size)
        self.live.append(block)

    def do_malloc(self, size: int) -> None:
        self.add(self.heap.malloc(size), size)

    def do_calloc(self, count: int, size: int) -> None:
        address = self.heap.calloc(count, size)
        assert is_zero(address, count * size)
        self.add(address, count * size)

    def do_aligned(self, alignment: int, size: int) -> None:
        self.add(self.heap.aligned_alloc(alignment, size), size, alignment)

    def do_realloc(self, choice: int, size: int) -> None:
        if not self.live:
            return
        block = self.live[choice % len(self.live)]
        address = self.heap.realloc(block.address, size)
        self.live.remove(block)
        moved = Live(address, size, block.byte)
        assert moved.intact(min(size, block.size)), "realloc lost what it must keep"
        self.add(address, size)

    def do_free(self, choice: int) -> None:
        if self.live:
            self.heap.free(self.take(choice).address)

    def do_free_sized(self, choice: int) -> None:
        if not self.live:
            return
        block = self.take(choice)
        if block.alignment:
            self.heap.free_aligned_sized(block.address, block.alignment, block.size)
        else:
            self.heap.free_sized(block.address, block.size)

    def do_burst(self, count: int, size: int) -> None:
        for _ in range(count):
            self.do_malloc(size)

    def do_drop(self, choice: int, step: int) -> None:
        for place in range(choice % step, len(self.live), step)[::-1]:
            self.do_free_sized(place)

    def do_trim(self) -> None:
        counts = self.source.counts
        given = self.heap.trim()
        after = self.source.counts
        unmapped = counts.mapped_bytes - after.mapped_bytes
        assert given <= unmapped + after.purged_bytes - counts.purged_bytes
        assert self.heap.trim() == 0

    def do_fail(self, k: int) -> None:
        self.source.fail_at(k)

    def take(self, choice: int) -> Live:
        return self.live.pop(choice % len(self.live))

    def step(self, name: str, arguments: list[int]) -> None:
        refused = self.source.counts.refused
        try:
            getattr(self, f"do_{name}")(*arguments)
        except OutOfMemoryError:
            assert self.source.counts.refused > refused, "out of memory, but nothing was refused"
        self.verify()

    def verify(self) -> None:
        verify(self.heap)
        for block in self.live:
            assert block.intact(block.size), f"{block} was overwritten"
        counters = self.heap.counters()
        if counters is not None:
            assert counters.live_blocks == len(self.live)
            assert counters.live_bytes >= sum(block.size for block in self.live)
            assert counters.mapped_bytes == self.source.counts.mapped_bytes
            assert counters.purged_bytes == self.source.counts.purged_bytes


def run_plan(plan: dict[str, Any]) -> int:
    """Run a plan; returns how many blocks were live at its end."""
    source = FaultyPages()
    config = plan.get("config", {})
    if "purge" in config:
        config["purge"] = Purge[config["purge"]]
    heap = Heap(source=source, **config)
    model = Model(heap, source)
    for name, *arguments in plan["calls"]:
        model.step(name, arguments)
    heap.close()
    assert source.counts.mapped_bytes == 0
    return len(model.live)
