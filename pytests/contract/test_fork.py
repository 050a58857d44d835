"""HY-LIFE, continued: a child's memory, and forks while one kind of call is under way."""

from heapyard.contract.grids import KIB, MIB
from heapyard.contract.kinds import Call, come_and_go
from heapyard.contract.mixes import APART
from heapyard.rules import SHOULD, Trial, rule
from heapyard.trial import Check

SIZES = (700, 1000, 4000, 9000, 60_000, 300_000)
EACH = 12 * MIB
SPACE = 24 * MIB
"""By which the address space may grow in a child that frees three times as much first."""


@rule(
    "HY-LIFE-13",
    level=SHOULD,
    source="servers that fork: a child works on, and outgrows what it inherits",
    needs={"free", "release"},
)
def test_child_uses_what_it_freed_of_the_parent(trial: Trial) -> None:
    """In a child of fork, memory of the parent's blocks serves new ones once it is freed.

    72 MiB of blocks of 700 bytes to 300 KB; the child frees them all, in random order, and makes 54
    MiB of the same sizes, where the address space may grow by 24 MiB. An allocator that takes the
    parent's heap for that of a thread which is not there needs all of it anew.
    """
    plan = trial.plan(Check.NULL)
    blocks = [block for size in SIZES for block in plan.malloc_many(EACH // size, size)]
    trial.random.shuffle(blocks)
    plan.limit_space(SPACE)
    with plan.fork():
        for block in blocks:
            plan.free(block)
        for size in SIZES:
            for _ in range(EACH * 3 // 4 // size):
                plan.malloc(size)
    plan.lift_space()
    trial.holds(plan, time_limit=20)


FORKS = 50


@rule(
    "HY-LIFE-14",
    level=SHOULD,
    source="glibc and musl: malloc works in the child of a process with threads",
    needs={"free", "threads"},
    bug="gperftools issue 499: one of several locks was not taken at fork",
)
def test_fork_while_other_threads_are_in_one_kind_of_call(trial: Trial) -> None:
    """A child can make every kind of block, whichever lock other threads held when it was forked.

    As HY-LIFE-02, with one kind of block at a time: small, of a page or two, of ten pages, large,
    aligned, resized. Two threads do nothing else, interrupted in the middle of it, while a third
    forks fifty times; its children do the same.
    """
    for call in _kinds(trial):
        plan = trial.plan(APART)
        for thread in (1, 2):
            plan.on_thread(thread)
            plan.signals(50)
        with plan.parallel(FORKS):
            for thread in (1, 2):
                plan.on_thread(thread)
                for _ in range(12):
                    call(plan)
            plan.on_thread(3)
            with plan.fork():
                call(plan)
        trial.holds(plan)


def _kinds(trial: Trial) -> list[Call]:
    """One call for each way in which allocators keep blocks."""
    has = trial.target.capabilities.has
    kinds = [come_and_go(size) for size in (24, 700, 5000, 40 * KIB, 300 * KIB)]
    if has("aligned_alloc"):
        kinds.append(lambda plan: plan.free(plan.aligned_alloc(8 * KIB, 8 * KIB)))
    if has("realloc"):
        kinds.append(lambda plan: plan.free(plan.realloc(plan.malloc(2000), 90_000)))
    return kinds
