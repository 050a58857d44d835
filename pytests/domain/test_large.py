"""Blocks above 1 MiB are resized by the allocator below the hooks, and watched all the same."""

from __future__ import annotations

import ctypes

import pytest

from heapyard.debug import CLEAN_BYTE, DEAD_BYTE, GUARD_BYTE, debug_hooks, leaks
from heapyard.domain import OBJ, PythonAllocator
from heapyard.errors import OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.domain.stacks import STACKS, Reusing, stack_on
from pytests.support.memory import fill, peek, poke, read

MIB = 1 << 20
GUARD = bytes([GUARD_BYTE]) * 16


class Resizing(Reusing):
    """Counts calls of realloc; grows in place as long as `in_place` says so."""

    calls = 0
    in_place = False
    tail = b""

    def malloc(self, size: int) -> int | None:
        return super().malloc(6 * MIB if size > MIB and self.in_place else size)

    def realloc(self, address: int, size: int) -> int | None:
        self.calls += 1
        if self.fails:
            return None
        self.tail = peek(address + size, 32)
        return address if self.in_place else super().realloc(address, size)


@pytest.mark.parametrize("in_place", [True, False], ids=["in_place", "moved"])
def test_a_large_block_grows_by_the_realloc_below(in_place: bool) -> None:
    below = Resizing()
    below.in_place = in_place
    before = leaks()
    with OBJ.using(debug_hooks(OBJ, below.table)):
        old = OBJ.malloc(2 * MIB)
        fill(old, 7, 2 * MIB)
        new = OBJ.realloc(old, 3 * MIB)
        assert (below.calls, new == old) == (1, in_place)
        assert read(new, 2 * MIB) == b"\x07" * (2 * MIB)
        assert read(new + 2 * MIB, MIB) == bytes([CLEAN_BYTE]) * MIB
        assert (read(new - 16, 16), read(new + 3 * MIB, 16)) == (GUARD, GUARD)
        assert [(leak.address, leak.size) for leak in leaks()[len(before) :]] == [(new, 3 * MIB)]
        poke(new + 3 * MIB, b"\x01")
        with recorded_misuse() as reports:
            OBJ.free(new)
        assert [report.kind for report in reports] == [MisuseKind.OVERFLOW]
        poke(new + 3 * MIB, GUARD[:1])
        OBJ.free(new)
    assert below.errors == []
    assert leaks() == before


def test_the_old_address_of_a_large_block_is_told_by_name() -> None:
    below = Resizing()
    with OBJ.using(debug_hooks(OBJ, below.table)):
        old = OBJ.malloc(2 * MIB)
        new = OBJ.realloc(old, 3 * MIB)
        with recorded_misuse() as reports:
            OBJ.free(old)
        OBJ.free(new)
    assert [(r.kind, r.address) for r in reports] == [(MisuseKind.DOUBLE_FREE, old)]


def test_a_large_block_that_can_t_grow_is_as_it_was() -> None:
    below = Resizing()
    with OBJ.using(debug_hooks(OBJ, below.table)):
        block = OBJ.malloc(2 * MIB)
        fill(block, 7, 2 * MIB)
        frame = peek(block - 32, 2 * MIB + 48)
        below.fails = True
        for size in (3 * MIB, 2**63 - 1):
            with pytest.raises(OutOfMemoryError):
                OBJ.realloc(block, size)
            assert peek(block - 32, 2 * MIB + 48) == frame
        assert OBJ.realloc(block, MIB // 2) == block
        assert read(block, MIB // 2) == b"\x07" * (MIB // 2)
        OBJ.free(block)


def test_what_a_large_shrink_cuts_off_is_dead_before_it_is_given_back() -> None:
    below = Resizing()
    with OBJ.using(debug_hooks(OBJ, below.table)):
        block = OBJ.malloc(2 * MIB)
        fill(block, 7, 2 * MIB)
        shrunk = OBJ.realloc(block, MIB // 2)
        assert below.tail == bytes([DEAD_BYTE]) * 32
        assert read(shrunk, MIB // 2) == b"\x07" * (MIB // 2)
        assert read(shrunk + MIB // 2, 16) == GUARD
        OBJ.free(shrunk)


def test_an_allocator_that_moves_a_large_block_onto_another_is_told() -> None:
    class Onto(Reusing):
        other = 0

        def realloc(self, address: int, size: int) -> int | None:
            del address, size
            return self.other - 32

    below = Onto()
    with OBJ.using(debug_hooks(OBJ, below.table)):
        below.other = OBJ.malloc(24)
        block = OBJ.malloc(2 * MIB)
        with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
            OBJ.realloc(block, 4 * MIB)
        OBJ.free(below.other)
    assert [(r.kind, r.address) for r in reports] == [(MisuseKind.CORRUPTED, below.other)]


@pytest.mark.parametrize("stack", STACKS)
def test_a_large_block_counts_once_under_any_stack(stack: str) -> None:
    before = leaks()
    with OBJ.using(stack_on(OBJ.allocator, OBJ, stack)):
        block = OBJ.malloc(2 * MIB)
        for size in (3 * MIB, 8 * MIB, 3 * MIB, MIB, 5 * MIB):
            block = OBJ.realloc(block, size)
            found = [leak for leak in leaks() if leak not in before]
            assert [(leak.address, leak.size) for leak in found] == [(block, size)]
        OBJ.free(block)
    assert leaks() == before


def test_a_large_block_counts_once_where_a_table_between_hooks_copies_it() -> None:
    class Copying(PythonAllocator):
        def realloc(self, address: int, size: int) -> int | None:
            block = self.below.malloc(size)
            assert block is not None
            ctypes.memmove(block, address, 2 * MIB)
            self.below.free(address)
            return block

    before = leaks()
    copying = Copying(debug_hooks(OBJ, OBJ.allocator))
    with OBJ.using(debug_hooks(OBJ, copying.table)):
        block = OBJ.realloc(OBJ.malloc(2 * MIB), 4 * MIB)
        assert [leak.address for leak in leaks() if leak not in before] == [block]
        OBJ.free(block)
    assert (leaks(), copying.errors) == (before, [])
