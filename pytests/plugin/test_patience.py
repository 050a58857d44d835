"""How long a plan may run: less on a target that has hung before. No child runs here; what the
trial would run is written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from heapyard.rules import MUST, RuleViolation, Trial, rule, rule_of
from heapyard.trial import Outcome, Plan, Target, resolve_target


@dataclass
class Runs:
    """Stands for children: what each was given, and what comes of it."""

    status: Any = "hang"
    limits: list[float] = field(default_factory=list)
    shrunk: int = 0

    def run(self, _target: Target, _plan: Plan, *, time_limit: float) -> Outcome:
        self.limits.append(time_limit)
        return Outcome(status=self.status)

    def shrink(self, _target: Target, plan: Plan, _outcome: Outcome, **_bounds: float) -> Plan:
        self.shrunk += 1
        return plan


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr("heapyard.trial.run_plan", made.run)
    monkeypatch.setattr("heapyard.trial.shrink_plan", made.shrink)
    return made


def trial_of(target: str = "libc", environment: Mapping[str, str] | None = None) -> Trial:
    @rule("HY-WANT-09", level=MUST, source="nobody")
    def test_it(trial: Trial) -> None:
        """It ends."""

    declared = rule_of(test_it)
    assert declared is not None
    return Trial(declared, resolve_target(target, environment=environment))


def run_often(times: int, target: str = "libc", **options: float) -> None:
    for _ in range(times):
        trial_of(target).run(Plan(), **options)


def test_a_target_that_has_hung_three_times_gets_less_time(runs: Runs) -> None:
    run_often(5)
    assert runs.limits == pytest.approx([10, 10, 10, 1, 1])


def test_plans_that_end_take_no_time_from_others(runs: Runs) -> None:
    runs.status = "held"
    run_often(5)
    assert runs.limits == pytest.approx([10] * 5)


def test_the_hangs_of_a_target_take_no_time_from_another(runs: Runs) -> None:
    run_often(4)
    run_often(1, "python:raw")
    assert runs.limits[-1] == pytest.approx(10)


def test_the_hangs_of_a_library_take_no_time_from_it_in_another_environment(runs: Runs) -> None:
    run_often(4)
    trial_of("libc", {"HEAPYARD_DEFECT": "another"}).run(Plan())
    assert runs.limits[-2:] == pytest.approx([1, 10])


def test_hangs_after_misuse_take_no_time_from_plans_without(runs: Runs) -> None:
    for _ in range(4):
        trial_of().run(misuse())
    run_often(1)
    assert runs.limits == pytest.approx([10, 10, 10, 1, 10])


def misuse() -> Plan:
    plan = Plan()
    block = plan.malloc(10)
    stale = plan.alias(block)
    plan.free(block)
    plan.free_stale(stale)
    return plan


def test_a_rule_that_wants_less_gets_less(runs: Runs) -> None:
    run_often(4, time_limit=0.3)
    assert runs.limits == pytest.approx([0.3] * 4)


@pytest.mark.usefixtures("runs")
def test_a_hang_within_less_time_is_the_plans_own() -> None:
    """Not a rule that took too long."""
    run_often(3)
    assert trial_of().run(Plan()).status == "hang"


def test_plans_that_hang_on_a_target_that_always_does_are_not_shortened(runs: Runs) -> None:
    for _ in range(5):
        with pytest.raises(RuleViolation):
            trial_of().holds(Plan())
    assert runs.shrunk == 2


def test_figures_that_are_gone_are_the_targets_doing(runs: Runs) -> None:
    """It has purged the pages in which the engine notes them, say."""
    runs.status = "held"
    plan = Plan()
    plan.measure("rss")
    with pytest.raises(RuleViolation, match="the engine's memory and files are its own") as caught:
        trial_of().run(plan)
    assert "what the plan measured is gone" in caught.value.seen
