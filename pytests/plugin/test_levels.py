"""What becomes of a rule: its level says how a failure counts."""

import json

import pytest

from heapyard.rules import Trial
from pytests.plugin.conftest import HEADER, Run, Verdicts


def test_each_level_and_verdict_has_its_outcome(run: Run) -> None:
    run().assert_outcomes(passed=2, failed=1, xfailed=1, skipped=1)


def test_strict_makes_a_should_fail(run: Run) -> None:
    run("--heapyard-strict").assert_outcomes(passed=2, failed=2, skipped=1)


def test_a_failure_shows_what_was_expected_seen_and_the_command(run: Run) -> None:
    run("-k", "WANT-01").stdout.fnmatch_lines(
        [
            "HY-WANT-01 (MUST) on libc: Blocks are refused (which no allocator does)",
            "  source    nobody",
            "  expected  a failure",
            "  seen      a block at 0x*",
            "  at        call 0: malloc(24) -> slot *",
            "  again     heapyard replay .heapyard/plans/HY-WANT-01-libc.json libc",
        ]
    )


def test_a_failure_shows_no_traceback(run: Run) -> None:
    result = run("-k", "WANT-01")
    result.stdout.no_fnmatch_line("*rules/trial.py*")
    result.stdout.no_fnmatch_line("*RuleViolation*")


def test_the_short_summary_says_what_was_seen(run: Run) -> None:
    run("-k", "WANT-01").stdout.fnmatch_lines(["FAILED *HY-WANT-01-libc* - expected a fai*"])


def test_a_should_that_fails_gives_its_reason(run: Run) -> None:
    run("-rx").stdout.fnmatch_lines(["XFAIL *HY-WANT-02-libc* - SHOULD: expected a failure*"])


def test_a_missing_capability_is_named(run: Run) -> None:
    run("-rs").stdout.fnmatch_lines(["SKIPPED *needs teleport"])


def test_a_plan_that_uses_what_the_target_lacks_is_not_applicable(run: Run) -> None:
    code = (
        HEADER
        + '''
@rule("HY-WANT-03", level=MUST, source="nobody")
def test_it(trial):
    """Aligned blocks come from Python's own allocator."""
    plan = trial.plan()
    plan.aligned_alloc(64, 64)
    trial.holds(plan)
'''
    )
    result = run("-rs", code=code, target="python:obj")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED *needs aligned_alloc"])


