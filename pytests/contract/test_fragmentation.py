"""HY-FRAG: whether a program that runs for long, with bounded live memory, stays bounded too.

No bound on fragmentation can be asked for: Robson (1971) showed that every allocator that does not
move blocks can be made to use a multiple of the live memory, the more the further its sizes lie
apart. What can be asked for is that the same work, done again and again, does not take more each
time. How well memory is used is a figure.
"""

from random import Random

from heapyard.contract.footprint import (
    PLAIN,
    at_most,
    equal_blocks,
    fill,
    free_between_survivors,
    freed_in_order,
    grown,
    warm_up,
)
from heapyard.contract.grids import KIB, MIB
from heapyard.rules import PROFILE, SHOULD, Trial, rule
from heapyard.trial import Plan

SETTLED = 3
"""Index of the figure of the eighth round: an allocator's caches are full by then."""


@rule(
    "HY-FRAG-01",
    level=SHOULD,
    source="whoever serves requests, one like the other",
    needs={"free"},
    bug="glibc BZ 14581: memory grew without bound while what was live did not",
)
def test_the_same_phase_takes_no_more_each_time(trial: Trial) -> None:
    """A phase that makes 16 MiB of blocks and frees them all takes no more memory the 160th time.

    Sizes of 16 bytes to 64 KiB, freed in random order. At the height of the last phase there is at
    most 48 MiB more in memory than at that of the eighth. Two per cent lost in each phase would be
    more. jemalloc 5.3.0 gains up to 26 MiB, and has them back once its free pages decay.
    """
    plan = trial.plan(PLAIN, repeat=160)
    blocks = fill(plan, (16, 100, 600, 3000, 9000, 20_000, 64 * KIB), 16 * MIB, trial.random)
    plan.trend("rss")
    for block in freed_in_order(blocks, "random", trial.random):
        plan.free(block)
    _stays_level(trial, plan, 48 * MIB, "more in the 160th phase than in the eighth")


@rule("HY-FRAG-02", level=SHOULD, source="whoever serves many small requests", needs={"free"})
def test_no_phase_leaves_a_page_behind(trial: Trial) -> None:
    """A small phase, eight thousand times, leaves at most 8 MiB behind.

    Fifty blocks of 16 bytes to 40 KiB each time. One page lost in each phase would be 32 MiB.
    """
    plan = trial.plan(PLAIN, repeat=8192)
    sizes = [round(16 * 1.17**step) for step in range(50)]
    blocks = [plan.malloc(size) for size in trial.random.sample(sizes, 50)]
    for block in freed_in_order(blocks, "random", trial.random):
        plan.free(block)
    plan.trend("rss")
    _stays_level(trial, plan, 8 * MIB, "left by 8,000 small phases")


