"""Misuse that a bump arena can tell is named, and has no effect."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

from heapyard.errors import CheckFailedError, OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.support import dies
from pytests.support.memory import read, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard import Bump
    from pytests.bump.conftest import MakeBump

FOREIGN = ctypes.create_string_buffer(4096)
ALIGNED_FOREIGN = (ctypes.addressof(FOREIGN) + 15) // 16 * 16


def first(bump: Bump) -> int:
    """The first of two blocks of 100 bytes in a fresh arena."""
    block = bump.alloc(100)
    bump.alloc(100)
    return block


BAD_REALLOCS: dict[str, tuple[Callable[[Bump], tuple[int, int]], MisuseKind]] = {
    "foreign": (lambda _: (ALIGNED_FOREIGN, 64), MisuseKind.FOREIGN_POINTER),
    "header": (lambda b: (b.handle, 64), MisuseKind.FOREIGN_POINTER),
    "misaligned": (lambda b: (first(b) + 8, 92), MisuseKind.MISALIGNED_POINTER),
    "odd": (lambda b: (first(b) + 1, 99), MisuseKind.MISALIGNED_POINTER),
    "unused": (lambda b: (first(b) + 20_000, 100), MisuseKind.UNUSED_POINTER),
    "too_long": (lambda b: (first(b), 5000), MisuseKind.WRONG_SIZE),
    "far_too_long": (lambda b: (first(b), 2**64 - 1), MisuseKind.WRONG_SIZE),
    "half_of_address_space": (lambda b: (first(b), 2**63), MisuseKind.WRONG_SIZE),
    "large_too_short": (lambda b: (b.alloc(100_000), 99_999), MisuseKind.WRONG_SIZE),
    "large_too_long": (lambda b: (b.alloc(100_000), 100_001), MisuseKind.WRONG_SIZE),
}


@pytest.mark.parametrize("new", [10, 3000, 200_000])
@pytest.mark.parametrize("name", BAD_REALLOCS)
def test_bad_realloc_is_named_and_changes_nothing(bump: Bump, name: str, new: int) -> None:
    make, kind = BAD_REALLOCS[name]
    address, size = make(bump)
    walk = bump.walk()
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        bump.realloc(address, size, new)
    assert [(r.kind, r.part, r.address) for r in reports] == [(kind, "bump", address)]
    assert bump.walk() == walk


def test_a_block_of_another_arena_is_foreign(make_bump: MakeBump) -> None:
    # Their pages touch nowhere: each arena knows the bounds of its own.
    one, two = make_bump(), make_bump()
    block = two.alloc(100)
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        one.realloc(block, 100, 200)
    assert [r.kind for r in reports] == [MisuseKind.FOREIGN_POINTER]


@pytest.mark.death
@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("bump.realloc(block + 8, 92, 200)", "misaligned pointer"),
        ("bump.realloc(block + 4096, 100, 200)", "pointer into unused memory"),
        ("bump.realloc(block, 101 * 100, 200)", "wrong size"),
        ("bump.realloc(16, 100, 200)", "foreign pointer"),
    ],
    ids=["misaligned", "unused", "wrong_size", "foreign"],
)
def test_misuse_aborts_with_one_stable_line(call: str, text: str) -> None:
    ended = dies(
        f"""
        from heapyard import Bump
        bump = Bump()
        block = bump.alloc(100)
        {call}
        """,
        match=rf"\Aheapyard: bump: {text} of 0x[0-9a-f]+\n",
    )
    assert ended.errors.count("heapyard: bump") == 1


def block_headers(bump: Bump) -> list[int]:
    return [run.address for run in bump.walk() if run.state == 3]


HEADER_WORDS = {"address": 1, "size": 2, "previous": 4, "start": 5, "top": 6, "dirty": 7, "seal": 8}


@pytest.mark.parametrize("word", HEADER_WORDS)
@pytest.mark.parametrize("which", [0, 1], ids=["newest", "oldest"])
def test_check_finds_each_overwritten_word_of_a_header(bump: Bump, word: str, which: int) -> None:
    old = bump.alloc(40_000)
    new = bump.alloc(40_000)
    header = max(place for place in block_headers(bump) if place < (new, old)[which])
    if (word, which) == ("top", 0):
        pytest.skip("the current block does not use its top")
    place = header + 8 * HEADER_WORDS[word]
    sound = read(place, 8)
    write(place, b"\x11" * 8)
    try:
        with pytest.raises(CheckFailedError, match=r"block of pages|position"):
            bump.check()
    finally:
        write(place, sound)


@pytest.mark.parametrize(
    ("offset", "step"),
    [(0, 8), (0, 1 << 20), (0, -(1 << 20)), (8, 8), (8, 16), (8, -16)],
    ids=["next_unaligned", "next_beyond", "next_before", "limit_odd", "limit_up", "limit_down"],
)
def test_check_finds_a_position_that_was_moved(bump: Bump, offset: int, step: int) -> None:
    bump.alloc(100)
    place = bump.handle + offset
    sound = read(place, 8)
    write(place, (int.from_bytes(sound, "little") + step).to_bytes(8, "little"))
    try:
        with pytest.raises(CheckFailedError, match="position"):
            bump.check()
    finally:
        write(place, sound)


@pytest.mark.parametrize("word", range(6))
def test_check_finds_each_overwritten_word_of_a_mark(bump: Bump, word: int) -> None:
    mark = bump.mark()
    sound = read(mark.record + 8 * word, 8)
    write(mark.record + 8 * word, b"\x11" * 8)
    try:
        with pytest.raises(CheckFailedError, match="record of a mark"):
            bump.check()
        with recorded_misuse() as reports:
            assert not bump.rewind(mark)
        assert [report.kind for report in reports] == [MisuseKind.CORRUPTED]
    finally:
        write(mark.record + 8 * word, sound)


@pytest.mark.parametrize("word", [1, 2, 4, 5, 6])
def test_check_finds_each_overwritten_word_of_a_large_block(
    bump: Bump, word: int, redzone: int
) -> None:
    record = bump.alloc(1) + 16 + redzone
    block = bump.alloc(100_000)
    assert read(record + 8, 8) == block.to_bytes(8, "little")
    sound = read(record + 8 * word, 8)
    write(record + 8 * word, b"\x11" * 8)
    try:
        with pytest.raises(CheckFailedError, match="record of a large block"):
            bump.check()
    finally:
        write(record + 8 * word, sound)
