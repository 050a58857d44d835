"""Cleanups run once, newest first, when their arena is closed, reset, or rewound past them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Bump, FaultyPages
from heapyard.block import BlockState
from heapyard.errors import OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.bump.verify import counters_of, verify
from pytests.support.memory import read, write

if TYPE_CHECKING:
    from collections.abc import Callable

ENDS = {"close": Bump.close, "reset": Bump.reset}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_cleanups_run_newest_first(end: Callable[[Bump], None], count: int) -> None:
    ran: list[int] = []
    bump = Bump()
    for n in range(count):
        bump.add_cleanup(lambda n=n: ran.append(n))  # type: ignore[misc]
        bump.alloc(5000)
    end(bump)
    assert ran == list(range(count))[::-1]
    bump.close()
    assert len(ran) == count


def test_rewind_runs_only_those_since_the_mark(bump: Bump) -> None:
    ran: list[str] = []
    bump.add_cleanup(lambda: ran.append("before"))
    mark = bump.mark()
    bump.add_cleanup(lambda: ran.append("first"))
    bump.add_cleanup(lambda: ran.append("second"))
    bump.rewind(mark)
    assert ran == ["second", "first"]
    bump.reset()
    assert ran == ["second", "first", "before"]


@pytest.mark.parametrize("size", [20, 100_000])
def test_all_blocks_are_readable_while_cleanups_run(bump: Bump, size: int) -> None:
    seen: list[bytes] = []
    addresses: list[int] = []
    bump.add_cleanup(lambda: seen.extend(read(address, 4) for address in addresses))
    for _ in range(3):
        addresses.append(bump.alloc(size))
        write(addresses[-1], b"live")
    bump.reset()
    assert seen == [b"live"] * 3


def test_a_cleanup_may_use_the_arena(bump: Bump) -> None:
    ran: list[str] = []

    def outer() -> None:
        bump.alloc(70_000)
        bump.mark()
        bump.add_cleanup(lambda: ran.append("inner"))
        ran.append("outer")

    bump.add_cleanup(outer)
    bump.reset()
    assert ran == ["outer", "inner"]
    verify(bump)


CALLS: dict[str, Callable[[Bump], object]] = {
    "reset": Bump.reset,
    "rewind": lambda bump: bump.rewind(bump.mark()),
    "delete": lambda bump: bump._native.hy_bump_delete(bump.handle),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_ending_an_arena_inside_its_cleanup_is_named(
    bump: Bump, call: Callable[[Bump], object]
) -> None:
    bump.add_cleanup(lambda: call(bump))
    with recorded_misuse() as reports:
        bump.reset()
    assert [(r.kind, r.detail) for r in reports] == [
        (MisuseKind.BAD_ARGUMENT, "(inside a cleanup)")
    ]
    verify(bump)


def test_cleanups_are_counted(bump: Bump) -> None:
    for _ in range(3):
        bump.add_cleanup(lambda: None)
    assert counters_of(bump).cleanups == 3
    bump.reset()
    assert counters_of(bump).cleanups == 0


def test_a_cleanup_that_has_no_room_is_refused_and_does_not_run() -> None:
    ran: list[int] = []
    registered = 0
    source = FaultyPages()
    with Bump(source=source, block_size=4096) as bump:
        source.fail_from(1)
        for _ in range(1000):
            try:
                bump.add_cleanup(lambda: ran.append(1))
            except OutOfMemoryError:
                break
            registered += 1
    assert 0 < registered < 1000
    assert len(ran) == registered


@pytest.mark.parametrize("word", [0, 1, 2, 3], ids=["link", "function", "argument", "seal"])
def test_an_overwritten_cleanup_is_named_and_not_called(word: int) -> None:
    ran: list[int] = []
    bump = Bump()
    bump.add_cleanup(lambda: ran.append(1))
    record = next(block.address for block in bump.walk() if block.state == BlockState.LIVE)
    sound = read(record + 8 * word, 8)
    write(record + 8 * word, b"overflow")
    with recorded_misuse() as reports:
        bump.reset()
    assert [(report.kind, report.address) for report in reports] == [(MisuseKind.CORRUPTED, record)]
    assert ran == []
    write(record + 8 * word, sound)
    bump.close()
    assert ran == [1]
