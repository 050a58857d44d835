"""Whatever the code under test does, the run goes on: each misdeed has its verdict and no traces.

The library is hostile.c; the time limit is short, and long enough to tell a hang from a slow start.
"""

import os
import signal
import time

import pytest

from heapyard.trial import Outcome, Plan, Target, run_plan

from .support import some_calls

pytestmark = [pytest.mark.usefixtures("no_traces")]

SECONDS = 0.6
PATIENCE = 20.0
MEMORY = 128 << 20


def run(
    target: Target, wish: str, plan: Plan | None = None, *, seconds: float = SECONDS
) -> Outcome:
    return run_plan(
        target.with_environment({"HEAPYARD_HOSTILE": wish}),
        plan or some_calls(),
        time_limit=seconds,
        memory_limit=MEMORY,
    )


def test_it_is_sound_when_nothing_is_wished(hostile: Target) -> None:
    outcome = run_plan(hostile, some_calls())
    assert outcome.held, str(outcome)


VERDICTS = [
    ("segv", "crash", "SIGSEGV"),
    ("recurse", "crash", "SIGSEGV"),
    ("abort", "crash", "SIGABRT"),
    ("trap", "crash", "SIGILL"),
    ("kill", "crash", "SIGKILL"),
    ("term", "crash", "SIGTERM"),
    ("stop", "hang", ""),
    ("deadlock", "hang", ""),
    ("spin", "hang", ""),
    ("deaf", "hang", ""),
    ("exec", "hang", ""),
    ("chatter", "hang", ""),
    ("exit0", "exit", ""),
    ("exit3", "exit", ""),
    ("eat", "runaway", ""),
    ("brood", "runaway", ""),
    ("exit_now", "exit", ""),
    ("sleep", "hang", ""),
    ("signal", "crash", "SIGUSR1"),
    ("mask", "hang", ""),
    ("alarm", "crash", "SIGALRM"),
]


@pytest.mark.parametrize(("deed", "status", "kind"), VERDICTS, ids=[row[0] for row in VERDICTS])
@pytest.mark.parametrize(
    ("place", "op", "operation"),
    [
        ("load", None, "loading"),
        ("malloc", 0, "malloc(1) -> slot 0"),
        ("realloc", 4, "realloc(slot 1, 5000)"),
        ("free", 5, "free(slot 0)"),
    ],
    ids=["load", "malloc", "realloc", "free"],
)
def test_each_misdeed_has_its_verdict_and_names_the_call(  # noqa: PLR0917
    hostile: Target, deed: str, status: str, kind: str, place: str, op: int | None, operation: str
) -> None:
    outcome = run(hostile, f"{place}:{deed}", seconds=SECONDS if status == "hang" else PATIENCE)
    assert (outcome.status, outcome.kind) == (status, kind), str(outcome)
    assert (outcome.op, outcome.operation) == (op, operation)


@pytest.mark.parametrize("deed", ["print", "fork", "daemon", "stranger", "orphans", "litter"])
def test_what_does_no_harm_to_the_plan_does_not_fail_it(hostile: Target, deed: str) -> None:
    outcome = run(hostile, f"realloc:{deed}", seconds=PATIENCE)
    assert outcome.held, str(outcome)


@pytest.mark.parametrize("place", ["malloc", "free"])
def test_closed_descriptors_are_an_exit_without_a_result(hostile: Target, place: str) -> None:
    outcome = run(hostile, f"{place}:close", seconds=PATIENCE)
    assert outcome.status == "exit", str(outcome)
    assert "no result" in outcome.seen


@pytest.mark.parametrize("place", ["load", "malloc"])
@pytest.mark.parametrize("deed", ["garbage", "nest", "forge"])
def test_garbage_in_place_of_the_answers_is_an_exit(hostile: Target, place: str, deed: str) -> None:
    outcome = run(hostile, f"{place}:{deed}", seconds=PATIENCE)
    assert (outcome.status, outcome.exit_code) == ("exit", 0), str(outcome)
    assert outcome.operation == "unknown: the progress was overwritten"


