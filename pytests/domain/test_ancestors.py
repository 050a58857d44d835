"""Troubles that CPython's debug hooks had or have, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.debug import DEAD_BYTE, DebugOptions, debug_hooks
from heapyard.domain import OBJ, PythonAllocator
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.domain.stacks import STACKS, Reusing
from pytests.support import dies
from pytests.support.memory import fill, peek, read

if TYPE_CHECKING:
    from heapyard.domain import Domain


@pytest.mark.parametrize("size", [0, 10, 60, 99, 101, 1000])
def test_gh_75807_realloc_never_writes_to_memory_that_it_gave_back(size: int) -> None:
    """The ancestor's realloc filled the old block's ends after the allocator below had freed it."""
    images: list[tuple[int, bytes]] = []

    class Watching(Reusing):
        def free(self, address: int) -> None:
            super().free(address)
            images.append((address, peek(address, 148)))

        def malloc(self, size: int) -> int | None:
            block = super().malloc(size)
            for address, image in images:
                assert peek(address, 148) == image
            images[:] = [(a, i) for a, i in images if a != block]
            return block

    below = Watching()
    with OBJ.using(debug_hooks(OBJ, below.table, DebugOptions(quarantine=False))):
        block = OBJ.malloc(100)
        fill(block, 7, 100)
        block = OBJ.realloc(block, size)
        assert read(block, min(size, 100)) == b"\x07" * min(size, 100)
        assert all(peek(address, 148) == image for address, image in images)
        OBJ.free(block)
        OBJ.malloc(1)
    assert below.errors == []


def test_gh_75807_realloc_that_fails_leaves_the_block_as_it_was(below: Reusing) -> None:
    with OBJ.using(debug_hooks(OBJ, below.table)):
        block = OBJ.malloc(100)
        fill(block, 7, 100)
        frame = peek(block - 32, 148)
        below.fails = True
        with pytest.raises(MemoryError):
            OBJ.realloc(block, 101)
        assert peek(block - 32, 148) == frame
        OBJ.free(block)


@pytest.mark.parametrize("new", [0, 1, 99, 2000, 2500, 3999])
def test_shrink_leaves_no_old_byte_readable(hooked: Domain, below: Reusing, new: int) -> None:
    """The ancestor fills 64 bytes at each end of what was cut off."""
    old = 4000
    block = hooked.malloc(old)
    fill(block, 0x5A, old)
    shrunk = hooked.realloc(block, new)
    assert read(shrunk, new) == b"\x5a" * new
    rest = peek(block + new, old - new) if shrunk == block else peek(block, old)
    assert b"\x5a" not in rest
    assert rest.endswith(bytes([DEAD_BYTE]) * max(0, len(rest) - 16))
    assert below.errors == []


@pytest.mark.death
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("times", [2, 20])
def test_double_free_never_crashes_its_reporter(stack: str, times: int) -> None:
    """The ancestor's reporter reads the freed block, wherever the allocator below has put it."""
    dies(
        f"""
        from heapyard.debug import DebugOptions
        from heapyard.domain import OBJ
        from pytests.domain.stacks import stacked
        stacked("unmapping", {stack!r}, DebugOptions(quarantine=False))
        blocks = [OBJ.malloc(24) for _ in range({times})]
        for block in blocks:
            OBJ.free(block)
        OBJ.free(blocks[0])
        """,
        match=r"\Aheapyard: domain: double free of 0x\w+ \(obj block of 24 bytes, serial \d+\)\n"
        r"    before 0x\w+  can't be read\n",
    )


def test_double_free_is_told_whatever_was_written_to_the_block(below: Reusing) -> None:
    with OBJ.using(debug_hooks(OBJ, below.table, DebugOptions(quarantine=False))):
        block = OBJ.malloc(24)
        OBJ.free(block)
        fill(block - 32, 0xFF, 72)
        with recorded_misuse() as reports:
            OBJ.free(block)
    assert [r.kind for r in reports] == [MisuseKind.DOUBLE_FREE]


def test_statistics_survive_hooks_of_a_tracer(counting: None) -> None:
    """The ancestor prints no table of its pools as soon as tracemalloc's hooks lie over it."""
    del counting

    class Tracer(PythonAllocator):
        traced = 0

        def malloc(self, size: int) -> int | None:
            self.traced += size
            return self.below.malloc(size)

    hooks = debug_hooks(OBJ, OBJ.allocator)
    tracer = Tracer(hooks)
    with OBJ.using(tracer.table):
        before = OBJ.counters()
        block = OBJ.malloc(1000)
        after = OBJ.counters()
        OBJ.free(block)
    assert before is not None
    assert after is not None
    assert after.live_bytes - before.live_bytes == tracer.traced == 1000
    assert after.held_bytes - before.held_bytes >= 1048
    assert after.live_blocks - before.live_blocks == 1