@rule(
    "HY-FRAG-03",
    level=SHOULD,
    source="whoever keeps a cache of objects",
    needs={"free"},
    bug="wee_alloc issue 106: unbounded growth with bounded live memory",
)
def test_constant_live_memory_does_not_grow(trial: Trial) -> None:
    """Two thousand live blocks, each replaced again and again by another, stay about as large.

    Sizes of 16 bytes to 256 KiB, as many in each doubling: 50 MiB live. After fifty replacements of
    each, memory is at most half as much again as after ten.
    """
    plan = trial.plan(PLAIN)
    random = trial.random
    warm_up(plan, (64,))
    blocks = [plan.malloc(_any_size(random)) for _ in range(2000)]
    for turn in range(50):
        for _ in range(2000):
            index = random.randrange(2000)
            plan.free(blocks[index])
            blocks[index] = plan.malloc(_any_size(random))
        if turn in (9, 49):
            plan.measure("live_bytes")
            plan.measure("rss")
    outcome = trial.holds(plan, time_limit=20)
    early, late = grown(outcome)
    trial.figure("growth", round(late / early, 2), unit="x")
    trial.figure("memory", round(late / outcome.values("live_bytes")[-1], 2), unit="x live")
    what = "after five times as many replacements"
    at_most(trial, plan, late, early * 3 // 2, what, growth="rss")


@rule(
    "HY-FRAG-04",
    level=SHOULD,
    source="whoever makes two buffers and frees them, in a loop",
    needs={"free"},
    bug="wee_alloc issue 106: 85,196 and 80,000 bytes in a loop leaked without bound",
)
def test_two_buffers_in_a_loop_do_not_grow(trial: Trial) -> None:
    """Two blocks of different sizes, made and freed in a loop, take no more each time.

    Three pairs of sizes on either side of 64 KiB, a thousand rounds of each: at most 16 MiB more
    are mapped and in memory than after the first eight.
    """
    for first, second in ((85_196, 80_000), (70_000, 50_000), (40_000, 10_000)):
        plan = trial.plan(PLAIN, repeat=1000)
        blocks = [plan.malloc(first), plan.malloc(second)]
        for block in blocks:
            plan.free(block)
        for figure in ("rss", "mapped"):
            plan.trend(figure)
        outcome = trial.holds(plan)
        for figure in ("rss", "mapped"):
            seen = outcome.values(figure)
            more, what = seen[-1] - seen[SETTLED], f"more {figure} in a loop"
            at_most(trial, plan, more, 16 * MIB, what, growth=figure, since=SETTLED)


@rule(
    "HY-FRAG-05",
    level=SHOULD,
    source="whoever loads data, works on it, and loads more",
    needs={"free", "large"},
    bug="Hoard issue 1: a large block, many small ones, then no room for the large one again",
)
def test_large_then_small_then_large_again(trial: Trial) -> None:
    """A large block and many small ones in turn do not use up address space.

    64 MiB at once, freed, then 64 MiB of blocks of 20,000 bytes, freed, eight times: at most 256
    MiB more are mapped than after the first turn.
    """
    plan = trial.plan(PLAIN, repeat=8)
    plan.free(plan.malloc(64 * MIB))
    blocks = equal_blocks(plan, 20_000, 64 * MIB)
    for block in freed_in_order(blocks, "random", trial.random):
        plan.free(block)
    plan.trend("mapped")
    figures = trial.holds(plan, time_limit=20).values("mapped")
    more, what = max(figures) - figures[0], "more mapped after eight turns"
    at_most(trial, plan, more, 256 * MIB, what, growth="mapped", until="highest")


@rule(
    "HY-FRAG-06",
    level=SHOULD,
    source="whoever reads files of any size into memory",
    needs={"free", "large"},
    bug="jemalloc issue 496: churn of huge blocks leaked address space",
)
def test_churn_of_huge_blocks_keeps_address_space(trial: Trial) -> None:
    """Eight live blocks of 1 to 8 MiB, replaced four hundred times, do not use up address space.

    At most 1 GiB is mapped more than at the start, for 64 MiB at most live.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (64, MIB), "mapped")
    blocks = [plan.malloc(trial.random.randrange(MIB, 8 * MIB)) for _ in range(8)]
    for turn in range(400):
        plan.free(blocks[turn % 8])
        blocks[turn % 8] = plan.malloc(trial.random.randrange(MIB, 8 * MIB))
        if turn % 50 == 49:
            plan.measure("mapped")
    most = max(grown(trial.holds(plan, time_limit=20), "mapped"))
    trial.figure("mapped", round(most / MIB), unit="MiB")
    what = "mapped for 64 MiB live"
    at_most(trial, plan, most, 1024 * MIB, what, growth="mapped", until="highest")


@rule(
    "HY-FRAG-07",
    level=PROFILE,
    source="Robson (1971): no allocator that does not move blocks escapes",
    needs={"free"},
)
def test_memory_under_an_adversary(trial: Trial) -> None:
    """Memory over live bytes when each doubling of sizes meets what pins the one before.

    32 MiB are filled with blocks of 4 KiB; every second one is freed, and the freed bytes are
    asked for in blocks twice as large, which don't fit between. The same again with all that live,
    up to 256 KiB.
    """
    plan = trial.plan(PLAIN)
    size = 4 * KIB
    warm_up(plan, (size,))
    live = [(plan.malloc(size), size) for _ in range(32 * MIB // size)]
    while size < 256 * KIB:
        size *= 2
        freed = sum(each for _, each in live[::2])
        for block, _ in live[::2]:
            plan.free(block)
        live = live[1::2] + [(plan.malloc(size), size) for _ in range(freed // size)]
    plan.measure("rss")
    used = grown(trial.holds(plan, time_limit=20))[-1]
    trial.figure("memory", round(used / sum(each for _, each in live), 2), unit="x live")


@rule(
    "HY-FRAG-08",
    level=PROFILE,
    source="the utilisation score of malloc labs: peak live over peak memory",
    needs={"free"},
)
def test_utilisation_of_a_random_program(trial: Trial) -> None:
    """Live bytes over memory at the height of a random program, in per cent.

    Lives of all lengths, three in four blocks below 1 KiB, the largest 128 KiB, 40 MiB live at the
    height: 100 would be no overhead at all.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (64,))
    _random_program(plan, trial.random)
    plan.measure("live_bytes")
    plan.measure("rss")
    outcome = trial.holds(plan, time_limit=20)
    used, bytes_live = grown(outcome)[-1], outcome.values("live_bytes")[0]
    trial.figure("utilisation", round(100 * bytes_live / used, 1), unit="%", better="more")


