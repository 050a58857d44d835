"""HY-THREAD, continued: memory that threads hand to each other, or leave behind.

Resident memory is measured in the child, and every bound is several times smaller than what the
fault costs, and several times larger than what allocators keep on purpose.
"""

from collections.abc import Callable

from heapyard.contract.crews import batch, free_batch, growth, hand_on, round_sizes, turns
from heapyard.contract.grids import KIB, MIB
from heapyard.rules import PROFILE, SHOULD, Growth, Trial, rule
from heapyard.trial import Check, Plan, Slot

THREADS_A_ROUND = 8
ROUNDS = 400
LEAK_A_THREAD = 512
"""Bytes that a thread may leave behind for good: less than the smallest cache of any allocator."""


@rule(
    "HY-THREAD-09",
    level=SHOULD,
    source="programs that start a thread for each request",
    needs={"threads", "free"},
    bug="glibc 2.26, BZ 22111: the cache of each thread that ended was leaked",
)
def test_thread_that_ends_leaves_nothing_behind(trial: Trial) -> None:
    """Resident memory does not grow with the number of threads that have come and gone.

    3,200 threads: every second one makes some blocks and frees them, the others only free what
    main made. At most 512 bytes a thread, as the slope over the second half of them: a leaked cache
    takes more.
    """
    sizes = round_sizes(trial, 12, 2 * KIB)

    def only_free(plan: Plan) -> None:
        plan.on_thread(0)
        blocks = batch(plan, sizes)
        plan.on_thread(1)
        free_batch(plan, blocks)

    _leave_nothing(trial, lambda plan: free_batch(plan, batch(plan, sizes)), only_free)


@rule(
    "HY-THREAD-10",
    level=SHOULD,
    source="C++ objects of thread storage duration that own memory",
    needs={"threads", "free"},
    bug="mimalloc issue 944: a thread_local object that freed memory cost a heap a thread",
)
def test_calls_in_the_last_destructor_leave_nothing_behind(trial: Trial) -> None:
    """The same where each thread makes and frees a block in its very last destructor.

    A key whose destructor sets the value again is called PTHREAD_DESTRUCTOR_ITERATIONS times, and
    the allocator's own destructor is not called after that: a cache made anew there is lost.
    """

    def life(plan: Plan) -> None:
        block = plan.malloc(100)
        with plan.in_destructor(4):
            plan.free(block)
            for size in (24, 200, 1000):
                plan.free(plan.malloc(size))

    _leave_nothing(trial, life)


def _leave_nothing(trial: Trial, *lives: Callable[[Plan], None]) -> None:
    """Thousands of threads that lead these lives in turn and end: the slope of what they leave.

    Main makes and frees blocks too, so that what a debugging allocator keeps of freed blocks, a
    quarantine and a history, is full before the slope is taken: in the second half.
    """
    plan = trial.plan(Check.NONE, repeat=ROUNDS)
    for size in (24, 100, 200, 1000):
        plan.free_many(plan.malloc_many(400, size))
    for number in range(THREADS_A_ROUND):
        with turns(plan, 1):
            lives[number % len(lives)](plan)
    plan.measure("rss")
    figures = trial.holds(plan, time_limit=25).values("rss")
    threads = THREADS_A_ROUND * ROUNDS // 4
    left = growth(figures, since=3) // threads
    if left > LEAK_A_THREAD:
        most = LEAK_A_THREAD * threads
        trial.fail(
            f"at most {LEAK_A_THREAD} bytes a thread that has ended",
            f"{left} bytes a thread",
            plan=plan,
            growth=Growth(figure="rss", most=most, since=3, until="steady"),
        )


BATCHES = 100
BATCH = (48, 500, 4000) * 110
"""About 500 KiB: what one thread makes before another frees it."""

SMALL_BATCH = (48, 200, 500, 1000) * 280
"""About as much in small blocks alone, which a thread's cache may take all of."""

MEBIBYTE = (100, 1000, 3000) * 250


@rule(
    "HY-THREAD-11",
    level=SHOULD,
    source="pipelines: a thread that only consumes",
    needs={"threads", "free"},
    bug="mimalloc issue 1364: 16 producers and a thread that only frees, 437 MiB to 1.8 GiB",
)
def test_thread_that_only_frees_does_not_hoard(trial: Trial) -> None:
    """Memory freed by a thread that never calls malloc is used again by those that do.

    Two producers in turn; 100 batches of 500 KiB pass through, one is live at a time. From the
    25th on at most 12 MiB may be gained. Once with blocks of up to 4,000 bytes, once with smaller
    ones alone.
    """
    _stay_level(trial, _consume(BATCH), times=BATCHES, mib=12)
    _stay_level(trial, _consume(SMALL_BATCH), times=BATCHES, mib=12)