def test_descriptors_closed_while_loading_are_an_exit(hostile: Target) -> None:
    assert run(hostile, "load:close", seconds=PATIENCE).status == "exit"


@pytest.mark.parametrize("place", ["load", "malloc", "free"])
def test_wild_writes_over_all_memory_end_the_child_alone(hostile: Target, place: str) -> None:
    outcome = run(hostile, f"{place}:scribble", seconds=PATIENCE)
    assert outcome.status in ("crash", "exit", "violation", "hang"), str(outcome)


def test_the_output_of_a_child_is_kept_in_part(hostile: Target) -> None:
    outcome = run(hostile, "malloc:print", one_call(), seconds=PATIENCE)
    assert outcome.held, str(outcome)
    assert outcome.stdout.endswith("hostile says\n")
    assert outcome.stderr.endswith("hostile says\n")
    assert len(outcome.stdout) <= 4096


def one_call() -> Plan:
    plan = Plan()
    plan.malloc(1)
    return plan


def test_an_exit_says_its_status(hostile: Target) -> None:
    outcome = run(hostile, "malloc:exit3", seconds=PATIENCE)
    assert outcome.exit_code == 3
    assert outcome.seen == "exited with status 3, no result"


def test_a_crash_says_the_last_words(hostile: Target) -> None:
    outcome = run(hostile, "malloc:complain", seconds=PATIENCE)
    assert outcome.seen == "killed by SIGABRT; it said: hostile: corrupted heap"


def test_a_hang_says_whether_it_computes_or_waits(hostile: Target) -> None:
    assert "computing" in run(hostile, "malloc:spin").seen
    assert "waiting" in run(hostile, "malloc:deadlock").seen


def test_a_child_that_stops_itself_is_not_waited_for(hostile: Target) -> None:
    started = time.monotonic()
    outcome = run(hostile, "free:stop", seconds=PATIENCE)
    assert outcome.status == "hang"
    assert "stopped by a signal" in outcome.seen
    assert time.monotonic() - started < 5


def test_a_hang_ends_at_the_time_limit(hostile: Target) -> None:
    started = time.monotonic()
    run(hostile, "malloc:deaf")
    assert SECONDS <= time.monotonic() - started < SECONDS + 2


def test_the_round_of_a_crash_is_told(hostile: Target) -> None:
    plan = Plan(repeat=3)
    plan.malloc(1)
    outcome = run(hostile, "free:segv", plan, seconds=PATIENCE)
    assert (outcome.status, outcome.round, outcome.op) == ("crash", 0, None)
    assert outcome.operation == "ending"


def test_masked_and_ignored_signals_of_the_parent_do_not_reach_the_child(hostile: Target) -> None:
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        assert run(hostile, "malloc:term", seconds=PATIENCE).signal == "SIGTERM"
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGTERM, old)


def test_a_run_works_where_standard_descriptors_are_closed(hostile: Target) -> None:
    saved = [os.dup(number) for number in (0, 1, 2)]
    try:
        for number in (0, 1, 2):
            os.close(number)
        outcome = run(hostile, "malloc:print", one_call(), seconds=PATIENCE)
    finally:
        for number, copy in enumerate(saved):
            os.dup2(copy, number)
            os.close(copy)
    assert outcome.held, str(outcome)
    assert outcome.stdout.endswith("hostile says\n")


def test_other_children_of_this_process_are_left_alone(hostile: Target) -> None:
    other = os.posix_spawn("/bin/sleep", ["sleep", "100"], {})
    try:
        run(hostile, "malloc:orphans", seconds=PATIENCE)
        assert os.waitpid(other, os.WNOHANG) == (0, 0)
    finally:
        os.kill(other, signal.SIGKILL)
        os.waitpid(other, 0)
