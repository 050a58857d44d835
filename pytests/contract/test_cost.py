"""HY-COST: what a call costs must not grow with what is live or free; system calls are few."""

from dataclasses import dataclass
from random import Random

from heapyard.contract.costs import (
    ALLOWANCE,
    LARGER_SIZES,
    SIZES,
    SMALL_SIZES,
    cost_stays,
    counted,
    populate,
    with_holes,
)
from heapyard.contract.footprint import at_most
from heapyard.contract.grids import KIB, MIB
from heapyard.rules import PROFILE, SHOULD, Trial, rule
from heapyard.trial import Check, Plan, Slot

USERS = "users: programs whose heap grows must not slow down"
TO_A_MILLION = (100, 10_000, 1_000_000)
TO_MANY = (100, 10_000, 100_000)


@rule("HY-COST-01", level=SHOULD, source=USERS)
def test_cost_of_malloc_does_not_grow_with_live_blocks(trial: Trial) -> None:
    """malloc costs the same beside a million live blocks as beside a hundred.

    At most 4,000 instructions more than twice as many, for nine calls of ten.
    """

    def build(plan: Plan, count: int) -> None:
        populate(plan, count, SMALL_SIZES)
        counted(plan, lambda number: plan.malloc(SIZES[number % 4]))

    cost_stays(trial, build, TO_A_MILLION)


@rule("HY-COST-02", level=SHOULD, source=USERS, needs={"free"})
def test_cost_of_malloc_does_not_grow_with_free_blocks(trial: Trial) -> None:
    """malloc costs the same where 50,000 free blocks, all too small, lie between live ones.

    A first fit over one list of free blocks walks over all of them: filling such a heap then takes
    a time that grows with its square. The bound is that of HY-COST-01.
    """

    def build(plan: Plan, count: int) -> None:
        with_holes(plan, count)
        counted(plan, lambda number: plan.malloc(LARGER_SIZES[number % 4]))

    cost_stays(trial, build, TO_MANY)


@rule("HY-COST-03", level=SHOULD, source=USERS, needs={"free"})
def test_cost_of_free_does_not_grow_with_live_blocks(trial: Trial) -> None:
    """free costs the same beside a million live blocks as beside a hundred.

    Blocks from anywhere in the heap. The bound is that of HY-COST-01.
    """

    def build(plan: Plan, count: int) -> None:
        blocks = populate(plan, count, SMALL_SIZES)
        stride = len(blocks[0]) // 24
        counted(plan, lambda number: plan.free(blocks[number % 4][number * stride]))

    cost_stays(trial, build, TO_A_MILLION)


@rule("HY-COST-04", level=SHOULD, source=USERS, needs={"free"})
def test_cost_of_free_does_not_grow_with_free_blocks(trial: Trial) -> None:
    """free costs the same where 50,000 free blocks lie between live ones.

    A list of free blocks kept in order of address, or searched for neighbours, is walked by each
    free. The bound is that of HY-COST-01.
    """

    def build(plan: Plan, count: int) -> None:
        blocks = with_holes(plan, count)
        stride = len(blocks[0]) // 12 // 2 * 2
        counted(plan, lambda number: plan.free(blocks[number % 4][number * stride + 1]))

    cost_stays(trial, build, TO_MANY)


@rule("HY-COST-05", level=SHOULD, source=USERS, needs={"realloc", "free"})
def test_cost_of_realloc_does_not_grow_with_free_blocks(trial: Trial) -> None:
    """realloc costs the same where 50,000 free blocks lie between live ones.

    Blocks of 40 to 3,000 bytes grow by half, so that most must move. The bound is that of
    HY-COST-01.
    """

    def build(plan: Plan, count: int) -> None:
        blocks = with_holes(plan, count)
        counted(
            plan,
            lambda number: plan.realloc(
                blocks[number % 4][number * 2 + 1], SIZES[number % 4] * 3 // 2
            ),
        )

    cost_stays(trial, build, TO_MANY)


