"""HY-OOM: memory runs out, by a limit or at any one system call: what calls answer, what stays."""

from errno import ENOMEM, ERANGE

from heapyard.contract.footprint import at_most
from heapyard.contract.grids import KIB, MIB, entry_paths
from heapyard.contract.shortage import ANSWERS, GROWTH, PLACES, failures, grow, request
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check, OsCalls, Plan

C17 = "C17 7.22.3; POSIX.1-2017 malloc, ERRORS"
SPACE = 64 * MIB
"""Address space that is left to a target."""

PATIENCE = 5.0
"""Seconds for a plan that takes milliseconds: a lock that stays taken is a hang."""

TRIES = SPACE * 9 // 8
"""Bytes asked for in such a space: an eighth of the requests must fail."""


@rule(
    "HY-OOM-01",
    level=MUST,
    source="C17 7.22.3.4; POSIX.1-2017 malloc, ERRORS",
    bug="gperftools issue 228: the address space filled with blocks of 1 KiB ended in abort()",
)
def test_exhaustion_answers_null(trial: Trial) -> None:
    """Where the address space is used up (RLIMIT_AS), malloc answers NULL with ENOMEM, for ever.

    Blocks of one size, 1 KiB to 1 MiB, until long after the first failure; those that are there
    keep their contents.
    """
    for size in (KIB, 20 * KIB, 64 * KIB, MIB):
        plan = trial.plan(ANSWERS | PLACES)
        plan.limit_space(SPACE)
        plan.malloc_many(TRIES // size, size, may_fail=True)
        plan.check_all()
        trial.holds(plan)


@rule("HY-OOM-02", level=MUST, source=C17)
def test_every_entry_point_fails_in_full_memory(trial: Trial) -> None:
    """With no address space left, each entry point answers a block, or NULL with ENOMEM.

    posix_memalign returns ENOMEM and leaves the pointer alone; what is live keeps its contents.
    """
    plan = trial.plan(ANSWERS | PLACES)
    plan.malloc_many(10, 1000)
    plan.limit_space(SPACE)
    plan.malloc_many(TRIES // MIB, MIB, may_fail=True)
    for _ in range(3):
        request(trial, plan, True)
        grow(trial, plan, True)
    plan.check_all()
    trial.holds(plan)


@rule(
    "HY-OOM-03",
    level=SHOULD,
    source="users: a server that sheds load goes on serving",
    needs={"free"},
)
def test_freed_memory_serves_the_same_again(trial: Trial) -> None:
    """After exhaustion and the freeing of all, at least nine tenths of the same can be had again.

    For blocks of 1 KiB, 20 KiB and 1 MiB, in the same address space. A tenth is left to what the
    first round made necessary: tables, caches.
    """
    for size in (KIB, 20 * KIB, MIB):
        plan = trial.plan(Check.NONE)
        plan.limit_space(SPACE)
        for _ in range(2):
            blocks = plan.malloc_many(TRIES // size, size, may_fail=True)
            plan.measure("live_bytes")
            plan.free_many(blocks)
        first, again = trial.holds(plan).values("live_bytes")
        if again < first * 9 // 10:
            trial.fail(f"at least nine tenths of {first} bytes", f"{again} bytes", plan=plan)


@rule("HY-OOM-04", level=MUST, source=C17)
def test_one_failing_system_call_is_answered_with_enomem(trial: Trial) -> None:
    """If any one system call fails, each call still answers a block, or NULL with ENOMEM.

    mmap, munmap, mremap, brk, madvise and mprotect: as many runs as a piece of work makes such
    calls, the k-th of them failing in run k. The work asks by every entry point, from 24 bytes to
    600 KiB.
    """
    for nth in failures(trial, OsCalls.EVERY, _nothing, request):
        plan = trial.plan(ANSWERS)
        plan.fail_os(OsCalls.EVERY, nth)
        request(trial, plan, True)
        trial.holds(plan)


@rule("HY-OOM-05", level=MUST, source=C17)
def test_failing_system_calls_are_answered_with_enomem(trial: Trial) -> None:
    """If all system calls fail from any one on, each call answers a block, or NULL with ENOMEM.

    As HY-OOM-04, but memory is short from the k-th call to the end.
    """
    for nth in failures(trial, OsCalls.EVERY, _nothing, request):
        plan = trial.plan(ANSWERS)
        plan.fail_os(OsCalls.EVERY, nth, onward=True)
        request(trial, plan, True)
        trial.holds(plan)


@rule("HY-OOM-06", level=MUST, source="C17 7.22.3")
def test_failing_system_calls_leave_blocks_alone(trial: Trial) -> None:
    """Whichever system call fails, once or from then on, blocks stay whole and keep their contents.

    Those that were there before, and those that are served meanwhile.
    """
    for nth in failures(trial, OsCalls.EVERY, _some_blocks, request):
        for onward in (False, True):
            plan = trial.plan(PLACES)
            _some_blocks(trial, plan, False)
            plan.fail_os(OsCalls.EVERY, nth, onward=onward)
            request(trial, plan, True)
            plan.check_all()
            trial.holds(plan)


@rule(
    "HY-OOM-07",
    level=MUST,
    source="C17 7.22.3.5p3",
    needs={"realloc"},
    bug="SuperMalloc issue 3: a realloc that failed destroyed the block",
)
def test_failing_realloc_leaves_the_block(trial: Trial) -> None:
    """A realloc that fails for want of memory leaves the block as it was, and it can be resized on.

    One block grows from 24 bytes to 3 MiB and shrinks again, each system call on the way failing
    in turn, once or with all that follow.
    """
    for nth in failures(trial, OsCalls.EVERY, _nothing, _grow_and_shrink):
        for onward in (False, True):
            plan = trial.plan(PLACES | Check.ERRNO)
            plan.fail_os(OsCalls.EVERY, nth, onward=onward)
            _grow_and_shrink(trial, plan, True)
            plan.end_fail()
            grow(trial, plan, True)
            trial.holds(plan)


@rule("HY-OOM-08", level=MUST, source="C17 7.22.3.2", needs={"calloc", "free"})
def test_calloc_is_zero_after_failures(trial: Trial) -> None:
    """calloc's blocks are zero while system calls fail, and afterwards.

    Where memory was written and freed, and whichever call fails: one that could not be unmapped or
    purged is not clean.
    """
    for nth in failures(trial, OsCalls.EVERY, _dirty, _give_back_and_clear):
        for onward in (False, True):
            plan = trial.plan(Check.ZERO)
            _dirty(trial, plan, False)
            plan.fail_os(OsCalls.EVERY, nth, onward=onward)
            _give_back_and_clear(trial, plan, True)
            plan.end_fail()
            _clear(trial, plan, True)
            trial.holds(plan)


@rule(
    "HY-OOM-09",
    level=MUST,
    source="POSIX.1-2024 free: does not modify errno; malloc(3)",
    needs={"free"},
    bug="glibc BZ 17924: free changed errno where munmap failed",
)
def test_free_survives_memory_that_cannot_be_given_back(trial: Trial) -> None:
    """free returns, and leaves errno alone, whichever of its system calls fails.

    At the limit on mappings, munmap of a part, madvise and mprotect answer ENOMEM. Blocks of all
    sizes, made by every entry point.
    """
    kinds = OsCalls.EVERY
    for nth in failures(trial, kinds, request, _free_all):
        for onward in (False, True):
            plan = trial.plan(Check.ERRNO)
            request(trial, plan, False)
            plan.set_errno(ERANGE)
            plan.fail_os(kinds, nth, onward=onward)
            plan.free_all(errno_kept=True)
            trial.holds(plan)


@rule("HY-OOM-10", level=MUST, source=C17)
def test_first_mapping_may_fail(trial: Trial) -> None:
    """If the first system call of the process fails, the first request answers NULL with ENOMEM.

    Or a block. By every entry point, small and large, each in a process of its own.
    """
    for path in entry_paths(trial):
        for size in (100, MIB):
            plan = trial.plan(ANSWERS)
            plan.fail_os(OsCalls.EVERY, onward=True)
            for _ in range(3):
                path.ask(plan, size, may_fail=True, fails=_enomem(trial))
            trial.holds(plan)


@rule(
    "HY-OOM-11",
    level=SHOULD,
    source="users: memory that was short for a moment is there again",
)
def test_failed_first_mapping_is_made_again(trial: Trial) -> None:
    """After its first system calls failed, a process is served as soon as they succeed again.

    Setting up is done anew, not given up for ever.
    """
    for path in entry_paths(trial):
        for onward in (False, True):
            plan = trial.plan(Check.NULL)
            plan.fail_os(OsCalls.EVERY, onward=onward)
            path.ask(plan, 100, may_fail=True)
            path.ask(plan, MIB, may_fail=True)
            plan.end_fail()
            path.ask(plan, 100)
            path.ask(plan, MIB)
            trial.holds(plan)


@rule(
    "HY-OOM-12",
    level=SHOULD,
    source="users: memory that was short for a moment is there again",
)
def test_same_work_succeeds_after_failures(trial: Trial) -> None:
    """After system calls failed, once or for a while, the same work succeeds.

    Whichever call it was: no lock stays taken, no list half changed, no size class shut.
    """
    for nth in failures(trial, OsCalls.EVERY, _nothing, request):
        for onward in (False, True):
            plan = trial.plan(Check.NULL)
            plan.fail_os(OsCalls.EVERY, nth, onward=onward)
            request(trial, plan, True)
            plan.end_fail()
            request(trial, plan, False)
            trial.holds(plan, time_limit=PATIENCE)


@rule(
    "HY-OOM-13",
    level=SHOULD,
    source="users: a server that is short of memory must not lose more by every failure",
    needs={"free"},
)
def test_failing_requests_lose_no_memory(trial: Trial) -> None:
    """Requests that fail leave no memory behind: 40 rounds of failures cost less than 8 MiB.

    Each round asks for 1 MiB by every entry point, aligned or not, with its k-th mapping failing;
    what was mapped before the failure must go back, or serve the next round. One block lost in
    every five rounds is more than 8 MiB. Only requests fail, mprotect among them (it opens what was
    reserved); giving back works; and what is asked for afterwards is served.
    """
    for nth in (1, 2, 3):
        plan = trial.plan(Check.NULL)
        _failing_round(trial, plan, nth)
        plan.measure("mapped")
        for _ in range(40):
            _failing_round(trial, plan, nth)
        plan.measure("mapped")
        request(trial, plan, False)
        before, after = trial.holds(plan).values("mapped")
        at_most(trial, plan, after - before, 8 * MIB, "more", growth="mapped")


@rule(
    "HY-OOM-14",
    level=MUST,
    source=C17,
    needs={"threads"},
    bug="jemalloc issue 2289: the first malloc of a thread crashed where no more could be mapped",
)
def test_first_mapping_of_a_thread_may_fail(trial: Trial) -> None:
    """If the first system calls for a new thread fail, its requests answer NULL with ENOMEM.

    Or a block. The process has blocks already; the thread has none when memory runs out, so its
    cache or arena can't be made. By every entry point, small and large.
    """
    for path in entry_paths(trial):
        for size in (100, 100 * KIB):
            plan = trial.plan(ANSWERS | PLACES)
            plan.malloc(size)
            plan.on_thread(1)
            plan.check_all()
            plan.fail_os(OsCalls.EVERY, onward=True)
            for _ in range(3):
                path.ask(plan, size, may_fail=True, fails=_enomem(trial))
            plan.end_fail()
            path.ask(plan, size, may_fail=True)
            plan.check_all()
            trial.holds(plan)


@rule(
    "HY-OOM-15",
    level=SHOULD,
    source="users: a server that sheds load goes on serving",
    needs={"free"},
    bug="Hoard issue 1: 600 MB could not be had after many small blocks were freed",
)
def test_a_large_block_after_exhaustion_by_small_ones(trial: Trial) -> None:
    """After exhaustion by small blocks and the freeing of all, one large block can be had.

    A quarter of the address space, after blocks of 1 KiB or 20 KiB until long after the first
    failure, freed as they were made: what they left must have merged, or gone back.
    """
    for size in (KIB, 20 * KIB):
        plan = trial.plan(Check.NONE)
        plan.limit_space(SPACE)
        blocks = plan.malloc_many(TRIES // size, size, may_fail=True)
        plan.free_many(blocks)
        plan.malloc(SPACE // 4, may_fail=True)
        plan.measure("live_bytes")
        (served,) = trial.holds(plan).values("live_bytes")
        if served == 0:
            trial.fail(f"a block of {SPACE // 4} bytes after blocks of {size}", "NULL", plan=plan)


def _enomem(trial: Trial) -> int | None:
    return ENOMEM if trial.target.capabilities.has("errno") else None


def _nothing(*_: object) -> None:
    """The work is the first that the process does."""


def _some_blocks(_: Trial, plan: Plan, may_fail: bool) -> None:
    for size in (1, 24, 500, 5000, 40 * KIB, 300 * KIB, 2 * MIB):
        plan.malloc(size, may_fail=may_fail)


def _grow_and_shrink(trial: Trial, plan: Plan, may_fail: bool) -> None:
    fails = _enomem(trial) if may_fail else None
    block = plan.malloc(24, may_fail=may_fail, fails=fails)
    for size in (*GROWTH, *GROWTH[-2::-1], *GROWTH):
        plan.realloc(block, size, may_fail=may_fail, fails=fails)
    plan.check(block)


def _dirty(_: Trial, plan: Plan, _may_fail: bool) -> None:
    plan.malloc_many(4, 600 * KIB)
    plan.malloc_many(20, 60_000)


def _give_back_and_clear(trial: Trial, plan: Plan, may_fail: bool) -> None:
    plan.free_all()
    if trial.target.capabilities.has("trim"):
        plan.trim()
    _clear(trial, plan, may_fail)


def _clear(_: Trial, plan: Plan, may_fail: bool) -> None:
    for size in (60_000, 600 * KIB, MIB) * 3:
        plan.calloc(1, size, may_fail=may_fail)


def _free_all(_: Trial, plan: Plan, _may_fail: bool) -> None:
    plan.free_all()


def _failing_round(trial: Trial, plan: Plan, nth: int) -> None:
    for path in entry_paths(trial):
        plan.fail_os(OsCalls.GET | OsCalls.MPROTECT, nth, onward=True)
        block = path.ask(plan, MIB, may_fail=True)
        plan.end_fail()
        plan.free(block)
