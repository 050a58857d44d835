"""HY-RSS: what memory costs that nobody wrote, and what the system keeps books of."""

from heapyard.contract.footprint import PLAIN, SECONDS, at_most, grown, percent, warm_up
from heapyard.contract.grids import GIB, KIB, MIB
from heapyard.rules import PROFILE, SHOULD, Growth, Trial, rule
from heapyard.trial import Check, Plan

LITTLE = 256 * MIB
"""Resident memory at which a plan that should use none is stopped."""

MOST_MAPPINGS = 65_530
"""vm.max_map_count as Linux ships it (proc_sys_vm(5)): mappings that one process can have."""


@rule("HY-RSS-11", level=SHOULD, source="whoever starts many small processes", needs={"free"})
def test_first_block_costs_little(trial: Trial) -> None:
    """The process with its first block, freed again, has at most 16 MiB in memory.

    The program's own share of it, libraries relocated and a stack, is below 2 MiB. Address space
    that is reserved counts in the second figure only.
    """
    plan = trial.plan(PLAIN)
    plan.free(plan.malloc(64))
    plan.measure("rss")
    plan.measure("mapped")
    outcome = trial.holds(plan)
    used = outcome.values("rss")[0]
    trial.figure("startup", round(used / KIB), unit="KiB")
    trial.figure("startup_mapped", round(outcome.values("mapped")[0] / MIB), unit="MiB")
    what = "in memory after one malloc and free"
    at_most(trial, plan, used, 16 * MIB, what, growth="rss", since=None)


@rule(
    "HY-RSS-12",
    level=SHOULD,
    source="whoever has many blocks: proc_sys_vm(5), max_map_count, is 65,530",
    bug="glibc BZ 17924: at that limit, free of a mapped block failed inside",
)
def test_blocks_share_mappings(trial: Trial) -> None:
    """Twenty thousand blocks of 4 KiB take at most 5,000 more mappings.

    A process can have 65,530. One for each block would end there at 256 MiB. Every second block is
    freed, so that holes count too.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (4 * KIB,), "mappings")
    blocks = [plan.malloc(4 * KIB) for _ in range(20_000)]
    plan.measure("mappings")
    for block in blocks[::2]:
        plan.free(block)
    plan.measure("mappings")
    most = max(grown(trial.holds(plan), "mappings"))
    trial.figure("blocks_per_mapping", round(20_000 / max(1, most), 1), better="more")
    at_most(
        trial,
        plan,
        most,
        5000,
        "for 20,000 blocks",
        growth="mappings",
        until="highest",
        unit="mappings",
    )


@rule(
    "HY-RSS-13",
    level=PROFILE,
    source="whoever has many large blocks: proc_sys_vm(5), max_map_count",
)
def test_mappings_of_large_blocks(trial: Trial) -> None:
    """How many mappings a thousand blocks of 256 KiB take, and with every second one freed."""
    plan = trial.plan(PLAIN)
    warm_up(plan, (256 * KIB,), "mappings")
    blocks = [plan.malloc(256 * KIB) for _ in range(1000)]
    plan.measure("mappings")
    for block in blocks[::2]:
        plan.free(block)
    plan.measure("mappings")
    full, holed = grown(trial.holds(plan), "mappings")
    trial.figure("mappings_of_1000", max(full, holed))


@rule(
    "HY-RSS-14",
    level=SHOULD,
    source="whoever callocs a large sparse table; fresh pages of mmap(2) are zero",
    needs={"calloc", "large", "release"},
)
def test_calloc_of_fresh_memory_touches_none(trial: Trial) -> None:
    """calloc of 2 GiB, never written, takes at most 64 MiB of memory.

    Fresh mappings are zero already. Fails where calloc clears by hand whatever it gives: it is
    stopped at 256 MiB. mimalloc 2.0.9 and gperftools 2.10 do.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (64,))
    plan.calloc(2, GIB + MIB, may_fail=True)
    plan.measure("rss")
    _costs_at_most(trial, plan, 64 * MIB, "for a calloc that nobody wrote to")


