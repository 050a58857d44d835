"""HY-THREAD, continued: memory that gets lost where threads change one list at the same time.

Such a race harms no block, so only memory tells. One thread makes blocks of one size, so that even
an allocator with caches and a heap for each thread comes to rest after a few rounds; what is gained
in the rounds after that is lost.
"""

from heapyard.contract.crews import batch, free_batch, growth_a_quarter, turns
from heapyard.contract.footprint import at_most
from heapyard.contract.grids import KIB
from heapyard.rules import SHOULD, Trial, rule
from heapyard.trial import Check, Plan

CONSUMERS = (1, 2, 3)
ROUNDS = 480
MOST = 512 * KIB


@rule(
    "HY-THREAD-17",
    level=SHOULD,
    source="pipelines: one thread makes what several others consume",
    needs={"threads", "free"},
    bug="mimalloc issue 1117: blocks that another thread freed never came back",
)
def test_blocks_that_threads_free_at_once_are_not_lost(trial: Trial) -> None:
    """Memory that several threads free at the same time is used again, all of it.

    Main makes 3,000 blocks of 1,000 bytes, or 1,200 of 3,000; three threads free a third of them
    each, at the same time, and are interrupted in the middle of it. Of 480 rounds the last quarter
    may gain at most 512 KiB, or the last two quarters twice that. Allocators that lose nothing gain
    none, or once a MiB or two.
    """
    for size, count in ((1000, 3000), (3000, 1200)):
        plan = _free_at_once(trial, size, count)
        gained = growth_a_quarter(trial.holds(plan, time_limit=20).values("rss"))
        _gain_at_most(trial, plan, gained, MOST, f"more in {ROUNDS // 4} rounds, all alike")


def _gain_at_most(trial: Trial, plan: Plan, gained: int, most: int, what: str) -> None:
    at_most(trial, plan, gained, most, what, growth="rss", since=3, until="steady", unit="bytes")


def _free_at_once(trial: Trial, size: int, count: int) -> Plan:
    plan = trial.plan(Check.NONE, repeat=ROUNDS)
    blocks = list(plan.malloc_many(count, size))
    for thread in CONSUMERS:
        plan.on_thread(thread)
        plan.signals(50)
    with plan.parallel():
        for thread in CONSUMERS:
            plan.on_thread(thread)
            for block in blocks[thread - 1 :: len(CONSUMERS)]:
                plan.free(block)
    plan.on_thread(0)
    plan.measure("rss")
    return plan


THREADS_A_ROUND = 6
ROUNDS_OF_THREADS = 60
ROUNDS_OF_CROWDS = 24
CROWD = 100
WORK = (*[32] * 94, *[100] * 87, *[400] * 79, *[1000] * 72, *[3000] * 68)
"""As many of no two sizes: of a cache that is emptied by halves some will be almost full."""
LEFT_BY_A_THREAD = 4096
"""Bytes: what a full cache holds of one size is more, for most sizes."""

LEFT_IN_A_CROWD = 1024
"""Bytes: less than the smallest heap of a thread."""


@rule(
    "HY-THREAD-18",
    level=SHOULD,
    source="programs that start a thread for each piece of work",
    needs={"threads", "free"},
    bug="glibc 2.26, BZ 22111: the cache of each thread that ended was leaked",
)
def test_thread_that_has_done_much_leaves_nothing_behind(trial: Trial) -> None:
    """Resident memory does not grow with threads that end, however full their caches are.

    As HY-THREAD-09 does with threads that do little: 360 threads, one after the other, each with
    400 blocks of five sizes, which it frees. Then 2,400 that do little, 100 of them at the same
    time. At most 4 KiB a thread, and 1 KiB in a crowd, as the slope over the second half of them.
    """
    busy = trial.plan(Check.NONE, repeat=ROUNDS_OF_THREADS)
    for _ in range(THREADS_A_ROUND):
        with turns(busy, 1):
            free_batch(busy, batch(busy, WORK))
    _leave_nothing(trial, busy, THREADS_A_ROUND * ROUNDS_OF_THREADS, LEFT_BY_A_THREAD)
    crowd = trial.plan(Check.NONE, repeat=ROUNDS_OF_CROWDS)
    for thread in range(1, CROWD + 1):
        crowd.on_thread(thread)
        free_batch(crowd, batch(crowd, (32, 400, 3000)))
    _leave_nothing(trial, crowd, CROWD * ROUNDS_OF_CROWDS, LEFT_IN_A_CROWD)


def _leave_nothing(trial: Trial, plan: Plan, threads: int, bound: int) -> None:
    """The slope of what is in memory, over the last half of these threads."""
    plan.on_thread(0)
    plan.measure("rss")
    figures = trial.holds(plan, time_limit=20).values("rss")
    last = threads // 4
    what = f"left by {last:,} threads that have ended"
    _gain_at_most(trial, plan, growth_a_quarter(figures), bound * last, what)
