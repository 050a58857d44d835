"""Threads of a plan: who makes which call, what is found, and what is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from heapyard.trial import Plan, resolve_target, run_plan
from pytests.engine.driver import ERRNO_KEPT, Op, Run, library, op, run


def threaded(ops: list[Op], mode: str = "trace", repeat: int = 1) -> Run:
    return run(ops, target="threaded", mode=mode, repeat=repeat)


def trace(ops: list[Op], repeat: int = 1) -> str:
    """Which thread called malloc and free, in order."""
    done = threaded(ops, repeat=repeat)
    assert done.status == "held", done
    return done.errors.strip()


def on(thread: int, *ops: Op, expect: int = 0) -> list[Op]:
    return [op("on_thread", size=thread, expect=expect), *ops]


def parallel(times: int, *ops: Op) -> list[Op]:
    return [op("parallel", size=times), *ops, op("end_section")]


def test_calls_are_made_by_the_thread_that_the_plan_names() -> None:
    plan = [op("malloc", 0, 8), *on(1, op("malloc", 1, 8), op("free", 0)), *on(0, op("free", 1))]
    assert trace(plan) == "m0 m1 f1 f0"


def test_what_is_live_at_the_end_is_freed_by_main() -> None:
    assert trace([op("malloc", 0, 8), *on(1, op("malloc", 1, 8))]) == "m0 m1 f0 f0"


def test_a_thread_that_was_joined_starts_anew() -> None:
    first = on(1, op("malloc", 0, 8), op("free", 0))
    plan = [*first, op("join", size=1), op("free"), *first]
    assert trace(plan) == "m0 f0 f1 m2 f2"


def test_each_round_starts_on_main_with_new_threads() -> None:
    plan = [op("free"), *on(1, op("free"))]
    assert trace(plan, repeat=3) == "f0 f1 f0 f2 f0 f3"


def test_each_thread_of_a_section_makes_its_own_calls_so_many_times() -> None:
    parts = [*on(0, op("free")), *on(1, op("malloc", 0, 8), op("free", 0)), *on(0, op("free"))]
    plan = [op("free"), *on(1, op("free")), *on(0), *parallel(50, *parts), op("malloc", 1, 8)]
    counts = Counter(trace(plan).split())
    assert counts == {"f0": 102, "f1": 51, "m1": 50, "m0": 1}


def test_the_current_thread_after_a_section_is_that_before_it() -> None:
    plan = [op("free"), *on(1, op("free"), *parallel(1, *on(2, op("free"))), op("free"))]
    assert trace(plan) == "f0 f1 f2 f1 f0".removesuffix(" f0")


def test_overlap_of_two_threads_is_found_in_a_section() -> None:
    plan = [op("malloc", 0, 64), *parallel(100, *on(1, op("malloc", 1, 8), op("free", 1)))]
    done = threaded(plan, "twice")
    assert done.found == ("overlap", "malloc")
    assert done.result["op"] == 3
    assert done.result["slot"] == 1


def test_overlap_is_found_when_threads_take_turns() -> None:
    done = threaded([op("malloc", 0, 64), *on(1, op("malloc", 1, 8))], "twice")
    assert (done.found, done.result["op"]) == (("overlap", "malloc"), 2)


def test_a_thread_that_never_returns_is_a_hang_at_its_call() -> None:
    plan = Plan("deadlock")
    plan.malloc(10)
    with plan.parallel(10):
        plan.on_thread(0)
        plan.free(plan.malloc(10))
        plan.on_thread(1)
        plan.malloc(99)
    target = resolve_target(str(library("threaded")), environment={"HEAPYARD_MODE": "hang"})
    outcome = run_plan(target, plan, time_limit=1.0)
    assert (outcome.status, outcome.operation) == ("hang", "malloc(99) -> slot 2")


def test_errno_of_a_thread_must_not_change_while_others_call() -> None:
    ops = [op("free"), *on(1, op("malloc", 0, 8))]
    back = on(0, expect=ERRNO_KEPT)
    assert threaded([*ops, *back], "trace").status == "held"
    assert threaded([*ops, *back], "errno").found == ("errno", "on_thread")
    assert threaded([*ops, *on(0)], "errno").status == "held"


@pytest.mark.parametrize(("size", "is_enough"), [(0, True), (160 << 10, True), (64 << 10, False)])
def test_a_thread_has_the_stack_that_the_plan_gives_it(size: int, is_enough: bool) -> None:
    """Too small a one ends the process: by a signal, or by a sanitizer's report."""
    plan = Plan("deep")
    plan.stack(size)
    plan.on_thread(1)
    plan.malloc(10)
    target = resolve_target(str(library("threaded")), environment={"HEAPYARD_MODE": "deep"})
    assert run_plan(target, plan).status in (("held",) if is_enough else ("crash", "exit"))


