"""HY-LIFE: fork, signals, and calls before main and after it.

A forked child makes its calls on a copy of the model: what it does to a block is not done to the
parent's. It meets what a program's child meets; a child that crashes or never ends is the verdict.
"""

from errno import ERANGE

from heapyard.contract.crews import batch, free_batch, round_sizes
from heapyard.contract.grids import KIB
from heapyard.contract.mixes import APART
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check, Plan, Slot

FORK_SECONDS = 5.0
"""A deadlock is told from a slow machine by this: the plans take a tenth of a second."""

ROOM = (24, 100, 700, 5000, 40 * KIB, 300 * KIB)
"""One block from each way that allocators keep blocks."""


@rule(
    "HY-LIFE-01",
    level=MUST,
    source="POSIX.1-2017 fork",
    needs={"free", "realloc"},
)
def test_forked_child_has_a_heap_of_its_own(trial: Trial) -> None:
    """A child of fork owns copies of all blocks: it resizes, frees and makes blocks of its own.

    Afterwards the parent's blocks are what they were, and the parent goes on.
    """
    plan = trial.plan(APART)
    blocks = batch(plan, (*ROOM, *round_sizes(trial, 60, 4 * KIB)))
    for _ in range(3):
        with plan.fork():
            _use_heap(plan, blocks)
        plan.check_all()
        batch(plan, round_sizes(trial, 10, 4 * KIB))
    free_batch(plan, blocks)
    trial.holds(plan)


def _use_heap(plan: Plan, blocks: list[Slot]) -> None:
    plan.check_all()
    for block in blocks[::2]:
        plan.realloc(block, 1000)
    free_batch(plan, blocks)
    batch(plan, ROOM)


@rule(
    "HY-LIFE-02",
    level=SHOULD,
    source="glibc and musl: malloc works in the child of a process with threads",
    needs={"free", "threads"},
    bug="jemalloc issue 2019, gperftools issue 499, google/tcmalloc issue 284: the child hung",
)
def test_fork_while_other_threads_allocate(trial: Trial) -> None:
    """A child can use its heap though other threads were inside of malloc when it was forked.

    POSIX lets such a child do little before exec, but programs do not know that their libraries
    have threads. Two threads make and free blocks of all sizes; a third forks 120 times. Its
    children free blocks of the parent and make new ones.
    """
    plan = trial.plan(APART)
    blocks = batch(plan, ROOM)
    with plan.parallel(120):
        for thread in (1, 2):
            plan.on_thread(thread)
            _come_and_go(trial, plan)
        plan.on_thread(3)
        _fork(plan, blocks)
    trial.holds(plan, time_limit=3 * FORK_SECONDS)


def _fork(plan: Plan, blocks: list[Slot]) -> None:
    """The child makes blocks of its own, then frees all."""
    with plan.fork():
        own = batch(plan, ROOM)
        free_batch(plan, blocks)
        free_batch(plan, own)


@rule(
    "HY-LIFE-03",
    level=SHOULD,
    source="glibc and musl: malloc works in the child of a process with threads",
    needs={"free", "threads"},
    bug="gperftools issue 1570: fork from a new thread, and the child hung in setenv",
)
def test_fork_from_a_thread_that_never_allocated(trial: Trial) -> None:
    """A thread whose first act is to fork: its child can make and free blocks."""
    plan = trial.plan(APART)
    blocks = batch(plan, ROOM)
    for thread in (1, 2, 3):
        plan.on_thread(thread)
        _fork(plan, blocks)
    trial.holds(plan, time_limit=FORK_SECONDS)


@rule(
    "HY-LIFE-04",
    level=SHOULD,
    source="POSIX.1-2017 pthread_atfork: handlers are functions like any other",
    needs={"free", "threads"},
)
def test_handlers_of_fork_may_allocate(trial: Trial) -> None:
    """Handlers of pthread_atfork may call malloc and free, on either side of the fork.

    They are registered before the first call of malloc: an allocator that registers its own later
    has its locks taken when they run.
    """
    plan = trial.plan(APART)
    plan.atfork()
    blocks = batch(plan, ROOM)
    for thread in (0, 1):
        plan.on_thread(thread)
        _fork(plan, blocks)
    trial.holds(plan, time_limit=FORK_SECONDS)


@rule(
    "HY-LIFE-05",
    level=SHOULD,
    source="POSIX.1-2017 XSH 2.4.3: fork is async-signal-safe (no longer in POSIX.1-2024)",
    needs={"free"},
    bug="glibc BZ 838: fork in a handler deadlocked on the lock that malloc held",
)
def test_handler_of_a_signal_may_fork(trial: Trial) -> None:
    """A signal handler that interrupts malloc may fork; parent and child get on.

    The child ends at once. A process that starts helpers in a handler does the same.
    """
    plan = trial.plan(APART)
    plan.signals(100, forks=True)
    for _ in range(60):
        _come_and_go(trial, plan)
    plan.signals(0)
    trial.holds(plan, time_limit=FORK_SECONDS)


