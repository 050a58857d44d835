"""A plan that is given: which of its calls reach the allocator, and what is read of it."""

import pytest

from heapyard.trial import Plan
from pytests.bench.driver import bench
from pytests.engine.driver import op, pack

MIB = 1 << 20


def all_kinds() -> Plan:
    """One call of each kind, and blocks that stay."""
    plan = Plan("kinds")
    first = plan.malloc(24)
    second = plan.calloc(3, 100)
    third = plan.aligned_alloc(64, 640)
    plan.realloc(first, 5000)
    plan.realloc(None, 70)
    plan.free(second)
    plan.free(third)
    return plan


@pytest.mark.parametrize("sized", [(), ("--sized",)], ids=["free", "sized"])
def test_each_call_reaches_the_target_and_what_stays_is_freed(sized: tuple[str, ...]) -> None:
    run = bench("--pairs", "1", *sized, plan=all_kinds())
    assert (run.callocs, run.aligned, run.reallocs) == (1, 1, 2)
    assert run.mallocs == run.frees == 5
    assert (run.live, run.wrong_block, run.wrong_size) == (0, 0, 0)


def test_what_a_target_lacks_is_done_with_what_it_has() -> None:
    run = bench("--pairs", "1", plan=all_kinds(), target="witness_bare")
    assert (run.callocs, run.aligned, run.reallocs) == (0, 0, 0)
    assert (run.mallocs, run.live, run.wrong_block, run.wrong_size) == (5, 0, 0, 0)
    assert run.largest == 5000


def test_an_alignment_that_the_target_lacks_is_asked_for_as_room() -> None:
    plan = Plan("aligned")
    plan.aligned_alloc(64, 640)
    assert bench("--pairs", "1", plan=plan, target="witness_bare").largest == 704


def test_the_blocks_that_stay_are_freed_outside_the_clock() -> None:
    assert bench("--pairs", "1", plan=all_kinds()).answer["operations"] == 7


def test_calls_that_must_fail_are_left_out() -> None:
    plan = Plan("failing")
    plan.malloc((1 << 63) + 1, fails=True)
    plan.free(plan.malloc(16))
    assert bench("--pairs", "1", plan=plan).mallocs == 1


def test_a_resize_to_nothing_is_a_free() -> None:
    plan = Plan("nothing")
    plan.realloc(plan.malloc(16), 0)
    run = bench("--pairs", "1", plan=plan)
    assert (run.reallocs, run.frees) == (0, 1)


def test_a_short_plan_is_repeated() -> None:
    run = bench("--pairs", "1000", plan=all_kinds())
    assert run.answer["operations"] // 7 == run.callocs == 286
    assert run.live == 0


def test_free_all_frees_what_is_live() -> None:
    plan = Plan("all")
    blocks = [plan.malloc(16) for _ in range(3)]
    plan.free(blocks[1])
    plan.free_all()
    plan.malloc(8)
    run = bench("--pairs", "1", plan=plan)
    assert (run.frees, run.wrong_block) == (4, 0)


def test_the_most_that_is_live_counts_resizes() -> None:
    assert bench("--pairs", "1", plan=all_kinds()).answer["live_peak"] == 5000 + 300 + 640 + 70


@pytest.mark.rss
@pytest.mark.usefixtures("unobtrusive_sanitizer")
def test_every_page_of_a_block_is_in_memory_at_the_peak() -> None:
    plan = Plan("large")
    plan.free(plan.malloc(64 * MIB))
    answer = bench("--pairs", "1", plan=plan).answer
    assert 64 * MIB <= answer["peak"] < 66 * MIB
    assert answer["final"] < 2 * MIB


@pytest.mark.rss
def test_every_page_of_a_grown_block_is_in_memory_at_the_peak() -> None:
    plan = Plan("grown")
    block = plan.malloc(32 * MIB)
    plan.realloc(block, 64 * MIB)
    assert bench("--pairs", "1", plan=plan).answer["peak"] >= 64 * MIB


@pytest.mark.rss
def test_a_peak_in_the_middle_of_a_plan_is_seen() -> None:
    plan = Plan("hill")
    blocks = [plan.malloc(MIB) for _ in range(64)]
    for block in blocks:
        plan.free(block)
    plan.free(plan.malloc(16))
    assert bench("--pairs", "1", plan=plan).answer["peak"] > 62 * MIB


@pytest.mark.rss
def test_what_is_not_freed_is_left() -> None:
    plan = Plan("kept")
    plan.free(plan.malloc(64 * MIB))
    assert bench("--pairs", "1", plan=plan, mode="leak").answer["final"] >= 64 * MIB


@pytest.mark.rss
def test_generated_blocks_are_written_at_their_start_only() -> None:
    sizes = ("--low", str(MIB), "--high", str(MIB))
    answer = bench("--bench", "lifo", "--live", "64", "--pairs", "1", *sizes).answer
    assert answer["live_peak"] == 64 * MIB
    assert answer["peak"] < 4 * MIB


def test_a_null_ends_the_run_with_its_reason() -> None:
    answer = bench("--bench", "lifo", "--live", "2000", mode="null").answer
    assert (answer["status"], answer["cause"]) == ("refused", "memory")
    assert answer["reason"] == "malloc returned NULL"


def test_a_target_that_frees_in_bulk_only_is_refused() -> None:
    answer = bench("--bench", "lifo", target="witness_bulk").answer
    assert (answer["cause"], answer["reason"]) == ("symbol", "witness has no free")


def test_a_slot_used_twice_is_refused() -> None:
    answer = bench(plan=pack([op("malloc", 0, 16), op("malloc", 0, 16)])).answer
    assert answer["reason"] == "bad plan: op 1: slot 0 is live"


def test_a_block_of_4_gib_is_refused() -> None:
    answer = bench(plan=pack([op("malloc", 0, 1 << 32)])).answer
    assert "asks for 4294967296 bytes: a benchmark replays sizes below 4 GiB" in answer["reason"]


def test_what_is_no_plan_is_refused() -> None:
    assert "does not start with HYPLAN1" in bench(plan=b"x" * 100).answer["reason"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--live", "0"), "0 live blocks: must be 1 to 16777216"),
        (("--low", "7"), "sizes 7-512: must lie in 8 to 1073741824"),
        (("--low", "64", "--high", "63"), "sizes 64-63"),
    ],
)
def test_numbers_out_of_bounds_are_refused(options: tuple[str, ...], reason: str) -> None:
    assert reason in bench("--bench", "pairs", *options).answer["reason"]