def _consume(sizes: tuple[int, ...]) -> Callable[[Plan, int], None]:
    """What two threads make in turn, a third frees."""
    return lambda plan, turn: hand_on(plan, sizes, 1 + turn % 2, 3)


@rule(
    "HY-THREAD-12",
    level=SHOULD,
    source="pipelines: threads that hand blocks on",
    needs={"threads", "free"},
    bug="mimalloc issue 1117: large blocks freed while their owner was idle never came back",
)
def test_blocks_handed_on_are_bounded_by_what_is_live(trial: Trial) -> None:
    """Producers and consumers that swap roles need a bounded multiple of what is live.

    Each of four threads in turn makes 4 MiB in large and small blocks; the next one frees them, and
    the owner stays idle. An allocator with a heap for each thread keeps that much for each: 16 MiB.
    From the tenth turn on at most 32 MiB may be gained; 240 MiB pass through.
    """
    sizes = (*[100 * KIB] * 20, *[500 * KIB] * 3, *[700] * 700)
    _stay_level(
        trial, lambda plan, turn: hand_on(plan, sizes, 1 + turn % 4, 1 + (turn + 1) % 4), mib=32
    )


@rule(
    "HY-THREAD-13",
    level=SHOULD,
    source="programs that start a thread for each request",
    needs={"threads", "free"},
    bug="snmalloc pull 161: the heap of a thread that had ended was never adopted",
)
def test_memory_of_dead_threads_is_used_again(trial: Trial) -> None:
    """Blocks that are freed after their thread has ended are used again by later threads.

    60 threads, one after the other, each with 1 MiB that main frees when the thread is gone. From
    the 15th on at most 12 MiB may be gained.
    """

    def life(plan: Plan, _: int) -> None:
        with turns(plan, 1):
            blocks = batch(plan, MEBIBYTE)
        free_batch(plan, blocks)

    _stay_level(trial, life, mib=12)


@rule(
    "HY-THREAD-14",
    level=SHOULD,
    source="programs that start a thread for each request",
    needs={"threads", "free"},
    bug="glibc 2.26, BZ 22111",
)
def test_what_a_thread_freed_is_used_by_others_when_it_has_ended(trial: Trial) -> None:
    """What a thread has made and freed itself is there for others once it has ended.

    60 threads, one after the other, each fills 1 MiB with small blocks, frees them and ends. From
    the 15th on at most 12 MiB may be gained.
    """

    def life(plan: Plan, _: int) -> None:
        with turns(plan, 1):
            free_batch(plan, batch(plan, MEBIBYTE))

    _stay_level(trial, life, mib=12)


def _stay_level(
    trial: Trial, work: Callable[[Plan, int], None], *, times: int = 60, mib: int
) -> None:
    """The same work again and again, from the second quarter on without `mib` MiB more."""
    plan = trial.plan(Check.NONE)
    for turn in range(times):
        work(plan, turn)
        plan.measure("rss")
    grown = growth(trial.holds(plan).values("rss"))
    if grown > mib * MIB:
        trial.fail(
            f"at most {mib} MiB more in use, since no more is live",
            f"{grown / MIB:.0f} MiB more",
            plan=plan,
            growth=Growth(figure="rss", most=mib * MIB, since=2, until="steady"),
        )


@rule(
    "HY-THREAD-15",
    level=PROFILE,
    source="Berger et al., Hoard (ASPLOS 2000): false sharing",
    needs={"threads", "free"},
)
def test_cache_lines_shared_by_threads(trial: Trial) -> None:
    """How many cache lines of 64 bytes hold blocks of two threads, of 1,000 blocks.

    Four threads make 250 blocks of 24 bytes each, at the same time. Where two of them write into
    one line, processors pass it to and fro.
    """
    plan = trial.plan(Check.OVERLAP)
    made: list[Slot] = []
    with plan.parallel():
        for thread in range(1, 5):
            plan.on_thread(thread)
            made += batch(plan, [24] * 250)
    plan.measure("shared_lines")
    trial.figure("lines shared by threads", trial.holds(plan).values("shared_lines")[0])
