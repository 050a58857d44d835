"""Rounds, bulk frees, figures, and what the engine itself may use."""

from __future__ import annotations

import pytest

from pytests.engine.driver import ENOMEM, FAILS, KIB, MIB, checks, needs_the_libc, op, run

RSS, LIVE, USABLE, EXTENT, MAPPED = range(5)


def test_ops_are_counted_over_all_rounds() -> None:
    plan = [op("malloc", 0, 32), op("malloc", 1, 64), op("free", 0)]
    result = run(plan, repeat=1000).result
    assert (result["operations"], result["round"], result["op"]) == (3000, 999, 3)
    assert result["name"] == "end"


def test_a_violation_names_its_round() -> None:
    script = "0 =0 - 0 =0 - 0 =0~7"
    done = run([op("malloc", 0, 32), op("trim")], repeat=5, script=script)
    assert done.found == ("content", "end")
    assert (done.result["round"], done.result["op"], done.result["operations"]) == (2, 2, 6)


def test_blocks_live_at_the_end_of_a_round_are_freed() -> None:
    plan = [op("malloc", 0, 32), op("malloc", 1, 32)]
    assert run(plan, repeat=2, script="0 32 - - 0 32 - -").status == "held"


def test_a_bulk_target_gets_a_fresh_instance_each_round() -> None:
    plan = [op("malloc", 0, 32), op("malloc", 1, 32), op("free_all"), op("malloc", 0, 32)]
    assert run(plan, target="scripted_bulk", repeat=2, script="0 32 0 0 32 0").status == "held"


def test_a_bulk_target_is_verified_before_all_is_freed() -> None:
    plan = [op("malloc", 0, 32), op("trim"), op("free_all")]
    assert run(plan, target="scripted_bulk", script="0 =0~3").found == ("content", "free_all")
    done = run(plan[:2], target="scripted_bulk", script="0 =0~3")
    assert done.found == ("content", "end")


def test_a_function_that_is_missing_is_named() -> None:
    plan = [op("malloc", 0, 32), op("free", 0)]
    cause, reason = run(plan, target="scripted_bulk").refused
    assert (cause, reason) == ("symbol", "the plan needs free, which the target does not have")


def test_measuring_usable_bytes_needs_usable_size() -> None:
    cause, reason = run([op("measure", size=USABLE)], target="plain").refused
    assert cause == "symbol"
    assert "usable_size" in reason


def test_figures_of_live_blocks() -> None:
    plan = [
        op("malloc", 0, 100),
        op("malloc", 1, 50),
        *(op("measure", size=kind) for kind in (LIVE, USABLE, EXTENT)),
        op("free", 0),
        op("measure", size=LIVE),
    ]
    done = run(plan, script="0 1024 =112 =64")
    assert done.figures("live_bytes") == [150, 50]
    assert done.figures("usable_bytes") == [176]
    assert done.figures("extent") == [1074]
    assert {each["unit"] for each in done.result["figures"]} == {"bytes"}


def test_extent_of_nothing_is_0() -> None:
    assert run([op("measure", size=EXTENT)]).figures("extent") == [0]


@pytest.mark.rss
@needs_the_libc
def test_rss_grows_by_what_the_plan_writes() -> None:
    plan = [op("measure", size=RSS), op("malloc", 0, MIB), op("measure", size=RSS)]
    blocks = [op("malloc", i, MIB) for i in range(1, 64)]
    done = run([*plan, *blocks, op("measure", size=RSS)], target="libc")
    before, _, after = done.figures("rss")
    assert 64 * MIB <= after - before <= 66 * MIB


@pytest.mark.rss
@needs_the_libc
def test_rss_does_not_count_the_engine() -> None:
    """Bits, slots and ops of 100,000 blocks: 20 MiB or more would show."""
    measure = op("measure", size=RSS)
    plan = [measure, *(op("malloc", i, 0) for i in range(100_000)), measure]
    done = run(plan, target="libc")
    before, after = done.figures("rss")
    assert after - before < 100_000 * 32 + MIB


@needs_the_libc
def test_mapped_counts_what_the_target_maps() -> None:
    plan = [op("measure", size=MAPPED), op("malloc", 0, 64 * MIB), op("measure", size=MAPPED)]
    before, after = run(plan, target="libc").figures("mapped")
    assert 64 * MIB <= after - before <= 65 * MIB
    assert before < 64 * MIB


def test_a_trend_is_noted_in_rounds_that_are_powers_of_two_and_in_the_last() -> None:
    result = run([op("trend", size=LIVE)], repeat=1000).result
    rounds = [each["round"] + 1 for each in result["figures"]]
    assert rounds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000]


def test_a_trend_of_one_round_has_one_figure() -> None:
    assert run([op("trend", size=LIVE)]).figures("live_bytes") == [0]


def test_more_figures_than_are_kept_are_counted() -> None:
    result = run([op("measure", size=LIVE)], repeat=2000).result
    assert len(result["figures"]) == 1024
    assert result["figures_dropped"] == 2000 - 1024


@pytest.mark.rss
@needs_the_libc
def test_the_engine_does_not_grow_with_rounds() -> None:
    plan = [
        *(op("malloc", i, 40 * KIB) for i in range(10)),
        op("malloc", 10, 2 * MIB),
        op("realloc", 10, 3 * MIB),
        op("measure", size=MAPPED),
        op("measure", size=RSS),
    ]
    done = run(plan, target="libc", repeat=300)
    for name in ("rss", "mapped"):
        figures = done.figures(name)
        assert max(figures[10:]) - min(figures[10:]) <= MIB


@needs_the_libc
def test_the_address_space_limit_meets_the_target() -> None:
    plan = [
        op("malloc", 0, 200 * MIB, expect=FAILS | ENOMEM),
        op("malloc", 0, 20 * MIB),
        op("check", 0),
    ]
    done = run(plan, target="libc", arguments=["--address-space", str(100 * MIB)])
    assert done.status == "held"
    assert run(plan, target="libc").found == ("refuse", "malloc")


def test_many_live_blocks_of_every_small_size_hold_on_libc() -> None:
    plan = [op("malloc", i, i % 700) for i in range(20_000)]
    plan += [op("free", i) for i in range(0, 20_000, 2)]
    plan += [op("calloc", i, 1, arg=i % 900) for i in range(0, 20_000, 2)]
    plan += [op("realloc", i, i % 1100) for i in range(0, 20_000, 3) if i % 1100]
    assert run([*plan, op("check_all")], target="libc", checks=(1 << 12) - 1).status == "held"


def test_with_no_check_on_nothing_is_reported() -> None:
    plan = [op("malloc", 0, 32), op("malloc", 1, 32), op("realloc", 0, 64), op("free", 1)]
    assert run(plan, script="8 8 -!5 -~3", checks=checks()).status == "held"
