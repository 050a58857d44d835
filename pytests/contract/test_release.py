"""HY-RSS: what goes back to the system when blocks are freed, and by malloc_trim."""

from heapyard.contract.footprint import (
    PLAIN,
    SECONDS,
    at_most,
    fill,
    free_between_survivors,
    freed_in_order,
    grown,
    percent,
    warm_up,
)
from heapyard.contract.grids import KIB, MIB, powers
from heapyard.contract.mixes import APART
from heapyard.rules import MUST, PROFILE, SHOULD, Trial, rule
from heapyard.trial import Plan

SMALL = (256, 512, 1000, 1500, 2000)
"""Of pools, bins and free lists, not of mappings."""

TRIM = "malloc_trim(3): since glibc 2.8 in all arenas and in all chunks with whole free pages"


@rule(
    "HY-RSS-01",
    level=SHOULD,
    source="whoever frees a large buffer; mallopt(3), M_MMAP_THRESHOLD: always released on its own",
    needs={"release", "large"},
    bug="google/tcmalloc issue 294: 6 GB kept after all was freed",
)
def test_large_blocks_go_back_when_freed(trial: Trial) -> None:
    """A freed block of 64 MiB goes back to the system.

    Two of them, written, then freed: at most 8 MiB of the 128 stay longer than two seconds in
    which the program goes on with small blocks. Fails gperftools 2.10, which keeps
    them all.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (64, MIB))
    for block in [plan.malloc(64 * MIB) for _ in range(2)]:
        plan.free(block)
    plan.stir(2 * MIB, 1000 * SECONDS)
    (kept,) = grown(trial.holds(plan))
    trial.figure("kept", percent(kept, 128 * MIB), unit="%")
    at_most(trial, plan, kept, 8 * MIB, "left of 128 MiB that were freed", growth="rss")


@rule(
    "HY-RSS-02",
    level=PROFILE,
    source="mallopt(3), M_MMAP_THRESHOLD, is glibc's answer; each allocator has its own",
    needs={"release"},
)
def test_from_which_size_on_pages_go_back_at_once(trial: Trial) -> None:
    """The smallest size from which on a freed block's pages leave memory with the free.

    By mincore on the pages of one block of 16 KiB to 64 MiB, with a live block behind it; 128 MiB
    stands for 'none of these'.
    """
    least = 128 * MIB
    for size in reversed(powers(16 * KIB, 64 * MIB)):
        plan = trial.plan(PLAIN)
        plan.malloc(64)
        block = plan.malloc(size)
        plan.malloc(64)
        plan.watch(block)
        plan.free(block)
        plan.measure("residue")
        if trial.holds(plan).values("residue")[0] > size // 8:
            break
        least = size
    trial.figure("goes_back_from", least // KIB, unit="KiB")


@rule(
    "HY-RSS-03",
    level=MUST,
    source=TRIM,
    needs={"release", "trim"},
    bug="glibc before 2.8: malloc_trim gave back the top of the main heap only",
)
def test_trim_gives_back_free_pages(trial: Trial) -> None:
    """malloc_trim(0) gives back the pages that are wholly free, in whatever order they became so.

    64 MiB of blocks of 256 to 2,000 bytes are freed in random order: at most 4 MiB stay.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, SMALL)
    blocks = fill(plan, SMALL, 64 * MIB, trial.random)
    for block in freed_in_order(blocks, "random", trial.random):
        plan.free(block)
    plan.trim()
    plan.measure("rss")
    (kept,) = grown(trial.holds(plan))
    trial.figure("kept_by_trim", percent(kept, 64 * MIB), unit="%")
    at_most(trial, plan, kept, 4 * MIB, "left of 64 MiB after malloc_trim", growth="rss")


@rule("HY-RSS-04", level=MUST, source=TRIM, needs={"release", "trim"})
def test_trim_gives_back_pages_between_live_blocks(trial: Trial) -> None:
    """malloc_trim(0) gives back the free pages between live blocks.

    One block of 1,000 bytes in 64 stays: at most a quarter of the memory does. It pins its own page
    or two of 16.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (1000,))
    free_between_survivors(plan, 1000, 64 * MIB, 64)
    plan.trim()
    plan.measure("rss")
    (kept,) = grown(trial.holds(plan))
    trial.figure("pinned_after_trim", percent(kept, 64 * MIB), unit="%")
    at_most(trial, plan, kept, 16 * MIB, "held by live blocks of 1 MiB in all", growth="rss")


@rule(
    "HY-RSS-05",
    level=MUST,
    source="malloc_trim(3): returns 1 if memory was actually released, or 0 if it was not possible",
    needs={"release", "trim"},
)
def test_trim_says_whether_it_gave_back(trial: Trial) -> None:
    """malloc_trim answers 1 where resident memory fell by it.

    By 32 MiB at least of 64 MiB that were freed; other falls say nothing.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, SMALL)
    blocks = fill(plan, SMALL, 64 * MIB, trial.random)
    for block in freed_in_order(blocks, "random", trial.random):
        plan.free(block)
    plan.measure("rss")
    plan.trim()
    plan.measure("rss")
    plan.measure("trimmed")
    outcome = trial.holds(plan)
    before, after = grown(outcome)
    (answer,) = outcome.values("trimmed")
    if before - after > 32 * MIB and answer != 1:
        trial.fail(
            "malloc_trim to answer 1", f"{answer}, and {before - after:,} bytes less", plan=plan
        )
    if answer not in (0, 1):
        trial.fail("malloc_trim to answer 0 or 1", f"{answer}", plan=plan)