@rule(
    "HY-COST-06",
    level=SHOULD,
    source=USERS,
    needs={"aligned_alloc", "free"},
    bug="glibc BZ 30723: memalign walked over long lists of free blocks",
)
def test_cost_of_aligned_requests_does_not_grow_with_free_blocks(trial: Trial) -> None:
    """aligned_alloc costs the same where 50,000 free blocks lie between live ones.

    Looking for one that happens to be aligned must not mean looking at all. The bound is that of
    HY-COST-01.
    """

    def build(plan: Plan, count: int) -> None:
        with_holes(plan, count)
        counted(plan, lambda number: plan.aligned_alloc(64 << number % 3, 1024 << number % 3))

    cost_stays(trial, build, TO_MANY)


@rule("HY-COST-07", level=SHOULD, source=USERS, needs={"usable_size"})
def test_cost_of_usable_size_does_not_grow_with_live_blocks(trial: Trial) -> None:
    """usable_size costs the same beside a million live blocks as beside a hundred.

    Blocks from anywhere in the heap. The bound is that of HY-COST-01.
    """

    def build(plan: Plan, count: int) -> None:
        blocks = populate(plan, count, SMALL_SIZES)
        stride = len(blocks[0]) // 24
        counted(plan, lambda number: plan.usable_size(blocks[number % 4][number * stride]))

    cost_stays(trial, build, TO_A_MILLION)


@rule(
    "HY-COST-08",
    level=SHOULD,
    source="users: strings and arrays that grow by appending",
    needs={"realloc"},
)
def test_growing_by_small_steps_does_not_copy_each_time(trial: Trial) -> None:
    """A block that grows by small steps, with nothing behind it, is not copied at each of them.

    From 1 KiB by 16 bytes, from 64 KiB by 1 KiB, from 1 MiB by 4 KiB: half of the steps cost at
    most 4,000 instructions, since there is room behind the block, or in its size class, or mremap.
    Else the time to build a string grows with its square.
    """
    for start, step in ((KIB, 16), (64 * KIB, KIB), (MIB, 4 * KIB)):
        plan = trial.plan(Check.NONE)
        block = plan.malloc(start)
        plan.count_cost("instructions")
        for number in range(1, 17):
            plan.realloc(block, start + number * step)
        plan.end_cost()
        plan.measure("cost_median")
        cost = trial.holds(plan).values("cost_median")[-1]
        if cost > ALLOWANCE:
            trial.fail(
                f"at most {ALLOWANCE} instructions in every other step of {step} bytes",
                f"{cost} or more",
                plan=plan,
            )


@rule(
    "HY-COST-09",
    level=SHOULD,
    source="users: a system call costs what 100 mallocs cost",
    needs={"free"},
)
def test_steady_churn_makes_few_system_calls(trial: Trial) -> None:
    """Where blocks come and go and as many stay live, system calls are few.

    1,000 live blocks of 16 bytes to 8 KiB, one replaced by another of another size 4,000 times: at
    most one system call in 16 replacements over the last half of them, when the heap has long found
    its size.
    """
    plan = trial.plan(Check.NONE)
    calls = _churn(trial, plan, _Sizes(trial.random, 16, 8 * KIB), live=1000, turns=2000)
    what = "in 2,000 replacements"
    at_most(trial, plan, calls, 125, what, growth="os_calls", since=None, unit="system calls")


@rule(
    "HY-COST-10",
    level=SHOULD,
    source="users: a loop that allocates must not fall off a cliff",
    needs={"free"},
)
def test_no_number_of_live_blocks_makes_each_call_a_system_call(trial: Trial) -> None:
    """Wherever the heap's border is, malloc and free of one block in a loop make few system calls.

    At each of 150 numbers of live blocks, of 1,000 to 30,000 bytes, 16 pairs make at most 8 system
    calls. At a border, mapping with each malloc and unmapping with each free makes 32.
    """
    for size in (1000, 8000, 30_000):
        plan = trial.plan(Check.NONE)
        for _ in range(150):
            plan.malloc(size)
            plan.count_os()
            for _ in range(16):
                plan.free(plan.malloc(size))
            plan.measure("os_calls")
        most = max(trial.holds(plan).values("os_calls"))
        at_most(
            trial,
            plan,
            most,
            8,
            "in 16 pairs",
            growth="os_calls",
            since=None,
            until="highest",
            unit="system calls",
        )


