"""run_plan on sound targets and on broken ones: outcomes, figures, limits, refusals."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings

from heapyard.trial import (
    SIZE_MAX,
    Check,
    Outcome,
    Plan,
    Target,
    random_plan,
    resolve_target,
    run_plan,
    shrink_plan,
)
from heapyard.trial.strategies import plans

from .support import INSTALLED, built, installed, own_targets, some_calls

PYTHON = ("python:raw", "python:mem", "python:obj")
RANDOM_CHECKS = Check.DEFAULT & ~Check.ALIGN
"""Random plans on foreign allocators: mimalloc 2.0.9's memalign is known to misalign."""


def test_a_plan_that_is_only_slow_is_told_from_one_that_is_stuck(libc: Target) -> None:
    outcome = run_plan(libc, some_calls(repeat=1 << 40), time_limit=0.6)
    assert (outcome.status, outcome.kind) == ("hang", "slow")
    assert "and calls went on" in outcome.seen


def test_a_plan_holds_on_the_libc(libc: Target) -> None:
    outcome = run_plan(libc, some_calls())
    assert outcome.held, str(outcome)
    assert outcome.operations >= len(some_calls())
    assert outcome.operation == ""
    assert outcome.nanoseconds > 0


def test_an_empty_plan_holds(libc: Target) -> None:
    assert run_plan(libc, Plan()).held


def test_a_violation_says_call_kind_and_both_sides(libc: Target) -> None:
    plan = Plan()
    plan.malloc(8)
    plan.malloc(SIZE_MAX)
    outcome = run_plan(libc, plan)
    assert (outcome.status, outcome.kind, outcome.op) == ("violation", "null", 1)
    assert outcome.operation == f"malloc({SIZE_MAX}) -> slot 1"
    assert outcome.slot == 1
    assert outcome.headline == f"violation: null at call 1, malloc({SIZE_MAX}) -> slot 1"
    assert "NULL" in outcome.seen
    assert outcome.expected


def test_a_check_that_is_off_is_not_reported(libc: Target) -> None:
    plan = Plan(checks=Check.ALIGN)
    plan.malloc(SIZE_MAX)
    assert run_plan(libc, plan).held


def test_figures_come_in_the_order_of_the_calls(libc: Target) -> None:
    plan = Plan()
    plan.measure("live_bytes")
    plan.malloc(1000)
    plan.measure("live_bytes")
    outcome = run_plan(libc, plan)
    assert outcome.values("live_bytes") == (0, 1000)
    assert [figure.op for figure in outcome.figures] == [0, 2]
    assert {figure.unit for figure in outcome.figures} == {"bytes"}


def test_repeat_runs_all_calls_again(libc: Target) -> None:
    plan = Plan(repeat=5)
    plan.free(plan.malloc(1))
    plan.measure("live_bytes")
    assert len(run_plan(libc, plan).figures) == 5


def test_a_missing_function_is_a_refusal_that_names_it(libc: Target) -> None:
    plan = Plan()
    plan.free_sized(plan.malloc(8))
    outcome = run_plan(libc, plan)
    assert (outcome.status, outcome.kind) == ("refused", "symbol")
    assert outcome.seen == "libc has no free_sized"


def test_a_plan_that_the_engine_refuses_says_why(libc: Target) -> None:
    plan = Plan()
    plan.malloc(1)
    outcome = run_plan(libc, plan.with_calls(plan.calls * 2))
    assert (outcome.status, outcome.kind) == ("refused", "plan")
    assert outcome.seen


def test_memory_past_the_limit_is_a_runaway(libc: Target) -> None:
    plan = Plan(checks=Check.OVERLAP)
    for _ in range(4000):
        plan.malloc(1 << 20)
    outcome = run_plan(libc, plan, memory_limit=64 << 20)
    assert outcome.status == "runaway", str(outcome)
    assert "MiB of resident memory" in outcome.seen
    assert outcome.operation.startswith("malloc(1048576)")


def test_the_address_space_can_be_bounded(libc: Target) -> None:
    plan = Plan()
    plan.malloc(1 << 30)
    outcome = run_plan(libc, plan, address_space=256 << 20)
    assert (outcome.status, outcome.kind) == ("violation", "null")


@pytest.mark.parametrize("text", PYTHON)
def test_the_address_space_of_an_interpreter_can_be_bounded(text: str) -> None:
    plan = Plan()
    plan.malloc(1 << 30)
    outcome = run_plan(resolve_target(text), plan, address_space=512 << 20)
    assert (outcome.status, outcome.kind) == ("violation", "null")


