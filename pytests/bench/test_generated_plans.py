"""What the generated plans ask of an allocator, as the witness saw it."""

import pytest

from pytests.bench.driver import RUNNER_PLANS, generated


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_each_plan_frees_what_it_allocates_once(name: str) -> None:
    run = generated(name)
    assert (run.live, run.wrong_block) == (0, 0)
    assert run.frees == run.mallocs >= 100


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_a_sized_free_is_told_the_size_that_was_asked_for(name: str) -> None:
    run = generated(name, "--sized")
    assert run.answer["sized"] is True
    assert (run.wrong_size, run.sized) == (0, run.mallocs)


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_without_sized_no_free_is_told_a_size(name: str) -> None:
    run = generated(name)
    assert run.answer["sized"] is False
    assert run.sized == 0


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_each_block_is_written(name: str) -> None:
    assert generated(name).unwritten == 0


@pytest.mark.parametrize("name", [name for name in RUNNER_PLANS if name != "pairs"])
def test_as_many_blocks_are_live_as_asked_for(name: str) -> None:
    assert generated(name, live=137).most_live == 137


def test_pairs_have_one_live_block_at_a_time() -> None:
    assert generated("pairs").most_live == 1


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_sizes_reach_both_ends_of_the_range_and_not_beyond(name: str) -> None:
    run = generated(name, "--low", "24", "--high", "31", live=1000)
    assert (run.smallest, run.largest) == (24, 31)


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_the_same_seed_makes_the_same_calls(name: str) -> None:
    runs = [generated(name, "--seed", seed).sequence for seed in ("1", "1", "2")]
    assert runs[0] == runs[1] != runs[2]


def test_lifo_frees_the_last_block_first() -> None:
    run = generated("lifo")
    assert (run.ascending, run.descending) == (1, 99)


def test_fifo_frees_the_first_block_first() -> None:
    run = generated("fifo")
    assert (run.ascending, run.descending) == (100, 0)


def test_random_free_frees_in_no_order() -> None:
    run = generated("random_free")
    assert 20 < run.ascending < 80


def test_churn_times_the_swaps_alone() -> None:
    run = generated("churn")
    outside = 100 + 100  # filling, and swaps before the clock runs
    assert run.answer["operations"] == 2 * (run.mallocs - outside)


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_a_plan_is_gone_through_until_so_many_pairs_were_timed(name: str) -> None:
    once = generated(name).answer["operations"] // 2
    run = generated(name, "--pairs", str(2 * once + 1))
    assert run.answer["operations"] // 2 == 3 * once


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_what_warms_up_is_not_counted(name: str) -> None:
    cold, warm = (generated(name, "--warm-up", count) for count in ("0", "1"))
    assert warm.mallocs == 2 * cold.mallocs
    assert warm.answer["operations"] == cold.answer["operations"]


def test_the_most_that_is_live_is_the_sum_of_the_sizes() -> None:
    assert generated("lifo", "--low", "64", "--high", "64").answer["live_peak"] == 6400


@pytest.mark.parametrize("name", RUNNER_PLANS)
def test_a_target_with_free_sized_alone_is_told_sizes(name: str) -> None:
    run = generated(name, target="witness_bare")
    assert run.answer["sized"] is True
    assert (run.wrong_size, run.live) == (0, 0)
