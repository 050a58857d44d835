"""HY-THREAD, continued: memory that gets lost where threads change one list at the same time.

Such a race harms no block, so only memory tells. One thread makes blocks of one size, so that even
an allocator with caches and a heap for each thread comes to rest after a few rounds; what is gained
in the rounds after that is lost.
"""

from heapyard.contract.crews import batch, free_batch, growth, turns
from heapyard.contract.grids import MIB
from heapyard.rules import SHOULD, Growth, Trial, rule
from heapyard.trial import Check, Plan

CONSUMERS = (1, 2, 3)
ROUNDS = 240
MOST = MIB


@rule(
    "HY-THREAD-17",
    level=SHOULD,
    source="pipelines: one thread makes what several others consume",
    needs={"threads", "free"},
    bug="mimalloc issue 1117: blocks that another thread freed never came back",
)
def test_blocks_that_threads_free_at_once_are_not_lost(trial: Trial) -> None:
    """Memory that several threads free at the same time is used again, all of it.

    Main makes blocks of 100, 1,000 or 3,000 bytes; three threads free a third of them each, at the
    same time, and are interrupted in the middle of it. 240 rounds of each size: from the second
    quarter on at most 1 MiB may be gained. Allocators that lose nothing gain none.
    """
    for size, count in ((100, 4500), (1000, 3000), (3000, 1200)):
        plan = _free_at_once(trial, size, count)
        gained = growth(trial.holds(plan, time_limit=20).values("rss"))
        if gained > MOST:
            shown = Growth(figure="rss", most=MOST, since=2, until="steady")
            expected = f"at most {MOST // MIB} MiB more in use, since no more is live"
            trial.fail(expected, f"{gained / MIB:.1f} MiB more", plan=plan, growth=shown)


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
WORK = (32, 100, 400, 1000, 3000) * 80
LEFT_BY_A_THREAD = 4096
"""Bytes: what a thread's cache holds of one size is more, for most sizes."""


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
    400 blocks of five sizes, which it frees; every second one frees main's blocks beside its own.
    At most 4 KiB a thread, as the slope over the second half of them.
    """
    plan = trial.plan(Check.NONE, repeat=ROUNDS_OF_THREADS)
    for number in range(THREADS_A_ROUND):
        given = batch(plan, WORK) if number % 2 else []
        with turns(plan, 1):
            blocks = batch(plan, WORK)
            free_batch(plan, given)
            free_batch(plan, blocks)
    plan.measure("rss")
    figures = trial.holds(plan, time_limit=20).values("rss")
    threads = THREADS_A_ROUND * ROUNDS_OF_THREADS // 4
    left = growth(figures, since=3) // threads
    if left > LEFT_BY_A_THREAD:
        most = LEFT_BY_A_THREAD * threads
        shown = Growth(figure="rss", most=most, since=3, until="steady")
        expected = f"at most {LEFT_BY_A_THREAD} bytes a thread that has ended"
        trial.fail(expected, f"{left} bytes a thread", plan=plan, growth=shown)