@rule(
    "HY-RSS-06",
    level=MUST,
    source="C17 7.22.3p1: the lifetime of a block extends until it is freed",
    needs={"release"},
)
def test_giving_back_never_touches_live_blocks(trial: Trial) -> None:
    """Live blocks keep their contents while memory around them goes back to the system.

    Survivors of every size between freed neighbours, verified after each wait and each trim.
    """
    plan = trial.plan(APART)
    for size in (100, 1000, 5000, 20_000, 70_000, 300_000):
        blocks = [plan.malloc(size) for _ in range(6 * MIB // size)]
        for index, block in enumerate(blocks):
            if index % 5:
                plan.free(block)
        if trial.target.capabilities.has("trim"):
            plan.trim()
        plan.stir(0, 30)
        plan.check_all()
    trial.holds(plan)


@rule(
    "HY-RSS-07",
    level=PROFILE,
    source="whoever watches a service that has done its work",
    needs={"release"},
)
def test_what_is_kept_of_small_blocks(trial: Trial) -> None:
    """How much of 64 MiB of small blocks stays after all were freed, in per cent.

    Freed as they were made, in half a second in which the program goes on; then freed in random
    order. No standard says that any of it goes back. Seen: glibc 2.36 keeps what is freed in random
    order until malloc_trim, musl 1.2.3 nothing; jemalloc 5.3.0, mimalloc 2.0.9 and gperftools 2.10
    keep all for that long, jemalloc not for twelve seconds of use (dirty_decay_ms is ten).
    """
    for order in ("forward", "random"):
        plan = _all_freed(trial, order)
        plan.stir(2 * MIB, 500)
        (kept,) = grown(trial.holds(plan))
        trial.figure(f"kept_{order}", percent(kept, 64 * MIB), unit="%")


@rule("HY-RSS-08", level=PROFILE, source="whoever watches an idle service", needs={"release"})
def test_what_an_idle_process_keeps(trial: Trial) -> None:
    """How much of 64 MiB of freed small blocks an idle process keeps after a second, in per cent.

    It makes no call meanwhile: only a thread of the allocator's own could give anything back.
    """
    plan = _all_freed(trial, "random")
    plan.measure("rss")
    plan.await_rss(2 * MIB, 1000)
    at_once, later = grown(trial.holds(plan))
    trial.figure("kept_idle", percent(later, 64 * MIB), unit="%")
    trial.figure("given_back_idle", percent(at_once - later, 64 * MIB), unit="%", better="more")


@rule(
    "HY-RSS-09",
    level=PROFILE,
    source="whoever sees memory held by few objects",
    needs={"release"},
    bug="Zig issue 23592: pages of small blocks were never given back",
)
def test_what_survivors_pin(trial: Trial) -> None:
    """How much of 64 MiB of small blocks one survivor in 16, 256 and 4,096 holds, in per cent.

    What the survivors have themselves is 6, 0.4 and 0.02 per cent; one page for each, blocks of
    1,000 bytes, would be 26, 1.6 and 0.1.
    """
    for distance in (256, 4096, 16):
        plan = trial.plan(PLAIN)
        warm_up(plan, (1000,))
        free_between_survivors(plan, 1000, 64 * MIB, distance)
        plan.stir(64 * MIB // distance * 4, 300)
        (kept,) = grown(trial.holds(plan))
        trial.figure(f"pinned_by_1_in_{distance}", percent(kept, 64 * MIB), unit="%")


@rule(
    "HY-RSS-10",
    level=PROFILE,
    source="whoever reads the memory of a process in top, ps or psutil",
    needs={"release"},
    bug="snmalloc issue 846: 1.2 GiB that was free counted as resident",
)
def test_what_tools_show_of_freed_memory(trial: Trial) -> None:
    """How much of 64 MiB that were freed tools like top, ps and psutil still show, in per cent.

    The resident set counts pages that MADV_FREE marked as free until the kernel needs them: the
    second figure. Neither is a fault.
    """
    plan = trial.plan(PLAIN)
    sizes = (4 * KIB, 32 * KIB, 256 * KIB)
    warm_up(plan, sizes, "shown")
    for block in fill(plan, sizes, 64 * MIB, trial.random):
        plan.free(block)
    plan.measure("shown")
    plan.measure("lazily_free")
    outcome = trial.holds(plan)
    trial.figure("shown", percent(grown(outcome, "shown")[0], 64 * MIB), unit="%")
    trial.figure("lazily_free", percent(outcome.values("lazily_free")[0], 64 * MIB), unit="%")


def _all_freed(trial: Trial, order: str) -> Plan:
    plan = trial.plan(PLAIN)
    warm_up(plan, SMALL)
    blocks = fill(plan, SMALL, 64 * MIB, trial.random)
    for block in freed_in_order(blocks, order, trial.random):
        plan.free(block)
    return plan