@rule(
    "HY-LIFE-06",
    level=MUST,
    source="POSIX.1-2017 malloc, ERRORS",
    needs={"free"},
)
def test_signals_do_not_disturb_calls(trial: Trial) -> None:
    """A call that a signal interrupts serves its request all the same, in each thread.

    A handler without SA_RESTART that does nothing, every tenth of a millisecond, while blocks of up
    to 300 KiB come and go: whatever system call it interrupts, malloc has no right to EINTR.
    """
    plan = trial.plan(APART | Check.NULL)
    plan.signals(100)
    for _ in range(40):
        _come_and_go(trial, plan)
    plan.signals(0)
    if trial.target.capabilities.has("threads"):
        _disturb_threads(trial, plan)
    trial.holds(plan)


def _disturb_threads(trial: Trial, plan: Plan) -> None:
    for thread in (1, 2, 3):
        plan.on_thread(thread)
        plan.signals(100)
    with plan.parallel(40):
        for thread in (1, 2, 3):
            plan.on_thread(thread)
            _come_and_go(trial, plan)


def _come_and_go(trial: Trial, plan: Plan) -> None:
    """Blocks of every kind, made and freed."""
    free_batch(plan, batch(plan, (*ROOM, *round_sizes(trial, 30, 4 * KIB))))


@rule(
    "HY-LIFE-07",
    level=SHOULD,
    source="POSIX.1-2017 XSH 2.3: unspecified; callers test errno after a run of calls",
    needs={"free"},
)
def test_signals_leave_errno_alone(trial: Trial) -> None:
    """A call that succeeds though a signal interrupted it leaves errno as it was.

    The handler itself keeps errno: an EINTR that is seen afterwards is the allocator's.
    """
    plan = trial.plan(Check.ERRNO)
    free_batch(plan, batch(plan, ROOM))  # the first call is another rule's matter
    plan.set_errno(ERANGE)
    plan.signals(100)
    for _ in range(40):
        blocks = [plan.malloc(size, errno_kept=True) for size in (*ROOM, *[3000] * 30)]
        for block in blocks:
            plan.free(block, errno_kept=True)
    plan.signals(0)
    trial.holds(plan)


@rule(
    "HY-LIFE-08",
    level=SHOULD,
    source="constructors of libraries, and the loader itself, allocate before main",
    needs={"free", "calloc", "realloc"},
    bug="calloc for dlsym from a static buffer, in many wrappers of malloc, met free later",
)
def test_blocks_from_before_main_are_blocks(trial: Trial) -> None:
    """Blocks that a constructor made, before the allocator's own had run, can be used as any other.

    By malloc, calloc and realloc; their contents are what was written, and in main they are resized
    and freed, while others are made.
    """
    plan = trial.plan(APART)
    early = [plan.early(number) for number in range(4)]
    blocks = batch(plan, (*ROOM, *round_sizes(trial, 30, 2 * KIB)))
    plan.check_all()
    for block in early[::2]:
        plan.realloc(block, 3000)
    free_batch(plan, early)
    free_batch(plan, blocks)
    trial.holds(plan)


@rule(
    "HY-LIFE-09",
    level=MUST,
    source="C17 7.22.4.4",
    needs={"free"},
)
def test_calls_work_in_handlers_of_exit(trial: Trial) -> None:
    """Handlers that atexit() registered can make and free blocks.

    One is registered before the first call of malloc, and so runs after what the allocator may have
    registered itself; the other after it.
    """
    plan = trial.plan(APART | Check.NULL)
    with plan.at_exit():
        free_batch(plan, batch(plan, ROOM))
    blocks = batch(plan, ROOM)
    with plan.at_exit():
        free_batch(plan, blocks)
        batch(plan, ROOM)
    trial.holds(plan)


@rule(
    "HY-LIFE-10",
    level=SHOULD,
    source="destructors of libraries free what their constructors made",
    needs={"free", "calloc", "realloc"},
)
def test_calls_work_after_the_allocators_own_destructor(trial: Trial) -> None:
    """A library's destructor that runs last of all can still resize, free and make blocks.

    Preloaded behind the allocator, it was set up before it: its destructor runs after the
    allocator's.
    """
    plan = trial.plan(Check.NULL)
    plan.free(plan.early(0))
    trial.holds(plan)
