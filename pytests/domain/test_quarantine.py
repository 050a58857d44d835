"""Freed blocks wait before they can be handed out again, and what is written to them is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.debug import DEAD_BYTE, DebugOptions, check_all, debug_hooks
from heapyard.domain import OBJ, PythonAllocator
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.support.memory import peek, poke

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pytests.domain.stacks import Reusing

FRAME = 48  # header and two guards


def hooks_with(below: Reusing, options: DebugOptions) -> AbstractContextManager[None]:
    return OBJ.using(debug_hooks(OBJ, below.table, options))


def test_blocks_leave_oldest_first_when_there_are_too_many(below: Reusing) -> None:
    with hooks_with(below, DebugOptions(quarantine_blocks=3)):
        blocks = [OBJ.malloc(24) for _ in range(5)]
        for block in blocks:
            OBJ.free(block)
    assert below.free_blocks == [block - 32 for block in blocks[:2]]


def test_blocks_leave_when_they_are_too_many_bytes(below: Reusing) -> None:
    with hooks_with(below, DebugOptions(quarantine_bytes=3 * (100 + FRAME))):
        blocks = [OBJ.malloc(100) for _ in range(4)]
        for block in blocks:
            OBJ.free(block)
        assert below.free_blocks == [blocks[0] - 32]
        OBJ.free(OBJ.malloc(2 * (100 + FRAME) - FRAME))
    assert below.free_blocks[:3] == [block - 32 for block in blocks[:3]]


def test_a_block_larger_than_the_quarantine_does_not_push_others_out(below: Reusing) -> None:
    with hooks_with(below, DebugOptions(quarantine_bytes=1000)):
        small = OBJ.malloc(24)
        large = OBJ.malloc(1000)
        OBJ.free(small)
        OBJ.free(large)
    assert below.free_blocks == [large - 32]


def test_without_quarantine_blocks_go_back_at_once(below: Reusing) -> None:
    with hooks_with(below, DebugOptions(quarantine=False)):
        block = OBJ.malloc(24)
        OBJ.free(block)
        assert below.free_blocks == [block - 32]
        with recorded_misuse() as reports:
            OBJ.free(block)
        assert [r.kind for r in reports] == [MisuseKind.DOUBLE_FREE]


@pytest.mark.parametrize("offset", [-32, -17, -16, -1, 0, 1, 12, 23, 24, 39])
def test_a_write_after_free_is_seen_on_demand_and_at_the_end(below: Reusing, offset: int) -> None:
    with hooks_with(below, DebugOptions(quarantine_blocks=1)):
        block = OBJ.malloc(24)
        OBJ.free(block)
        poke(block + offset, b"\x42")
        with recorded_misuse() as reports:
            assert check_all() == 1
            OBJ.free(OBJ.malloc(1))
    for report in reports:
        assert (report.kind, report.address) == (MisuseKind.WRITE_AFTER_FREE, block)
        assert f": byte {offset})" in report.detail
    assert len(reports) == 2
    assert below.free_blocks == [block - 32]


def test_each_damaged_block_is_reported_once(below: Reusing) -> None:
    with hooks_with(below, DebugOptions()):
        blocks = [OBJ.malloc(24) for _ in range(6)]
        for block in blocks[:3]:
            OBJ.free(block)
        spoilt = [blocks[0], blocks[2], blocks[3], blocks[5]]
        sound = {block: peek(block + 24, 1) for block in spoilt}
        for block in spoilt:
            poke(block + 24, b"\x01")
        with recorded_misuse() as reports:
            assert check_all() == 4
        for block, byte in sound.items():
            poke(block + 24, byte)
        assert check_all() == 0
        for block in blocks[3:]:
            OBJ.free(block)
    assert sorted(r.address for r in reports) == sorted(spoilt)


def test_what_is_freed_is_dead_before_the_allocator_below_gets_it(below: Reusing) -> None:
    seen: list[bytes] = []

    class Watched(PythonAllocator):
        def free(self, address: int) -> None:
            seen.append(peek(address + 32, 24))
            self.below.free(address)

    options = DebugOptions(quarantine=False)
    with OBJ.using(debug_hooks(OBJ, Watched(below.table).table, options)):
        OBJ.free(OBJ.calloc(1, 24))
    assert seen == [bytes([DEAD_BYTE]) * 24]


def test_an_address_that_was_handed_out_again_is_no_double_free(below: Reusing) -> None:
    with hooks_with(below, DebugOptions(quarantine=False)):
        block = OBJ.malloc(24)
        for _ in range(5):
            OBJ.free(block)
            assert OBJ.malloc(24) == block
        OBJ.free(block)