def test_a_thread_that_is_there_keeps_its_stack() -> None:
    plan = [*on(1, op("malloc", 0, 8)), op("stack", size=16 << 10), *on(1, op("malloc", 1, 8))]
    assert threaded(plan, "deep").status == "held"
    assert threaded([op("stack", size=64 << 10), op("malloc", 0, 8)], "deep").status == "held"


def destructor(turn: int, *ops: Op) -> list[Op]:
    return [op("in_destructor", size=turn), *ops, op("end_section")]


def test_destructors_run_at_the_end_of_their_thread_by_round() -> None:
    plan = [
        *on(1, op("malloc", 0, 8), op("malloc", 1, 8)),
        *destructor(3, op("free", 0)),
        *destructor(1, op("malloc", 2, 8)),
        *destructor(0, op("free", 1), op("free", 2)),
        *on(0, op("free")),
        op("join", size=1),
        op("free"),
    ]
    assert trace(plan) == "m0 m0 f1 f0 f0 m0 f0 f1 f1"


def test_a_violation_in_a_destructor_is_the_plans() -> None:
    plan = [
        op("malloc", 0, 64),
        *on(1, *destructor(2, op("malloc", 1, 8))),
        op("join", size=1),
    ]
    assert threaded(plan, "twice").found == ("overlap", "malloc")


def test_a_realloc_that_fails_keeps_its_addresses() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 128, expect=2), op("malloc", 1, 8)]
    assert run(plan, script="0 null 32").found == ("overlap", "malloc")


def test_lines_that_two_threads_share_are_counted_once() -> None:
    plan = [op("malloc", 0, 8), *on(1, op("malloc", 1, 8)), *on(2, op("malloc", 2, 8))]
    plan += on(1, op("malloc", 3, 200), op("measure", size=5))
    assert run(plan, target="threaded").figures("shared_lines") == [1]


def test_blocks_of_one_thread_share_no_line() -> None:
    plan = [*on(1, op("malloc", 0, 16), op("malloc", 1, 16)), op("measure", size=5)]
    assert run(plan, target="threaded").figures("shared_lines") == [0]


REFUSED = {
    "stray end": [op("end_section")],
    "no end": [op("parallel", size=1)],
    "nested": parallel(1, *parallel(1)),
    "no times": parallel(0),
    "nobody's call": parallel(1, op("malloc", 0, 8)),
    "join in a section": parallel(1, op("join", size=1)),
    "measure in a section": parallel(1, *on(1, op("measure", size=0))),
    "main can't be joined": [op("join", size=0)],
    "no such thread": on(256),
    "destructor of main": destructor(1),
    "no such round": on(1, *destructor(5)),
    "fork in a destructor": on(1, *destructor(1, op("fork"), op("end_section"))),
    "thread in a child": [op("fork"), *on(1), op("end_section")],
    "one slot, two threads": parallel(1, *on(1, op("malloc", 0, 8)), *on(2, op("free", 0))),
    "handler": [op("signals", size=100, arg=2)],
    "interval": [op("signals", size=1_000_001, arg=0)],
    "early": [op("early", 0, 4)],
    "stack": [op("stack", size=(16 << 10) - 1)],
    "large stack": [op("stack", size=(1 << 30) + 1)],
    "stack in a section": parallel(1, *on(1, op("stack", size=0))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plan_that_makes_no_sense_is_refused(name: str) -> None:
    cause, reason = run(REFUSED[name], target="threaded").refused
    assert cause == "plan"
    assert reason.startswith("bad plan: ")


def test_a_slot_may_change_its_thread_between_sections() -> None:
    plan = [*parallel(1, *on(1, op("malloc", 0, 8))), *parallel(1, *on(2, op("free", 0)))]
    assert run(plan, target="threaded").status == "held"


def test_a_slot_that_a_section_leaves_filled_is_refused_the_second_time() -> None:
    cause, reason = run(parallel(2, *on(1, op("malloc", 0, 8))), target="threaded").refused
    assert (cause, "slot 0 still holds a block" in reason) == ("plan", True)