def test_a_rule_that_is_itself_wrong_fails_with_its_traceback(run: Run) -> None:
    code = (
        HEADER
        + '''
@rule("HY-WANT-04", level=SHOULD, source="nobody")
def test_it(trial):
    """The rule's own code is right."""
    {}["nothing"]
'''
    )
    result = run("--heapyard-json=verdicts.json", code=code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*nothing*", "E *KeyError: 'nothing'"])


@pytest.mark.death
def test_a_hang_ends_at_the_rules_own_bound(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trial, "_shrinking_left", 0.0)  # a shortened plan is told by its own time
    code = (
        HEADER
        + '''
@rule("HY-WANT-05", level=MUST, source="nobody", seconds=0.3)
def test_it(trial):
    """Thousands of millions of blocks are had in no time."""
    plan = trial.plan(repeat=1 << 60)
    plan.malloc(1)
    trial.holds(plan)
'''
    )
    result = run(code=code)
    result.assert_outcomes(failed=1)
    # what is told is the time that passed: more than the bound where the machine is busy
    result.stdout.re_match_lines([r".*seen +still running after (0\.[3-9]|[1-8]\.\d) s.*"])


@pytest.mark.death
def test_no_plan_may_run_longer_than_its_rule(run: Run, verdicts: Verdicts) -> None:
    code = (
        HEADER
        + '''
@rule("HY-HOLD-09", level=MUST, source="nobody", seconds=0.3)
def test_it(trial):
    """A plan without an end hangs."""
    plan = trial.plan(repeat=1 << 60)
    plan.malloc(1)
    assert trial.run(plan).status == "hang"
'''
    )
    run("--heapyard-json=verdicts.json", code=code).assert_outcomes(passed=1)
    assert verdicts()["HY-HOLD-09"]["seconds"] < 5


def test_a_rules_time_begins_when_it_does(run: Run) -> None:
    code = (
        HEADER
        + '''
import time

def test_slow():
    time.sleep(0.7)

@rule("HY-HOLD-08", level=MUST, source="nobody", seconds=0.6)
def test_it(trial):
    """What ran before takes none of its time."""
    plan = trial.plan()
    plan.malloc(1)
    trial.holds(plan)
'''
    )
    run(code=code).assert_outcomes(passed=2)


def test_a_rule_that_runs_plan_after_plan_ends_at_its_bound(run: Run) -> None:
    code = (
        HEADER
        + '''
@rule("HY-WANT-06", level=MUST, source="nobody", seconds=0.2)
def test_it(trial):
    """A rule comes to an end."""
    while True:
        plan = trial.plan()
        plan.malloc(1)
        trial.holds(plan)
'''
    )
    result = run(code=code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*expected  the rule done within 0.2 s"])


def test_figures_are_a_profile_rules_verdict(run: Run, verdicts: Verdicts) -> None:
    run("--heapyard-json=verdicts.json")
    shown = verdicts()["HY-SHOW-01"]
    assert shown["verdict"] == "figure"
    assert shown["figure"] == {
        "name": "ratio",
        "value": 1.25,
        "unit": "x",
        "better": "less",
        "more": [{"name": "blocks", "value": 7, "unit": "", "better": "less"}],
    }


def test_the_verdicts_are_those_of_the_tests(run: Run, verdicts: Verdicts) -> None:
    run("--heapyard-json=verdicts.json")
    assert {rule: result["verdict"] for rule, result in verdicts().items()} == {
        "HY-HOLD-01": "pass",
        "HY-NEED-01": "skip",
        "HY-SHOW-01": "figure",
        "HY-WANT-01": "fail",
        "HY-WANT-02": "fail",
    }


def test_a_rule_with_parameters_has_one_verdict_the_worst(run: Run, verdicts: Verdicts) -> None:
    code = (
        HEADER
        + '''
@pytest.mark.parametrize("size", [1, 2, 3])
@rule("HY-HOLD-07", level=MUST, source="nobody")
def test_it(trial, size):
    """No block of two bytes is had."""
    plan = trial.plan(Check.REFUSE)
    plan.malloc(size, fails=size == 2)
    trial.holds(plan)
'''
    )
    run("--heapyard-json=verdicts.json", code=code).assert_outcomes(passed=2, failed=1)
    assert verdicts()["HY-HOLD-07"]["verdict"] == "fail"


def test_the_plan_of_a_failure_is_saved_with_where_it_comes_from(
    run: Run, pytester: pytest.Pytester
) -> None:
    run("--heapyard-plans=kept")
    plan = json.loads((pytester.path / "kept" / "HY-WANT-01-libc.json").read_text())
    assert plan["origin"]["target"] == "libc"
    assert plan["origin"]["rule"] == "HY-WANT-01"


def test_the_saved_plan_is_the_shortest_one(run: Run, pytester: pytest.Pytester) -> None:
    run("-k", "WANT-01")
    plan = json.loads((pytester.path / ".heapyard/plans/HY-WANT-01-libc.json").read_text())
    assert [call[0] for call in plan["ops"]] == ["malloc"]


def test_where_everything_fails_plans_are_saved_as_they_are(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trial, "_shrinking_left", 0.0)
    run("-k", "WANT-01").assert_outcomes(failed=1)
    plan = json.loads((pytester.path / ".heapyard/plans/HY-WANT-01-libc.json").read_text())
    assert [call[0] for call in plan["ops"]] == ["malloc", "malloc"]


def test_without_failures_nothing_is_left_behind(run: Run, pytester: pytest.Pytester) -> None:
    run("-k", "HY-HOLD")
    assert not (pytester.path / ".heapyard").exists()


def test_saved_plans_keep_themselves_out_of_version_control(
    run: Run, pytester: pytest.Pytester
) -> None:
    run("-k", "WANT-01")
    assert (pytester.path / ".heapyard/.gitignore").read_text() == "*\n"


def test_a_folder_that_can_not_be_made_does_not_hide_the_failure(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.path.joinpath("taken").write_text("")
    result = run("-k", "WANT-01", "--heapyard-plans=taken")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*again *heapyard check libc -k HY-WANT-01 --seed 0"])
