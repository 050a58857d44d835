"""Children, signals, and what comes before and after main."""

from __future__ import annotations

import pytest

from heapyard.trial import Plan, resolve_target, run_plan
from pytests.engine.driver import Op, Run, measure, needs_the_libc, op, run


def threaded(ops: list[Op], mode: str = "trace") -> Run:
    return run(ops, target="threaded", mode=mode)


def child(*ops: Op) -> list[Op]:
    return [op("fork"), *ops, op("end_section")]


def at_exit(*ops: Op) -> list[Op]:
    return [op("at_exit"), *ops, op("end_section")]


def test_a_child_makes_its_calls_on_a_copy_of_the_model() -> None:
    inside = child(op("free", 0), op("malloc", 0, 8), op("malloc", 1, 8))
    done = threaded([op("malloc", 0, 8), *inside, op("free", 0), op("malloc", 1, 8)])
    assert done.status == "held"
    assert done.errors.split() == ["m0", "f0c", "m0c", "m0c", "f0", "m0", "f0"]


def test_a_violation_in_a_child_is_the_plans() -> None:
    done = run([op("malloc", 0, 64), *child(op("malloc", 1, 8))], script="0 0")
    assert done.found == ("overlap", "malloc")
    assert (done.result["op"], done.result["slot"]) == (2, 1)


def test_a_child_that_crashes_takes_the_run_along() -> None:
    done = threaded([op("malloc", 0, 64), *child(op("free", 0), op("malloc", 1, 8))], "crash")
    assert (done.exit_code, done.state[0]) == (-11, 3)


def test_a_child_that_exits_takes_the_run_along() -> None:
    done = threaded(child(op("malloc", 1, 8)), "exit")
    assert (done.exit_code, done.output) == (3, "")


def test_a_thread_forks_while_others_call() -> None:
    churn = [op("on_thread", size=1), op("malloc", 1, 8), op("free", 1)]
    forks = [op("on_thread", size=2), *child(op("free", 0), op("malloc", 0, 8))]
    section = [op("parallel", size=20), *churn, *forks, op("end_section")]
    done = threaded([op("malloc", 0, 8), *section])
    calls = done.errors.split()
    assert done.status == "held"
    assert sum(call.startswith("f") and call.endswith("c") for call in calls) == 20
    assert sum(call.startswith("m") and not call.endswith("c") for call in calls) == 21


def test_handlers_of_fork_call_the_target_on_both_sides() -> None:
    done = threaded([op("atfork"), op("malloc", 0, 8), *child(op("free", 0)), op("free", 0)])
    parents, childs = ["m0", "m0", "f0", "m0", "f0", "f0"], ["m0c", "f0c", "f0c"]
    assert sorted(done.errors.split()) == sorted([*parents, *childs])


def test_calls_at_exit_are_made_after_all_others_last_registered_first() -> None:
    plan = [
        op("malloc", 0, 8),
        *at_exit(op("free", 0), op("malloc", 1, 8)),
        *at_exit(op("malloc", 2, 8)),
        op("free"),
    ]
    done = threaded(plan)
    assert done.status == "held"
    assert done.errors.split() == ["m0", "f0", "m0", "f0", "m0", "f0", "f0"]


def test_a_violation_at_exit_is_the_plans() -> None:
    done = run([op("malloc", 0, 64), *at_exit(op("malloc", 1, 8))], script="0 0")
    assert done.found == ("overlap", "malloc")


def test_contents_are_verified_up_to_the_last_handler() -> None:
    done = run([op("malloc", 0, 64), *at_exit(op("trim"))], script="0 =0~3")
    assert done.found == ("content", "end")


def test_a_plan_with_at_exit_runs_once() -> None:
    cause, _ = run(at_exit(), repeat=2).refused
    assert cause == "plan"


@pytest.mark.parametrize("thread", [0, 1])
def test_signals_reach_the_thread_inside_of_its_call(thread: int) -> None:
    turn = [op("on_thread", size=thread), op("signals", size=200, arg=0), op("malloc", 0, 8)]
    done = threaded(turn, "sleep")
    assert (done.status, done.errors) == ("held", "i")


def test_signals_end_where_the_plan_says_so() -> None:
    off = [op("signals", size=200, arg=0), op("signals", size=0, arg=0)]
    done = threaded([*off, op("malloc", 0, 8)], "sleep")
    assert (done.status, done.errors) == ("held", "")


def test_a_handler_may_fork() -> None:
    plan = [op("signals", size=200, arg=1), op("malloc", 0, 8), op("signals", size=0, arg=0)]
    done = threaded(plan, "sleep")
    assert (done.status, done.errors) == ("held", "i")


@needs_the_libc
def test_blocks_from_before_main_are_taken_over_with_their_contents() -> None:
    plan = Plan("early")
    for number in range(4):
        plan.realloc(plan.early(number), 2000)
    assert run_plan(resolve_target("libc"), plan).held


@needs_the_libc
def test_a_block_from_before_main_is_taken_once() -> None:
    plan = Plan("early")
    plan.early(1)
    plan.early(1)
    outcome = run_plan(resolve_target("libc"), plan)
    assert (outcome.status, outcome.kind) == ("refused", "symbol")


def test_a_target_that_does_not_replace_malloc_has_no_early_blocks() -> None:
    plan = Plan("early")
    plan.early(0)
    outcome = run_plan(resolve_target("heap"), plan)
    assert (outcome.status, outcome.kind) == ("refused", "symbol")


def test_open_files_are_counted_and_there_are_some_to_close() -> None:
    figures = run([measure("open_files"), measure("open_files")]).figures("open_files")
    assert figures[0] == figures[1] >= 8


def test_signals_that_are_handled_or_blocked_are_counted() -> None:
    figures = [measure("handled_signals"), measure("blocked_signals")]
    done = run([*figures, op("signals", size=1_000_000, arg=0), *figures])
    before, after = done.figures("handled_signals")
    assert after == before + 1  # SIGALRM's
    assert done.figures("blocked_signals") == [0, 0]
