"""What a call costs, held against an allocator that runs two instructions for each byte."""

from __future__ import annotations

import platform

import pytest

from pytests.engine.driver import KIB, MIB, Op, measure, op, run

INSTRUCTIONS, NANOSECONDS = 0, 1
COSTS = ("cost_median", "cost_p90", "cost_p99", "cost_max")

on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="no single steps")


def costs(sizes: list[int], ops: list[Op] | None = None, unit: int = INSTRUCTIONS) -> list[int]:
    """The four figures over one usable_size of each of these sizes."""
    blocks = [op("malloc", slot, size) for slot, size in enumerate(sizes)]
    asked = [op("usable_size", slot) for slot in range(len(sizes))]
    counting = [op("count_cost", size=unit), *(asked if ops is None else ops), op("end_cost")]
    done = run([*blocks, *counting, *map(measure, COSTS)], target="mapper")
    return [done.figures(name)[0] for name in COSTS]


@on_x86_64
def test_instructions_are_counted_one_by_one() -> None:
    (few, *_), (many, *_) = costs([100]), costs([1100])
    assert many - few == 2000
    assert 200 <= few <= 400  # a sanitizer adds some


@on_x86_64
def test_the_same_call_costs_the_same_again() -> None:
    assert costs([500]) == costs([500])


@on_x86_64
def test_figures_are_the_ranks_of_the_samples() -> None:
    sizes = [100 * number for number in range(1, 11)]
    own = costs([100])[0] - 200
    assert [cost - own for cost in costs(sizes)] == [1000, 1800, 2000, 2000]


@on_x86_64
def test_a_call_without_end_is_counted_in_part() -> None:
    """25,000 instructions of two million: the call goes on, uncounted, and ends."""
    assert costs([MIB])[0] in range(24_900, 25_001)


@on_x86_64
def test_calls_after_too_many_instructions_are_no_samples() -> None:
    assert costs([MIB] * 3 + [10] * 5)[0] > 24_000


@on_x86_64
def test_every_entry_point_is_counted() -> None:
    for call in (op("malloc", 9, 1), op("calloc", 9, 1, arg=1), op("trim"), op("realloc", 0, KIB)):
        assert costs([10], [call, op("forget", 9)])[0] > 0
    assert costs([10], [op("free", 0)])[0] > 0


def test_calls_are_timed() -> None:
    """Two million instructions take longer than 100 us on any machine."""
    assert costs([MIB], unit=NANOSECONDS)[0] > 100_000


def test_without_samples_costs_are_0() -> None:
    assert costs([10], [], NANOSECONDS) == [0, 0, 0, 0]


@on_x86_64
def test_what_is_verified_is_verified_while_it_is_counted() -> None:
    counting = [op("count_cost", size=INSTRUCTIONS), op("malloc", 0, 32), op("malloc", 1, 32)]
    assert run(counting, script="0 16").found == ("overlap", "malloc")
