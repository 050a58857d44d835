"""HY-COST, continued: large blocks, which allocators keep in tables and lists of their own."""

from heapyard.contract.grids import KIB
from heapyard.rules import SHOULD, Trial, rule
from heapyard.trial import Check, Plan

COUNTS = {24 * KIB: (96, 400, 1600), 136 * KIB: (96, 250, 1000)}
"""How many of each size: of a large size class, and of a mapping, wherever the border lies."""

SAMPLES = 16

COUNTED = 25_000
"""Instructions of one call that are counted; where few blocks take so many, nothing is seen."""

STEP = 16
"""Beside a quarter of the blocks a walk costs a quarter of it more; a square of it, a sixteenth."""

ALLOWANCE = 1000
"""Instructions by which half of the calls may cost more among many than twice that among few. Seen
in allocators that walk over nothing: a hundred."""


@rule(
    "HY-COST-15",
    level=SHOULD,
    source="users: programs whose heap grows must not slow down",
    needs={"free"},
)
def test_cost_of_free_does_not_grow_with_large_blocks(trial: Trial) -> None:
    """free of a large block costs the same beside a thousand others as beside 96.

    1,600 blocks of 24 KiB; 1,000 of 136 KiB; every fourth of them freed. At most 1,000 instructions
    more than twice as many, for half of the calls: a list of mappings that is walked takes more. A
    cost that is not there yet beside a quarter as many does not grow with them: memory that goes
    back after a while is such.
    """
    for size, (few, some, many) in COUNTS.items():
        bound = ALLOWANCE + 2 * (least := _median(trial, size, few))
        most = _median(trial, size, many) if bound < COUNTED else 0
        if most > bound and _grows(most, least, _median(trial, size, some)):
            expected = f"at most {bound:,} instructions beside {many:,} blocks of {size:,} bytes"
            plan = _plan(trial, size, many)
            trial.fail(expected, f"{most:,} in half of the calls", plan=plan)


def _grows(most: int, least: int, between: int) -> bool:
    return between - least > (most - least) / STEP


def _median(trial: Trial, size: int, count: int) -> int:
    return trial.holds(_plan(trial, size, count), time_limit=20).values("cost_median")[-1]


def _plan(trial: Trial, size: int, count: int) -> Plan:
    """Large blocks with holes between them, then what it costs to free some of all over."""
    plan = trial.plan(Check.NONE, reuse_slots=False)
    blocks = plan.malloc_many(count, size)
    plan.free_many(blocks, step=4)
    stride = count // SAMPLES // 4 * 4
    plan.count_cost("instructions")
    for number in range(SAMPLES):
        plan.free(blocks[number * stride + 1])
    plan.end_cost()
    plan.measure("cost_median")
    return plan
