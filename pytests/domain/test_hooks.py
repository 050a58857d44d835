"""What hooks write into blocks and around them, and that they see each byte of the guards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard._native.library import library
from heapyard.debug import (
    CLEAN_BYTE,
    DEAD_BYTE,
    GUARD_BYTE,
    MAX_GUARD,
    DebugOptions,
    check_all,
    debug_hooks,
    serial,
    setup_debug_hooks,
)
from heapyard.domain import DOMAINS, MEM, OBJ, PythonAllocator
from heapyard.errors import BadArgumentError, OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.domain.stacks import Reusing, stack_on
from pytests.support.memory import fill, peek, poke, read, write

if TYPE_CHECKING:
    from heapyard.domain import Domain

CLEAN, DEAD, GUARD = (bytes([byte]) for byte in (CLEAN_BYTE, DEAD_BYTE, GUARD_BYTE))


def test_new_blocks_are_clean(hooked: Domain) -> None:
    for size in (0, 1, 24, 4000):
        assert read(hooked.malloc(size), size) == CLEAN * size


def test_grown_parts_are_clean_in_place_and_moved(hooked: Domain) -> None:
    block = hooked.realloc(hooked.calloc(1, 100), 60)
    grown = hooked.realloc(block, 90)
    assert (grown, read(grown, 90)) == (block, bytes(60) + CLEAN * 30)
    moved = hooked.realloc(grown, 300)
    assert read(moved, 300) == bytes(60) + CLEAN * 240


def test_freed_blocks_are_dead(hooked: Domain) -> None:
    block = hooked.calloc(1, 100)
    hooked.free(block)
    assert peek(block, 100) == DEAD * 100


def test_the_frame_bears_size_id_serial_and_guards(below: Reusing, domain: Domain) -> None:
    with domain.using(stack_on(below.table, domain, "hooks")):
        block = domain.malloc(24)
        header = (24).to_bytes(8, "little") + domain.name[:1].encode()
        header += serial().to_bytes(7, "little")
        assert read(block - 32, 32) == header + GUARD * 16
        assert read(block + 24, 16) == GUARD * 16


@pytest.mark.parametrize("width", [16, 32, 64, MAX_GUARD])
def test_guards_are_as_wide_as_asked_and_keep_the_alignment(below: Reusing, width: int) -> None:
    hooks = debug_hooks(OBJ, below.table, DebugOptions(guard_bytes=width))
    with OBJ.using(hooks):
        block = OBJ.malloc(20)
        assert block % 16 == 0
        assert read(block - width, width) == GUARD * width
        assert read(block + 20, width) == GUARD * width
        OBJ.free(block)


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("size", [0, 1, 24, 100])
def test_a_write_at_each_offset_of_guards_and_header_is_seen(
    below: Reusing, width: int, size: int
) -> None:
    places = [*range(-width - 16, 0), *range(size, size + width)]
    with OBJ.using(debug_hooks(OBJ, below.table, DebugOptions(guard_bytes=width))):
        block = OBJ.malloc(size)
        for offset in places:
            sound = peek(block + offset, 1)
            poke(block + offset, bytes([sound[0] ^ 0x10]))
            with recorded_misuse() as reports:
                OBJ.free(block)
            kind = MisuseKind.UNDERFLOW if offset < 0 else MisuseKind.OVERFLOW
            assert [(r.kind, r.address) for r in reports] == [(kind, block)]
            assert f": byte {offset})" in reports[0].detail
            poke(block + offset, sound)
        OBJ.free(block)


def test_a_wide_overflow_is_named_at_its_first_byte_and_an_underflow_at_its_last(
    hooked: Domain,
) -> None:
    block = hooked.malloc(24)
    fill(block + 26, 1, 5)
    with recorded_misuse() as reports:
        hooked.free(block)
    assert ": byte 26)" in reports[0].detail
    fill(block + 26, GUARD_BYTE, 5)
    fill(block - 9, 1, 5)
    with recorded_misuse() as reports:
        hooked.free(block)
    assert ": byte -5)" in reports[0].detail
    fill(block - 9, GUARD_BYTE, 5)


def test_what_a_shrink_cuts_off_is_watched(hooked: Domain) -> None:
    block = hooked.realloc(hooked.malloc(100), 60)
    for offset in (60, 75, 76, 99, 115):
        sound = peek(block + offset, 1)
        poke(block + offset, b"\x01")
        with recorded_misuse() as reports:
            hooked.free(block)
        assert [r.kind for r in reports] == [MisuseKind.OVERFLOW], offset
        assert f": byte {offset})" in reports[0].detail
        poke(block + offset, sound)


def test_misuse_has_no_effect_where_the_handler_returns(hooked: Domain) -> None:
    block = hooked.malloc(24)
    write(block, b"x" * 24)
    guards = peek(block - 32, 32), peek(block + 24, 16)
    other = stack_on(Reusing().table, MEM, "hooks")
    with recorded_misuse() as reports, MEM.using(other):
        hooked.free(block + 8)
        MEM.free(block)
        with pytest.raises(OutOfMemoryError):
            MEM.realloc(block, 100)
        poke(block + 24, b"\x01")
        with pytest.raises(OutOfMemoryError):
            hooked.realloc(block, 100)
        poke(block + 24, GUARD)
    assert [r.kind.name for r in reports] == [
        *("INTERIOR_POINTER", "WRONG_DOMAIN", "WRONG_DOMAIN", "OVERFLOW")
    ]
    assert read(block, 24) == b"x" * 24
    assert (peek(block - 32, 32), peek(block + 24, 16)) == guards
    hooked.free(block)


def test_the_dump_shows_the_block_and_both_guards(hooked: Domain) -> None:
    block = hooked.malloc(24)
    write(block, bytes(range(65, 89)))
    write(block + 24, b"!")
    with recorded_misuse() as reports:
        hooked.free(block)
    rows = [line.split(maxsplit=2) for line in reports[0].dump.splitlines()]
    assert [(name, int(place, 16) - block) for name, place, _ in rows] == [
        *(("before", -16), ("start", 0), ("end", 8), ("after", 24))
    ]
    assert rows[1][2] == "41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50  ABCDEFGHIJKLMNOP"
    assert rows[3][2].startswith("21 fd fd")
    write(block + 24, GUARD)


def test_the_dump_shows_the_place_of_a_far_write(hooked: Domain) -> None:
    block = hooked.malloc(500)
    hooked.free(block)
    poke(block + 300, b"Z")
    with recorded_misuse() as reports:
        assert check_all() == 1
    poke(block + 300, DEAD)
    (there,) = [line for line in reports[0].dump.splitlines() if "there" in line]
    assert there.endswith("............Z...")


def test_setting_up_twice_leaves_one_set_of_hooks() -> None:
    setup_debug_hooks()
    tables = [domain.allocator for domain in DOMAINS]
    setup_debug_hooks(options=DebugOptions(guard_bytes=64))
    assert [domain.allocator for domain in DOMAINS] == tables


def test_only_the_domains_asked_for_get_hooks() -> None:
    before = [domain.allocator for domain in DOMAINS]
    setup_debug_hooks([MEM])
    changed = [
        domain for domain, table in zip(DOMAINS, before, strict=True) if domain.allocator != table
    ]
    assert changed == [MEM]


def test_same_arguments_give_the_same_hooks(below: Reusing) -> None:
    one = debug_hooks(OBJ, below.table)
    assert debug_hooks(OBJ, below.table, DebugOptions(guard_bytes=16)) == one
    assert debug_hooks(MEM, below.table) != one
    assert debug_hooks(OBJ, below.table, DebugOptions(guard_bytes=32)) != one
    assert debug_hooks(OBJ, Reusing().table) != one
    assert debug_hooks(OBJ, one) != one


@pytest.mark.parametrize("width", [-16, 8, 17, MAX_GUARD + 16])
def test_guards_of_other_widths_are_refused(width: int) -> None:
    with pytest.raises(BadArgumentError, match="multiple of 16"):
        setup_debug_hooks(options=DebugOptions(guard_bytes=width))


def test_a_bad_configuration_is_misuse_and_sets_nothing_up() -> None:
    before = OBJ.allocator
    for field, value in (("guard_bytes", 8), ("flags", 2), ("reserved", 1), ("size", 8)):
        config = DebugOptions().struct()
        setattr(config, field, value)
        with recorded_misuse() as reports:
            assert not library().hy_domain_setup_debug_hooks(7, config)
        assert [r.kind for r in reports] == [MisuseKind.BAD_ARGUMENT], field
    assert OBJ.allocator == before


def test_every_request_gets_the_next_serial_number(hooked: Domain) -> None:
    first = serial()
    block = hooked.malloc(1)
    block = hooked.realloc(block, 1)
    hooked.realloc(block, 100)
    hooked.calloc(1, 1)
    assert serial() == first + 4


def test_an_allocator_that_serves_a_live_block_again_is_told() -> None:
    class Twice(PythonAllocator):
        block: int | None = None

        def malloc(self, size: int) -> int | None:
            self.block = self.block or self.below.malloc(size)
            return self.block

    with OBJ.using(debug_hooks(OBJ, Twice(OBJ.allocator).table)):
        block = OBJ.malloc(8)
        write(block, b"contents")
        with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
            OBJ.malloc(8)
    assert [(r.kind, r.address) for r in reports] == [(MisuseKind.CORRUPTED, block)]
    assert "the allocator below served it again: obj block of 8 bytes" in reports[0].detail
    assert read(block, 8) == b"contents"


def test_a_shrink_never_fails(hooked: Domain, below: Reusing) -> None:
    block = hooked.malloc(1000)
    fill(block, 5, 1000)
    below.fails = True
    for size in (400, 10, 0):
        assert hooked.realloc(block, size) == block
        assert read(block, size) == b"\x05" * size
        assert read(block + size, 16) == GUARD * 16
        assert read(block + size + 16, 1000 - size) == DEAD * (1000 - size)
    with pytest.raises(OutOfMemoryError):
        hooked.realloc(block, 1001)
    assert hooked.realloc(block, 1000) == block
    below.fails = False
    hooked.free(block)


def test_blocks_above_the_limit_are_filled_at_their_ends_only() -> None:
    setup_debug_hooks([OBJ])
    size = 80 << 20
    block = OBJ.malloc(size)
    half = 32 << 20
    assert read(block + half - 8, 16) == CLEAN * 8 + bytes(8)
    assert read(block + size - half - 8, 16) == bytes(8) + CLEAN * 8
    OBJ.free(block)
