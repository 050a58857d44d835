"""HY-THREAD: calls from several threads, one at a time and all at once.

Threads are real ones, in the child that meets the target. Where they run at once, each block is
filled by its thread and verified when it is freed, and a lock that is never held during a call
keeps the list of taken addresses: two owners of one byte are seen when the second gets it.
"""

from errno import ERANGE

from heapyard.contract.crews import First, Take, batch, free_batch, round_sizes, turns
from heapyard.contract.grids import KIB, SIZE_MAX, entry_paths
from heapyard.contract.mixes import APART
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check, Plan, Slot

THREAD_SAFE = "C17 7.22.3p2"


@rule(
    "HY-THREAD-01",
    level=MUST,
    source=THREAD_SAFE,
    needs={"threads", "free"},
)
def test_threads_at_once_get_blocks_of_their_own(trial: Trial) -> None:
    """Threads that call malloc and free at the same time never get the same byte twice.

    Four threads, each with 20 blocks of up to 4 KiB, 24 of 100 bytes, one of 200 KiB, and one by
    each entry point; then again with small blocks only, while signals interrupt each thread in the
    middle of its calls and let another one run: that is where a missing lock shows.
    """
    plan = trial.plan(APART)
    with plan.parallel(100):
        for thread in range(4):
            plan.on_thread(thread)
            blocks = batch(plan, [*round_sizes(trial, 20, 4 * KIB), *[100] * 24, 200 * KIB])
            blocks += [path.ask(plan, 100) for path in entry_paths(trial)]
            trial.random.shuffle(blocks)
            free_batch(plan, blocks)
    _interrupt(plan)
    trial.holds(plan)


def _interrupt(plan: Plan) -> None:
    """Threads with one size each, and one size for all, under signals."""
    for thread in range(4):
        plan.on_thread(thread)
        plan.signals(50)
    with plan.parallel(1500):
        for thread in range(4):
            plan.on_thread(thread)
            free_batch(plan, batch(plan, [16, *[100] * 24, 32 << thread]))


@rule(
    "HY-THREAD-02",
    level=MUST,
    source=THREAD_SAFE,
    needs={"threads", "free"},
    bug="mimalloc issue 1117: blocks freed by another thread went astray",
)
def test_block_may_be_freed_by_any_thread(trial: Trial) -> None:
    """A block that one thread made is freed by another, while both go on making blocks.

    Each of four threads frees what its neighbour made in the round before; contents are verified
    when a block is freed, and no byte has two owners.
    """
    plan = trial.plan(APART, repeat=3)
    _pass_on(trial, plan, rounds=16, take=lambda blocks: free_batch(plan, blocks))
    trial.holds(plan)


def _pass_on(trial: Trial, plan: Plan, *, rounds: int, take: Take) -> None:
    """In each round every thread makes blocks, and takes those that its neighbour made before."""
    before: dict[int, list[Slot]] = {thread: [] for thread in range(4)}
    for thread in before:
        plan.on_thread(thread)
        plan.signals(100)
    for _ in range(rounds):
        made: dict[int, list[Slot]] = {}
        with plan.parallel():
            for thread in before:
                plan.on_thread(thread)
                made[thread] = batch(plan, round_sizes(trial, 24, 2 * KIB))
                take(before[(thread + 1) % 4])
        before = made
    for blocks in before.values():
        free_batch(plan, blocks)


@rule(
    "HY-THREAD-03",
    level=MUST,
    source=THREAD_SAFE,
    needs={"threads", "realloc", "free"},
    bug="oneTBB pull 518: realloc of another thread's block raced",
)
def test_block_may_be_resized_by_any_thread(trial: Trial) -> None:
    """realloc of another thread's block keeps its contents, while all threads make blocks.

    Blocks grow to up to four times their size and shrink again before they are freed.
    """
    plan = trial.plan(APART, repeat=3)

    def resize(blocks: list[Slot]) -> None:
        for block in blocks:
            plan.realloc(block, trial.random.randrange(1, 8 * KIB))
        free_batch(plan, blocks)

    _pass_on(trial, plan, rounds=10, take=resize)
    trial.holds(plan)


@rule(
    "HY-THREAD-04",
    level=MUST,
    source=THREAD_SAFE,
    needs={"threads", "free"},
    bug="hardened_malloc pull 221: a thread whose first call was realloc crashed",
)
def test_first_call_of_a_thread_may_be_any(trial: Trial) -> None:
    """The first call that a thread makes may be to any entry point.

    A fresh thread for each way to get a block, and for free, free(NULL), realloc, usable_size and
    trim of what main made.
    """
    plan = trial.plan(APART | Check.NULL)
    thread = 0
    for path in entry_paths(trial):
        with turns(plan, thread := thread + 1):
            path.ask(plan, 100)
    for first in _first_calls(trial, plan):
        block = plan.malloc(500)
        with turns(plan, thread := thread + 1):
            first(block)
            plan.malloc(20)
    trial.holds(plan)


def _first_calls(trial: Trial, plan: Plan) -> list[First]:
    """What else a thread may begin with; each gets a block that main made."""
    has = trial.target.capabilities.has
    calls: list[First] = [plan.free, lambda _: plan.free(None)]
    if has("realloc"):
        calls += [lambda block: plan.realloc(block, 5000), lambda block: plan.realloc(block, 50)]
    if has("usable_size"):
        calls.append(plan.usable_size)
    if has("trim"):
        calls.append(lambda _: plan.trim())
    return calls