@rule("HY-RSS-15", level=SHOULD, source="whoever reserves more than there is", needs={"large"})
def test_malloc_of_gigabytes_costs_nothing_until_written(trial: Trial) -> None:
    """malloc of 8 GiB, never written, takes at most 96 MiB of memory.

    A bit for each 16 bytes, written, is 64 MiB and fits in; so does what heapyard's debug hooks
    fill of a large block, 64 MiB however large it is. Two bits for each 16 bytes do not:
    region:fast writes those, and fails.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (64,))
    plan.malloc(8 * GIB, may_fail=True)
    plan.measure("live_bytes")
    plan.measure("rss")
    _costs_at_most(trial, plan, 96 * MIB, "for 8 GiB that nobody wrote to")


@rule(
    "HY-RSS-16",
    level=SHOULD,
    source="whoever bounds address space (RLIMIT_AS, ulimit -v)",
    needs={"large", "release"},
)
def test_address_space_of_a_huge_block_is_used_again(trial: Trial) -> None:
    """Huge blocks that come and go do not use up address space.

    Twelve times 4 GiB, freed before the next: at most 20 GiB more are mapped. Nothing is written.
    """
    plan = trial.plan(PLAIN, repeat=12)
    plan.trend("mapped")
    plan.free(plan.malloc(4 * GIB, may_fail=True))
    plan.trend("mapped")
    most = max(grown(trial.holds(plan), "mapped"))
    trial.figure("mapped", round(most / GIB, 1), unit="GiB")
    what = "mapped for blocks of 4 GiB"
    at_most(trial, plan, most, 20 * GIB, what, growth="mapped", until="highest", unit="GiB")


@rule(
    "HY-RSS-17",
    level=SHOULD,
    source="whoever shrinks a buffer to save memory",
    needs={"realloc", "large", "release"},
    bug="glibc BZ 30579: realloc to a small size kept the whole chunk",
)
def test_shrinking_a_large_block_gives_memory_back(trial: Trial) -> None:
    """A block of 64 MiB that shrinks to 1 MiB gives the rest back to the system.

    Twice, within two seconds in which the program goes on: at most 10 of the 128 MiB stay. Fails
    gperftools 2.10, as HY-RSS-01 does.
    """
    plan = trial.plan(Check.NULL | Check.CONTENT)
    warm_up(plan, (64, MIB))
    blocks = [plan.malloc(64 * MIB) for _ in range(2)]
    for block in blocks:
        plan.realloc(block, MIB)
    plan.stir(4 * MIB, 1000 * SECONDS)
    (kept,) = grown(trial.holds(plan))
    trial.figure("kept_of_shrunk", percent(kept, 128 * MIB), unit="%")
    at_most(trial, plan, kept, 10 * MIB, "left of 128 MiB shrunk to 2", growth="rss")


@rule(
    "HY-RSS-18", level=PROFILE, source="whoever shrinks many buffers", needs={"realloc", "release"}
)
def test_what_many_shrunk_blocks_keep(trial: Trial) -> None:
    """How much of 64 MiB stays when 64 blocks of 1 MiB shrink to 16 KiB, in per cent.

    What they still have is 1.6 per cent.
    """
    plan = trial.plan(PLAIN)
    warm_up(plan, (64, MIB))
    for block in [plan.malloc(MIB) for _ in range(64)]:
        plan.realloc(block, 16 * KIB)
    plan.stir(2 * MIB, 300)
    (kept,) = grown(trial.holds(plan))
    trial.figure("kept_of_many_shrunk", percent(kept, 64 * MIB), unit="%")


def _costs_at_most(trial: Trial, plan: Plan, bound: int, what: str) -> None:
    """Run a plan whose one large request may be refused; stop it where it uses memory."""
    outcome = trial.run(plan, memory_limit=LITTLE)
    if outcome.status == "runaway":
        shown = Growth(figure="rss", most=bound)
        expected = f"at most {bound // MIB} MiB {what}"
        trial.fail(expected, "stopped at 256 MiB", plan=plan, growth=shown)
    used = max(grown(trial.holds(plan) if not outcome.held else outcome))
    trial.figure("cost", round(used / KIB), unit="KiB")
    at_most(trial, plan, used, bound, what, growth="rss")
