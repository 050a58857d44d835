"""walk shows every byte once, in address order; contains agrees with it."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from heapyard._native.prototypes.block import WalkFunction
from heapyard.block import BlockState
from pytests.bump.verify import verify

if TYPE_CHECKING:
    from heapyard import Bump, FaultyPages

COUNTS = [0, 1, 2, 3, 10, 100]


def busy(bump: Bump, count: int, seed: int = 1) -> list[tuple[int, int]]:
    """Small, medium and large blocks in random order; some kept for reuse below them."""
    rng = random.Random(seed)
    mark = bump.mark()
    for _ in range(count):
        bump.alloc(5000)
    bump.rewind(mark)
    sizes = [rng.choice([20, 5000, 60_000, 100_000]) for _ in range(count)]
    return [(bump.alloc(size), size) for size in sizes]


@pytest.mark.parametrize("count", COUNTS)
def test_walk_shows_every_mapped_byte_once(bump: Bump, source: FaultyPages, count: int) -> None:
    busy(bump, count)
    verify(bump)
    assert sum(run.size for run in bump.walk()) == source.counts.mapped_bytes


@pytest.mark.parametrize("count", COUNTS)
def test_runs_of_a_span_touch_and_spans_are_numbered_in_order(bump: Bump, count: int) -> None:
    busy(bump, count)
    runs = bump.walk()
    for low, high in itertools.pairwise(runs):
        if low.span == high.span:
            assert low.end == high.address
        else:
            assert high.span == low.span + 1
            assert low.end <= high.address


@pytest.mark.parametrize("count", COUNTS)
def test_every_block_lies_in_a_live_run(bump: Bump, count: int) -> None:
    blocks = busy(bump, count)
    live = [run for run in bump.walk() if run.state == BlockState.LIVE]
    for address, size in blocks:
        assert any(run.address <= address and address + size <= run.end for run in live)


@pytest.mark.parametrize("count", COUNTS)
def test_contains_is_true_of_live_runs_and_of_nothing_else(bump: Bump, count: int) -> None:
    busy(bump, count)
    for run in bump.walk():
        for address in (run.address, run.address + run.size // 2, run.end - 1):
            assert bump.contains(address) == (run.state == BlockState.LIVE), str(run)


@pytest.mark.parametrize("address", [0, 1, 4096, 2**64 - 1, 2**64, -1])
def test_contains_is_false_of_foreign_addresses(bump: Bump, address: int) -> None:
    bump.alloc(100)
    assert not bump.contains(address)


def test_contains_is_false_of_an_object_elsewhere(bump: Bump) -> None:
    bump.alloc(100)
    assert not bump.contains(id(object))


@pytest.mark.parametrize("stop", [1, 2, 5])
def test_a_visitor_ends_the_walk_with_its_answer(bump: Bump, stop: int) -> None:
    busy(bump, 20)
    seen: list[int] = []

    def visit(_context: int | None, _block: object) -> int:
        seen.append(1)
        return 42 if len(seen) == stop else 0

    assert bump._native.hy_bump_walk(bump.handle, WalkFunction(visit), None) == 42
    assert len(seen) == stop
