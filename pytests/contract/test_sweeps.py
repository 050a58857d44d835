"""HY-SIZE, continued: what a block costs in memory, for every size from 8 bytes to a MiB.

Size classes are a table, and a wrong row of it serves every request: nothing but the memory that it
takes tells. A sweep has seven sizes to each doubling. A size that it finds too dear is measured
once more, in a process of its own, and only that figure is a verdict.
"""

from typing import NamedTuple

from heapyard.contract.footprint import PLAIN, grown
from heapyard.rules import SHOULD, Growth, Trial, rule
from heapyard.trial import Plan

SIZES = tuple(sorted({round(8 * 2 ** (step / 7)) for step in range(120)}))
"""8 bytes to a MiB."""

EACH = 512 * 1024
"""Bytes of each size in a sweep, or eight blocks; four times as much in the second look."""


class Cost(NamedTuple):
    """What one block of a size takes in memory, on average."""

    size: int
    bytes: float


@rule("HY-SIZE-06", level=SHOULD, source="whoever sizes a machine by what is asked for")
def test_no_size_costs_more_than_twice_itself(trial: Trial) -> None:
    """Blocks of any size take at most twice that size in memory, and 64 bytes each.

    120 sizes, 8 bytes to a MiB, written. Rounding up to a power of two, or to whole pages, and a
    header fit in. Debugging allocators, which keep more of a block than it has, may fail.
    """
    dear = [cost for cost in _sweep(trial) if cost.bytes > _bound(cost.size)]
    for size, _ in dear[:3]:
        plan, seen = _once_more(trial, size)
        if seen.bytes > _bound(size):
            shown = Growth(figure="rss", most=_count(size, 4) * _bound(size))
            expected = f"at most {_bound(size):,} bytes in memory for a block of {size:,}"
            trial.fail(expected, f"{seen.bytes:,.0f}", plan=plan, growth=shown)


def _bound(size: int) -> int:
    return 2 * size + 64


@rule(
    "HY-SIZE-07",
    level=SHOULD,
    source="whoever sizes a machine by what is asked for: a larger block would serve as well",
)
def test_no_size_costs_more_than_a_larger_one(trial: Trial) -> None:
    """A block takes hardly more memory than one that is larger.

    The sizes of HY-SIZE-06, each held against those up to twice as large: at most a third more, and
    64 bytes. Where it takes more, its row of the table of size classes is wrong: the larger block
    would have served. Debugging allocators may fail, as they do HY-SIZE-06.
    """
    costs = _sweep(trial)
    pairs = [(small, large) for small in costs for large in costs if _is_dearer(small, large)]
    for (small, _), (large, _) in pairs[:3]:
        plan, dear = _once_more(trial, small)
        _, cheap = _once_more(trial, large)
        if _is_dearer(dear, cheap):
            most = _most_beside(cheap)
            shown = Growth(figure="rss", most=round(_count(small, 4) * most))
            expected = f"at most {most:,.0f} bytes for a block of {small:,}"
            seen = f"{dear.bytes:,.0f}, and {cheap.bytes:,.0f} for one of {large:,}"
            trial.fail(expected, seen, plan=plan, growth=shown)


def _is_dearer(small: Cost, large: Cost) -> bool:
    return small.size < large.size <= 2 * small.size and small.bytes > _most_beside(large)


def _most_beside(large: Cost) -> float:
    return large.bytes * 4 / 3 + 64


def _sweep(trial: Trial) -> list[Cost]:
    """The cost of each size, all of them in one process."""
    plan = trial.plan(PLAIN)
    for size in SIZES:
        plan.malloc(size)
    plan.measure("rss")
    for size in SIZES:
        plan.malloc_many(_count(size), size)
        plan.measure("rss")
    figures = trial.holds(plan).values("rss")
    steps = zip(SIZES, figures, figures[1:], strict=False)
    return [Cost(size, (after - before) / _count(size)) for size, before, after in steps]


def _once_more(trial: Trial, size: int) -> tuple[Plan, Cost]:
    """The same of one size, and more of it."""
    plan = trial.plan(PLAIN)
    plan.malloc(size)
    plan.measure("rss")
    plan.malloc_many(_count(size, 4), size)
    plan.measure("rss")
    (gained,) = grown(trial.holds(plan))
    return plan, Cost(size, gained / _count(size, 4))


def _count(size: int, times: int = 1) -> int:
    return times * max(8, EACH // size)