@rule(
    "HY-FRAG-09",
    level=PROFILE,
    source="whoever has buffers of a page or of a power of two, and a header in each",
    needs={"free"},
)
def test_memory_of_powers_of_two(trial: Trial) -> None:
    """Memory over live bytes for 32 MiB of blocks a little larger than a power of two.

    1 KiB to 1 MiB and 24 bytes each: size classes of powers of two take twice as much.
    """
    plan = trial.plan(PLAIN)
    sizes = [(1 << bit) + 24 for bit in range(10, 21)]
    warm_up(plan, (64,))
    for size in sizes:
        for _ in range(3 * MIB // size):
            plan.malloc(size)
    plan.measure("live_bytes")
    plan.measure("rss")
    outcome = trial.holds(plan)
    ratio = grown(outcome)[-1] / outcome.values("live_bytes")[0]
    trial.figure("memory", round(ratio, 2), unit="x live")


@rule(
    "HY-FRAG-10",
    level=SHOULD,
    source="whoever keeps a few results of each piece of work",
    needs={"free"},
)
def test_survivors_do_not_strand_their_neighbours(trial: Trial) -> None:
    """What is freed around survivors is used by the next phase.

    Twenty phases of 8 MiB in blocks of 1,000 bytes; one block in 100 of each survives: at most 48
    MiB in memory in the end, where 160 were made and 1.6 live.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (1000,))
    for _ in range(20):
        free_between_survivors(plan, 1000, 8 * MIB, 100)
    plan.measure("rss")
    used = grown(trial.holds(plan, time_limit=20))[-1]
    trial.figure("memory", round(used / MIB, 1), unit="MiB")
    at_most(trial, plan, used, 48 * MIB, "for survivors of 1.6 MiB", growth="rss")


def _stays_level(trial: Trial, plan: Plan, bound: int, what: str) -> None:
    figures = trial.holds(plan, time_limit=20).values("rss")
    more = max(0, figures[-1] - figures[SETTLED])
    trial.figure("growth", round(more / KIB), unit="KiB")
    at_most(trial, plan, more, bound, what, growth="rss", since=SETTLED)


def _any_size(random: Random) -> int:
    return int(16 * 2 ** random.uniform(0, 14))


def _random_program(plan: Plan, random: Random) -> None:
    """Grow to 40 MiB live, with a free for every second block."""
    live = []
    held = 0
    while held < 40 * MIB:
        for _ in range(2):
            size = int(16 * 2 ** random.uniform(0, 6 if random.random() < 0.75 else 13))
            live.append((plan.malloc(size), size))
            held += size
        index = random.randrange(len(live))
        live[index], live[-1] = live[-1], live[index]
        block, size = live.pop()
        plan.free(block)
        held -= size