@pytest.mark.parametrize("text", PYTHON)
@pytest.mark.parametrize("seed", range(3))
def test_cpythons_allocators_hold_random_plans(text: str, seed: int) -> None:
    target = resolve_target(text)
    outcome = run_plan(target, random_plan(random.Random(seed), target.capabilities.functions))
    assert outcome.held, str(outcome)


@pytest.mark.parametrize("text", PYTHON)
def test_a_hang_in_an_interpreter_is_told(text: str) -> None:
    plan = Plan(repeat=1 << 40)
    plan.free(plan.malloc(1))
    outcome = run_plan(resolve_target(text), plan, time_limit=0.5)
    assert outcome.status == "hang"
    assert outcome.operations > 1000


@pytest.mark.parametrize("text", own_targets())
@pytest.mark.parametrize("seed", range(3))
def test_heapyards_own_allocators_hold_random_plans(text: str, seed: int) -> None:
    target = resolve_target(text)
    outcome = run_plan(target, random_plan(random.Random(seed), target.capabilities.functions))
    assert outcome.held, str(outcome)


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("seed", range(3))
def test_dlopen_and_preload_agree(name: str, seed: int) -> None:
    opened, loaded = installed(name, "dlopen"), installed(name, "preload")
    assert opened.capabilities.functions == loaded.capabilities.functions
    plan = random_plan(
        random.Random(seed), opened.capabilities.functions, calls=400, checks=RANDOM_CHECKS
    )
    outcomes = [run_plan(target, plan) for target in (opened, loaded)]
    assert [outcome.signature for outcome in outcomes] == [("held", "")] * 2, str(outcomes)


@settings(
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans())
def test_any_drawn_plan_holds_on_the_libc(libc: Target, plan: Plan) -> None:
    outcome = run_plan(libc, plan)
    assert outcome.held, str(outcome)


def test_the_environment_reaches_the_child() -> None:
    target = resolve_target(str(built("hostile")), environment={"HEAPYARD_HOSTILE": "malloc:exit3"})
    plan = Plan()
    plan.malloc(1)
    assert run_plan(target, plan).exit_code == 3


def test_a_preloaded_library_of_ours_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/nonexistent.so")
    outcome = run_plan(resolve_target("libc"), some_calls())
    assert outcome.held
    assert outcome.stderr == ""


def test_a_crash_shrinks_to_the_calls_that_it_needs() -> None:
    target = resolve_target(str(built("hostile")))
    target = target.with_environment({"HEAPYARD_HOSTILE": "realloc:segv"})
    plan = random_plan(random.Random(5), {"malloc", "free", "realloc"}, calls=1000)
    outcome = run_plan(target, plan)
    assert outcome.status == "crash"
    small = shrink_plan(target, plan, outcome)
    assert [str(call) for call in small.calls] == ["realloc(NULL, 1)"] or len(small) <= 2
    assert run_plan(target, small).signature == outcome.signature


@pytest.mark.parametrize(
    ("defect", "kind"),
    [
        ("calloc_trusts_reused", "zero"),
        ("memalign_same_address", "overlap"),
        ("usable_short", "usable"),
    ],
)
def test_a_thousand_calls_on_a_broken_allocator_shrink_to_a_few(defect: str, kind: str) -> None:
    target = resolve_target(str(built("corpus"))).with_environment({"HEAPYARD_DEFECT": defect})
    functions = (
        target.capabilities.functions - {"calloc"}
        if kind != "zero"
        else {"malloc", "calloc", "free"}
    )
    plan = random_plan(random.Random(5), functions, calls=1000, checks=Check.of([kind]))
    outcome = run_plan(target, plan)
    assert outcome.signature == ("violation", kind), str(outcome)
    small = shrink_plan(target, plan, outcome)
    assert len(small) <= 6, str(small)
    assert run_plan(target, small).signature == outcome.signature


def test_a_child_costs_a_few_milliseconds(libc: Target) -> None:
    plan = Plan()
    plan.free(plan.malloc(1))
    run_plan(libc, plan)
    times = []
    for _ in range(30):
        started = time.perf_counter()
        run_plan(libc, plan)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.010


def test_an_outcome_as_plain_data_leaves_out_what_says_nothing() -> None:
    outcome = Outcome(status="crash", kind="SIGSEGV", op=3, operation="free(NULL)")
    document = outcome.to_json()
    assert document["status"] == "crash"
    assert document["op"] == 3
    assert "slot" not in document
    assert "figures" not in document