@rule("HY-COST-11", level=PROFILE, source=USERS, needs={"free"})
def test_system_calls_of_large_blocks(trial: Trial) -> None:
    """How many system calls 1,000 replacements of large blocks make.

    50 live blocks of 64 KiB to 1 MiB, after as many replacements that do not count.
    """
    plan = trial.plan(Check.NONE)
    calls = _churn(trial, plan, _Sizes(trial.random, 64 * KIB, MIB), live=50, turns=500)
    trial.figure("system calls in 1,000 replacements", calls * 2, unit="calls")


@rule("HY-COST-12", level=PROFILE, source=USERS, needs={"free"})
def test_page_faults_of_steady_churn(trial: Trial) -> None:
    """How many page faults 1,000 replacements of blocks make, in a heap that has found its size.

    1,000 live blocks of 16 bytes to 32 KiB: pages given back too early are faulted in again.
    """
    plan = trial.plan(Check.NONE)
    sizes = _Sizes(trial.random, 16, 32 * KIB)
    blocks = [plan.malloc(sizes.draw()) for _ in range(1000)]
    _replace(plan, blocks, sizes, 2000)
    plan.measure("page_faults")
    _replace(plan, blocks, sizes, 1000)
    plan.measure("page_faults")
    before, after = trial.holds(plan).values("page_faults")
    trial.figure("page faults in 1,000 replacements", after - before, unit="faults")


@rule("HY-COST-13", level=PROFILE, source=USERS, needs={"free"})
def test_throughput_of_small_blocks(trial: Trial) -> None:
    """How long one malloc or free of a small block takes, its writing included.

    200,000 blocks of 16 to 200 bytes, made and freed; the best of three.
    """
    plan = trial.plan(Check.NONE)
    for blocks in populate(plan, 200_000, SMALL_SIZES):
        plan.free_many(blocks)
    best = min(trial.holds(plan).nanoseconds for _ in range(3))
    trial.figure("time of one call", round(best / 400_000, 1), unit="ns")


@rule("HY-COST-14", level=PROFILE, source=USERS, needs={"free"})
def test_tail_latency_of_small_blocks(trial: Trial) -> None:
    """How long the slowest one in a hundred calls takes.

    malloc and free of 16 bytes to 8 KiB, 1,000 blocks live: 2,000 calls on the clock; the best of
    three, since a busy machine adds to it.
    """
    plan = trial.plan(Check.NONE)
    sizes = _Sizes(trial.random, 16, 8 * KIB)
    blocks = [plan.malloc(sizes.draw()) for _ in range(1000)]
    plan.count_cost("nanoseconds")
    _replace(plan, blocks, sizes, 1000)
    plan.end_cost()
    plan.measure("cost_p99")
    best = min(trial.holds(plan).values("cost_p99")[-1] for _ in range(3))
    trial.figure("99 of 100 calls within", best, unit="ns")


@dataclass(frozen=True)
class _Sizes:
    """Sizes from `low` to `high` whose logarithms are drawn evenly."""

    random: Random
    low: int
    high: int

    def draw(self) -> int:
        return int(self.low * (self.high / self.low) ** self.random.random())


def _churn(trial: Trial, plan: Plan, sizes: _Sizes, *, live: int, turns: int) -> int:
    """System calls of the second half of 2 * turns replacements."""
    blocks = [plan.malloc(sizes.draw()) for _ in range(live)]
    _replace(plan, blocks, sizes, turns)
    plan.count_os()
    _replace(plan, blocks, sizes, turns)
    plan.measure("os_calls")
    return trial.holds(plan).values("os_calls")[-1]


def _replace(plan: Plan, blocks: list[Slot], sizes: _Sizes, turns: int) -> None:
    for _ in range(turns):
        number = sizes.random.randrange(len(blocks))
        plan.free(blocks[number])
        blocks[number] = plan.malloc(sizes.draw())
