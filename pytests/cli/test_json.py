"""The JSON report: schema heapyard.check/1, to the letter."""

import json
from pathlib import Path
from typing import Any

import pytest

from heapyard.rules import load_rules
from pytests.cli.conftest import Heapyard

LEVELS = {"MUST", "SHOULD", "PROFILE"}
VERDICTS = {"pass", "fail", "skip", "figure"}
RESULT = {
    "rule": str,
    "level": str,
    "verdict": str,
    "detail": str,
    "figure": dict | None,
    "plan": str | None,
    "program": str | None,
    "seconds": float,
    "kind": str,
    "known": bool,
}
TARGET = {
    "target": str,
    "name": str,
    "path": str | None,
    "mode": str,
    "capabilities": dict,
    "results": list,
}
REPORT = {"schema": str, "version": str, "seed": int, "targets": list, "summary": dict}


def require(content: dict[str, Any], form: dict[str, Any]) -> None:
    assert list(content) == list(form)
    for name, kind in form.items():
        assert isinstance(content[name], kind), (name, content[name])


def require_report(report: dict[str, Any]) -> None:
    require(report, REPORT)
    assert report["schema"] == "heapyard.check/1"
    require(report["summary"], {"must_failed": int, "should_failed": int})
    for target in report["targets"]:
        require(target, TARGET)
        assert target["mode"] in {"dlopen", "preload", "builtin"}
        for result in target["results"]:
            require(result, RESULT)
            assert result["level"] in LEVELS
            assert result["verdict"] in VERDICTS


@pytest.fixture(scope="module")
def levels() -> dict[str, str]:
    return {rule.id: rule.level.value for rule in load_rules()}


def test_every_field_is_there_and_none_else(
    heapyard: Heapyard, corpus: str, folder: Path, levels: dict[str, str]
) -> None:
    heapyard(
        *("check", corpus, "libc", "python:raw", "-k", "ERRNO or API", "--json", "v.json"),
        HEAPYARD_DEFECT="free_null_frees_last",
    )
    report = json.loads((folder / "v.json").read_text())
    require_report(report)
    assert [target["target"] for target in report["targets"]] == [corpus, "libc", "python:raw"]
    for target in report["targets"]:
        rules = {result["rule"]: result["level"] for result in target["results"]}
        assert rules == {rule: level for rule, level in levels.items() if rule in rules}
        assert list(rules) == sorted(rules)
    failed = [
        result["level"]
        for target in report["targets"]
        for result in target["results"]
        if result["verdict"] == "fail"
    ]
    assert report["summary"] == {
        "must_failed": failed.count("MUST"),
        "should_failed": failed.count("SHOULD"),
    }
    broken = next(each for each in report["targets"][0]["results"] if each["rule"] == "HY-API-05")
    assert broken["verdict"] == "fail"
    assert json.loads((folder / broken["plan"]).read_text())["schema"] == "heapyard.plan/1"


def verdicts_of(heapyard: Heapyard, folder: Path, *arguments: str) -> dict[str, str]:
    heapyard("check", "--json", "v.json", *arguments)
    report = json.loads((folder / "v.json").read_text())
    require_report(report)
    return {result["rule"]: result["verdict"] for result in report["targets"][0]["results"]}


def test_every_rule_is_in_it(heapyard: Heapyard, folder: Path, levels: dict[str, str]) -> None:
    # Most rules don't apply to CPython's raw domain: that is quick to say.
    assert set(verdicts_of(heapyard, folder, "python:raw")) == set(levels)


def test_verdicts_are_three_times_the_same(heapyard: Heapyard, corpus: str, folder: Path) -> None:
    some = (corpus, "-k", "ALIGN or API or ZERO or THREAD-0")
    first = verdicts_of(heapyard, folder, *some)
    assert verdicts_of(heapyard, folder, *some, "-n", "0") == first
    assert verdicts_of(heapyard, folder, *some, "-n", "3") == first


def test_what_is_not_applicable_names_the_capability(heapyard: Heapyard, folder: Path) -> None:
    heapyard("check", "python:raw", "-k", "HY-ALIGN", "-n", "0", "--json", "v.json")
    report = json.loads((folder / "v.json").read_text())
    skipped = [each for each in report["targets"][0]["results"] if each["verdict"] == "skip"]
    assert skipped
    assert all(each["detail"].startswith("needs ") for each in skipped)