@rule(
    "HY-THREAD-05",
    level=MUST,
    source=THREAD_SAFE,
    needs={"threads", "free"},
    bug="snmalloc pull 161: what a thread owned was lost when it ended",
)
def test_blocks_outlive_the_thread_that_made_them(trial: Trial) -> None:
    """A block stays its owner's after the thread that made it has ended.

    Its contents hold while new threads make blocks, and it can be resized and freed by others.
    """
    plan = trial.plan(APART)
    left: list[Slot] = []
    for thread in range(1, 9):
        with turns(plan, thread):
            left += batch(plan, round_sizes(trial, 30, 4 * KIB))
    plan.check_all()
    for thread in range(1, 5):
        with turns(plan, thread):
            batch(plan, round_sizes(trial, 30, 4 * KIB))
            free_batch(plan, [left.pop() for _ in range(40)])
    plan.check_all()
    free_batch(plan, left)
    trial.holds(plan)


@rule(
    "HY-THREAD-06",
    level=MUST,
    source="POSIX.1-2017 pthread_key_create",
    needs={"threads", "free", "calloc", "realloc"},
    bug="Heap-Layers pull 30: free in the destructor of a pthread key crashed",
)
def test_calls_work_while_a_thread_ends(trial: Trial) -> None:
    """malloc, calloc, realloc and free work in destructors of thread-local objects and keys.

    In a C++ thread_local object's, which comes first, and in a key's destructor that sets its value
    again, up to the last round: the allocator's own destructors have run by then. One thread has
    made blocks before, another has not made a call yet.
    """
    plan = trial.plan(APART | Check.ZERO | Check.NULL)
    for thread, turn in enumerate((0, 1, 2, 3, 4), start=1):
        plan.on_thread(2 * thread)
        blocks = batch(plan, (20, 300, 3000))
        with plan.in_destructor(turn):
            _all_kinds(plan, blocks)
        plan.on_thread(2 * thread + 1)
        with plan.in_destructor(turn):
            _all_kinds(plan, [])
    for thread in range(2, 12):
        plan.join(thread)
    trial.holds(plan)


def _all_kinds(plan: Plan, blocks: list[Slot]) -> None:
    free_batch(plan, blocks)
    first, second = plan.malloc(300), plan.calloc(10, 30)
    plan.realloc(first, 2000)
    plan.free(second)
    plan.free(first)
    plan.malloc(40)  # main frees it


@rule("HY-THREAD-07", level=MUST, source="C17 7.5p2", needs={"threads", "errno"})
def test_errno_is_each_threads_own(trial: Trial) -> None:
    """A call that fails leaves the errno of other threads alone.

    That it does set its own thread's is another rule's matter (HY-ERRNO-01).
    """
    plan = trial.plan(Check.ERRNO)
    plan.set_errno(ERANGE)
    plan.malloc(10)
    for thread in (1, 2, 3):
        plan.on_thread(thread)
        plan.malloc(SIZE_MAX - 64, fails=True)
        plan.on_thread(0, errno_kept=True)
    for thread in (1, 2, 3):
        plan.on_thread(thread, errno_kept=True)
    trial.holds(plan)


@rule(
    "HY-THREAD-08",
    level=SHOULD,
    source="programs that start a thread for each request",
    needs={"threads", "free"},
    bug="jemalloc issue 896, mimalloc issue 748: each thread cost something that never came back",
)
def test_threads_are_served_however_many_came_before(trial: Trial) -> None:
    """Thousands of threads, a hundred and fifty at a time, all get their blocks.

    1,500 threads in all; each makes four blocks, of which another thread frees two.
    """
    plan = trial.plan(APART | Check.NULL, repeat=10)
    made: dict[int, list[Slot]] = {}
    with plan.parallel():
        for thread in range(1, 151):
            plan.on_thread(thread)
            made[thread] = batch(plan, (16, 100, 600, 24))
    with plan.parallel():
        for thread in range(1, 151):
            plan.on_thread(thread)
            free_batch(plan, made[thread % 150 + 1][:2])
    trial.holds(plan)


@rule(
    "HY-THREAD-16",
    level=SHOULD,
    source="whoever starts many threads; musl gives each 128 KiB unless asked for more",
    needs={"threads"},
)
def test_a_small_stack_is_enough(trial: Trial) -> None:
    """A thread with a stack of 64 KiB can make every call.

    Half of what musl gives a thread, and four times PTHREAD_STACK_MIN. By every entry point, 24
    bytes, 40 KiB and 600 KiB, each in a fresh thread; then one block that grows and is freed.
    """
    plan = trial.plan(Check.CONTENT)
    plan.stack(64 * KIB)
    for path in entry_paths(trial):
        with turns(plan, 1):
            blocks = [path.ask(plan, size, may_fail=True) for size in (24, 40 * KIB, 600 * KIB)]
            for block in blocks if trial.target.capabilities.has("free") else ():
                plan.free(block)
    for first in _first_calls(trial, plan):
        block = plan.malloc(500)
        with turns(plan, 1):
            first(block)
            plan.malloc(100 * KIB, may_fail=True)
    trial.holds(plan)
