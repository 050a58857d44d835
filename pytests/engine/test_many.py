"""One op for many calls: each is made, and judged, as if it stood alone."""

from __future__ import annotations

from pytests.engine.driver import ENOMEM, FAILS, measure, op, run


def test_each_block_is_a_call_of_its_own() -> None:
    plan = [op("malloc_many", 2, 100, arg=50), measure("live_bytes"), op("check", 51)]
    assert run(plan).figures("live_bytes") == [5000]


def test_every_other_block_is_freed() -> None:
    plan = [
        op("malloc_many", 0, 100, arg=50),
        op("free_many", 1, 2, arg=25),
        measure("live_bytes"),
        *(op("malloc", slot, 10) for slot in range(1, 50, 2)),
    ]
    assert run(plan).figures("live_bytes") == [2500]


def test_blocks_that_overlap_are_told_by_their_slot() -> None:
    done = run([op("malloc_many", 3, 32, arg=4)], script="0 64 80")
    assert done.found == ("overlap", "malloc_many")
    assert done.result["slot"] == 5


def test_a_block_that_changed_is_told_when_it_is_freed() -> None:
    plan = [op("malloc_many", 0, 32, arg=3), op("trim"), op("free_many", 0, 1, arg=3)]
    done = run(plan, script="0 64 128 =0~5")
    assert done.found == ("content", "free_many")


def test_what_is_expected_is_expected_of_each() -> None:
    plan = [op("malloc_many", 0, 32, arg=3, expect=FAILS | ENOMEM)]
    assert run(plan, script="12 12 12").found[0] in ("refuse", "errno")


def test_a_live_slot_is_refused() -> None:
    cause, reason = run([op("malloc", 2, 10), op("malloc_many", 0, 10, arg=3)]).refused
    assert cause == "plan"
    assert "slot 2 still holds a block" in reason


def test_no_blocks_are_no_calls() -> None:
    assert run([op("malloc_many", 0, 10, arg=0), op("malloc", 0, 10)], slots=1).status == "held"
