"""A repository that is not heapyard's, with rules of its own, and pytest run in it."""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heapyard._native.build import build_environment
from heapyard.rules import Trial, registry

CHECKOUT = Path(__file__).resolve().parents[2]

HEADER = """
import os
import pytest
from heapyard.rules import MUST, PROFILE, SHOULD, Trial, rule
from heapyard.trial import Check
"""

RULES = (
    HEADER
    + '''
@rule("HY-HOLD-01", level=MUST, source="C17 7.22.3.4")
def test_it_holds(trial: Trial) -> None:
    """Small blocks do not overlap."""
    plan = trial.plan(Check.OVERLAP)
    plan.malloc(trial.random.randrange(1, 100))
    trial.holds(plan)


@rule("HY-WANT-01", level=MUST, source="nobody")
def test_it_does_not_hold(trial: Trial) -> None:
    """Blocks are refused (which no allocator does)."""
    plan = trial.plan(Check.REFUSE)
    plan.malloc(10)
    plan.malloc(24, fails=True)
    trial.holds(plan)


@rule("HY-WANT-02", level=SHOULD, source="nobody")
def test_it_should(trial: Trial) -> None:
    """Blocks are refused, if at all possible."""
    plan = trial.plan(Check.REFUSE)
    plan.malloc(24, fails=True)
    trial.holds(plan)


@rule("HY-NEED-01", level=MUST, source="nobody", needs={"teleport", "malloc"})
def test_it_needs(trial: Trial) -> None:
    """Blocks are teleported."""
    raise AssertionError("must not be asked")


@rule("HY-SHOW-01", level=PROFILE, source="whoever compares")
def test_it_shows(trial: Trial) -> None:
    """The first figure is the verdict."""
    trial.figure("ratio", 1.25, unit="x")
    trial.figure("blocks", 7)
'''
)

Run = Callable[..., pytest.RunResult]
Verdicts = Callable[[], dict[str, Any]]


@pytest.fixture(autouse=True)
def _rules_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that a test declares are gone after it, and so is what their plans took."""
    monkeypatch.setattr(registry, "_registry", {})
    monkeypatch.setattr(Trial, "_shrinking_left", 40.0)
    monkeypatch.setattr(Trial, "_hangs", Counter())


@pytest.fixture
def repository(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty repository of a user."""
    return pytester


@pytest.fixture
def run(repository: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest in the repository, in this process, with no other plugins, on libc."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(*arguments: str, code: str | None = RULES, target: str = "libc") -> pytest.RunResult:
        if code is not None:
            repository.makepyfile(test_rules=code)
        named = [f"--allocator={target}"] if target else []
        return repository.runpytest_inprocess(*PLUGINS, *named, *arguments)

    return run


PLUGINS = (
    "--assert=plain",
    "-p",
    "heapyard.pytest_plugin",
    "-p",
    "xdist.plugin",
    "-p",
    "no:terminalprogress",
)


@pytest.fixture
def run_apart(repository: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest in the repository, in a process of its own."""
    for name, value in build_environment().items():
        monkeypatch.setenv(name, value)
    path = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))

    def run(*arguments: str, code: str | None = RULES) -> pytest.RunResult:
        if code is not None:
            repository.makepyfile(test_rules=code)
        return repository.runpytest_subprocess("-p", "heapyard.pytest_plugin", *arguments)

    return run


@pytest.fixture
def verdicts(repository: pytest.Pytester) -> Verdicts:
    """What the JSON report `verdicts.json` says, by rule, of its first target."""

    def read() -> dict[str, Any]:
        report = json.loads((repository.path / "verdicts.json").read_text())
        return {result["rule"]: result for result in report["targets"][0]["results"]}

    return read
