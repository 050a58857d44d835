"""What CPython's arena of the compiler (Python/pyarena.c) gets wrong, and ours must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Bump, FaultyPages
from heapyard.errors import OutOfMemoryError
from pytests.bump.verify import counters_of, verify
from pytests.support.memory import fill, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytests.bump.conftest import MakeBump

ROUNDED_TO_ZERO = [2**64 - n for n in range(1, 16)]
ROUNDED_TO_A_STEP_BACK = [2**64 - 16 - n for n in (0, 1, 8, 16, 32, 4096, 65536)]


@pytest.mark.parametrize("size", ROUNDED_TO_ZERO)
def test_a_size_that_rounds_up_to_zero_is_refused(bump: Bump, size: int) -> None:
    with pytest.raises(OutOfMemoryError):
        bump.alloc(size)


@pytest.mark.parametrize("size", ROUNDED_TO_A_STEP_BACK)
def test_a_size_that_is_a_negative_step_does_not_move_the_position_back(
    bump: Bump, size: int
) -> None:
    last = bump.alloc(64)
    fill(last, 0x42, 64)
    with pytest.raises(OutOfMemoryError):
        bump.alloc(size)
    fill(bump.alloc(64), 0xFF, 64)
    assert read(last, 64) == b"\x42" * 64


@pytest.mark.parametrize("block_size", [0, 8192])
def test_16_and_8200_bytes_in_turn_take_at_most_a_tenth_more(
    make_bump: MakeBump, block_size: int
) -> None:
    bump = make_bump(block_size=block_size)
    for _ in range(20_000):
        bump.alloc(16)
        bump.alloc(8200)
    assert counters_of(bump).mapped_bytes <= 1.1 * 20_000 * (16 + 8200)


def test_every_block_is_aligned_to_16_not_8(bump: Bump) -> None:
    assert {bump.alloc(8) % 16 for _ in range(100)} == {0}


def work(bump: Bump) -> int:
    """Small, medium, large, zeroed, aligned, resized, marked; returns how many were served."""
    served = 0
    steps: list[Callable[[], object]] = [
        *[lambda: bump.alloc(20)] * 3,
        *[lambda: bump.alloc(3000)] * 6,
        *[lambda: bump.alloc(100_000)] * 8,
        *[lambda: bump.alloc(100, alignment=1 << 20)] * 4,
        lambda: bump.alloc_zeroed(10, 2000),
        bump.mark,
        lambda: bump.add_cleanup(list),
        *[lambda: bump.realloc(bump.alloc(70_000), 70_000, 300_000)] * 2,
        lambda: bump.realloc(bump.alloc(3000), 3000, 9000),
    ]
    for step in steps:
        try:
            step()
        except OutOfMemoryError:
            continue
        finally:
            verify(bump)
        served += 1
    return served


ALL = 27
"""The steps of `work`."""


def requests_of_work() -> int:
    source = FaultyPages()
    with Bump(source=source, block_size=4096) as bump:
        work(bump)
    return source.counts.requests


REQUESTS = 16


def test_the_work_makes_as_many_requests_as_are_made_to_fail() -> None:
    assert requests_of_work() >= REQUESTS + 1


@pytest.mark.parametrize("k", range(1, REQUESTS + 1))
@pytest.mark.parametrize("all_after", [False, True], ids=["one", "all_after"])
def test_every_failed_map_leaves_the_arena_usable(k: int, all_after: bool) -> None:
    source = FaultyPages()
    with Bump(source=source, block_size=4096) as bump:
        (source.fail_from if all_after else source.fail_at)(k)
        assert work(bump) <= ALL
        assert source.counts.refused > 0
        source.fail_from(0)
        assert work(bump) == ALL
        bump.reset()
        assert work(bump) == ALL
    assert source.counts.mapped_bytes == 0
