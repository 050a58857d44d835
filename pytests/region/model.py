"""What a region must do for any sequence of calls, told from the live blocks alone.

The list engine takes the first gap that a request fits into; the fast engine one of the smallest
(the unused memory last). A request fails if and only if it fits nowhere.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from heapyard.block import BlockState
from heapyard.region import Engine, Region, Span
from pytests.region.blocks import Blocks, Setup, free_runs, hulls, unused_bytes, usable_bytes

if TYPE_CHECKING:
    from heapyard.counters import RegionCounters

SPAN = 1 << 14
GUARD = b"guard" * 16


class Model:
    """One region of a few spans, and the calls of a plan upon it."""

    def __init__(self, setup: Setup, *, chained: bool) -> None:
        self.setup = setup
        self.memory = Span(8 * SPAN, alignment=8 * SPAN)
        self.end = SPAN + 48
        self.blocks = Blocks(
            setup.region(self.memory.part(80, self.end - 80)), granule=setup.granule
        )
        if chained:
            self.blocks.region.chain(self.memory.part(6 * SPAN + 7, SPAN // 2))
        self.chained = chained

    def pick(self, choice: int) -> int | None:
        live = sorted(self.blocks.live)
        return live[choice % len(live)] if live else None

    def do_alloc(self, size: int, alignment: int) -> None:
        fits = self.blocks.fitting(size, alignment)
        address = self.blocks.take(size, alignment=alignment)
        assert (address is not None) == bool(fits), self.blocks.map()
        if address is not None and not self.chained:
            self._is_well_placed(address, fits, alignment)

    def _is_well_placed(self, address: int, fits: list[tuple[int, int]], alignment: int) -> None:
        if self.setup.engine is Engine.LIST:
            assert address == fits[0][0], "not the first that fits"
        elif alignment <= self.setup.granule:
            _, end = list(hulls(self.blocks.region))[-1]
            gaps = [(size, at + size == end) for at, size in fits]
            best = min(gaps, key=lambda gap: (gap[1], gap[0]))
            chosen = next(size for at, size in fits if at == address)
            assert chosen == best[0], "not the smallest that fits"

    def do_free(self, choice: int) -> None:
        address = self.pick(choice)
        if address is not None:
            self.blocks.give(address)

    def do_realloc(self, choice: int, size: int, alignment: int) -> None:
        address = self.pick(choice)
        if address is None:
            return
        block = self.blocks.live[address]
        end = address + self.blocks.occupied(block)
        behind = next((b - a for a, b in self.blocks.gaps() if a == end), 0)
        stays = size <= self.blocks.occupied(block) + behind and address % max(alignment, 1) == 0
        fits = self.blocks.fitting(size, max(alignment, 1))
        moved = self.blocks.resize(address, size, alignment=alignment)
        assert (moved == address) == stays or (moved is None and not fits)
        assert (moved is not None) == (stays or bool(fits)), self.blocks.map()

    def do_extend(self, more: int) -> None:
        new_end = min(self.end + more, 6 * SPAN)
        self.blocks.region.extend(self.memory.address + self.end, self.memory.address + new_end)
        self.end = new_end

    def do_reset(self) -> None:
        self.blocks.region.reset()
        self.blocks.live.clear()

    def verify(self) -> None:
        """Every property that holds after every call."""
        self.blocks.verify_all()
        counters = self.blocks.region.counters()
        walked = self.blocks.region.walk()
        for one, two in pairwise(walked):
            assert one.end == two.address or one.span != two.span, self.blocks.map()
            free = (BlockState.FREE, BlockState.UNUSED)
            assert not (one.end == two.address and one.state in free and two.state in free)
        if counters is not None:
            self._counts(counters)

    def _counts(self, counters: RegionCounters) -> None:
        region = self.blocks.region
        live = sum(map(self.blocks.occupied, self.blocks.live.values()))
        assert (counters.live_blocks, counters.live_bytes) == (len(self.blocks.live), live)
        assert counters.free_bytes == sum(run.size for run in free_runs(region))
        assert counters.unused_bytes == unused_bytes(region)
        parts = live + counters.free_bytes + counters.metadata_bytes + counters.unused_bytes
        assert parts == counters.region_bytes
        assert counters.allocs - counters.frees == counters.live_blocks
        if self.setup.engine is Engine.LIST:
            assert counters.peak_steps <= 4 * 600
        else:
            assert counters.peak_steps <= 60


def run_plan(plan: dict[str, Any]) -> None:
    """Run the calls of a plan ({"setup": [engine, granule, poison], "chained", "calls"})."""
    engine, granule, poison = plan["setup"]
    setup = Setup(Engine[engine], granule, poison)
    model = Model(setup, chained=plan["chained"])
    for name, *arguments in plan["calls"]:
        getattr(model, f"do_{name}")(*arguments)
        model.verify()
    model.blocks.give_all()
    model.verify()
    region: Region = model.blocks.region
    assert free_runs(region) == []
    assert unused_bytes(region) == usable_bytes(region)
    region.close()
