"""HY-FRAG, continued: what a call leaves behind that leaves no block behind.

One kind of call is made again and again, in a process that does nothing else: its heap has found
its size after some thousand rounds, and a quarantine is full; what is gained from then on is gained
by each call.
"""

from heapyard.contract.crews import growth_a_quarter
from heapyard.contract.footprint import at_most
from heapyard.contract.grids import KIB
from heapyard.contract.kinds import Call, come_and_go
from heapyard.rules import SHOULD, Trial, rule
from heapyard.trial import Check, Plan

CALLS_A_ROUND = 32
ROUNDS = 1024
ROUNDS_OF_LARGE = 256
LOST_A_CALL = 16
"""Bytes: less than what describes a block."""


@rule(
    "HY-FRAG-11",
    level=SHOULD,
    source="whoever runs for months",
    needs={"free"},
    bug="jemalloc issue 2815: what described an extent was lost with it",
)
def test_no_call_leaves_a_few_bytes_behind(trial: Trial) -> None:
    """A block that comes and goes leaves nothing behind, not even a few bytes.

    Small blocks by malloc, calloc and with an alignment, 32,768 times each in a process of its own;
    blocks of 70,000 and 150,000 bytes and one that realloc makes large and small, 8,192 times. In
    the last quarter, and on average of the last two, at most 16 bytes a call may be gained, and 64
    KiB, by the lowest figures: caches may fill and empty. What describes a block or a mapping takes
    more.
    """
    for call in _small(trial):
        _leaves_nothing(trial, call, ROUNDS)
    for call in _large(trial):
        _leaves_nothing(trial, call, ROUNDS_OF_LARGE)


def _leaves_nothing(trial: Trial, call: Call, rounds: int) -> None:
    plan = trial.plan(Check.NULL, repeat=rounds)
    for _ in range(CALLS_A_ROUND):
        call(plan)
    plan.measure("rss")
    gained = growth_a_quarter(trial.holds(plan, time_limit=20).values("rss"))
    calls = CALLS_A_ROUND * rounds // 4
    most = 64 * KIB + LOST_A_CALL * calls
    what = f"left by {calls:,} calls of which none leaves a block"
    at_most(trial, plan, gained, most, what, growth="rss", since=3, until="steady", unit="bytes")


def _small(trial: Trial) -> list[Call]:
    has = trial.target.capabilities.has
    kinds = [come_and_go(size) for size in (40, 1000, 9000)]
    if has("calloc"):
        kinds.append(lambda plan: plan.free(plan.calloc(100, 50)))
    if has("aligned_alloc"):
        kinds.append(lambda plan: plan.free(plan.aligned_alloc(256, 3 * KIB)))
    return kinds


def _large(trial: Trial) -> list[Call]:
    has = trial.target.capabilities.has
    kinds = [come_and_go(size) for size in (70_000, 150_000)]
    if has("aligned_alloc"):
        kinds.append(lambda plan: plan.free(plan.aligned_alloc(16 * KIB, 32 * KIB)))
    if has("realloc"):
        kinds.append(_resize)
    return kinds


def _resize(plan: Plan) -> None:
    """Small, large, larger, small again."""
    block = plan.malloc(100)
    for size in (5000, 80_000, 140_000, 300):
        plan.realloc(block, size)
    plan.free(block)
