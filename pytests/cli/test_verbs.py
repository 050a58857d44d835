"""The verbs that run no rules: rules, explain, targets, --version, --help."""

import json
import subprocess
import sys

import pytest

from heapyard._native.build import current_build
from heapyard.rules import load_rules
from pytests.cli.conftest import Heapyard

RULES = load_rules()


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_explain_tells_all_about_each_rule(here: Heapyard, rule) -> None:  # type: ignore[no-untyped-def]
    ran = here("explain", rule.id)
    told = " ".join(ran.out.split())
    assert (ran.code, ran.err) == (0, "")
    for fact in (rule.id, rule.title, rule.source, rule.bug, f"level {rule.level}: "):
        assert " ".join(fact.split()) in told
    for need in rule.needs:
        assert need in told.partition(" needs ")[2]


def test_explain_takes_ids_in_any_case(here: Heapyard) -> None:
    assert here("explain", RULES[0].id.lower()).code == 0


def test_rules_lists_every_rule_with_its_level(here: Heapyard) -> None:
    lines = here("rules").out.splitlines()
    assert [line.split()[:2] for line in lines[: len(RULES)]] == [
        [rule.id, rule.level.value] for rule in RULES
    ]
    assert lines[-1].startswith(f"{len(RULES)} rules: ")


def test_rules_as_json_has_all_that_explain_tells(here: Heapyard) -> None:
    listed = json.loads(here("rules", "--json").out)
    assert listed["schema"] == "heapyard.rules/1"
    assert [each["id"] for each in listed["rules"]] == [rule.id for rule in RULES]
    assert all(each["title"] and each["source"] for each in listed["rules"])


def test_targets_lists_libc_and_all_of_heapyard(here: Heapyard) -> None:
    names = [line.split()[0] for line in here("targets").out.splitlines() if line]
    assert {"libc", "python:raw", *current_build().targets} <= set(names)


def test_targets_as_json_has_their_capabilities(here: Heapyard) -> None:
    listed = json.loads(here("targets", "--json").out)
    assert listed["schema"] == "heapyard.targets/1"
    libc = next(each for each in listed["targets"] if each["target"] == "libc")
    assert libc["mode"] == "builtin"
    assert "malloc" in libc["capabilities"]["functions"]


def test_version_is_one_line(here: Heapyard) -> None:
    ran = here("--version")
    assert (ran.code, ran.out) == (0, f"heapyard {current_build().version}\n")


@pytest.mark.parametrize("verb", ["check", "rules", "explain", "targets", "replay"])
def test_each_verb_has_help(heapyard: Heapyard, verb: str) -> None:
    ran = heapyard(verb, "--help")
    assert ran.code == 0
    assert f"usage: heapyard {verb}" in ran.out


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_teaches_verbs_examples_and_exit_codes(
    heapyard: Heapyard, arguments: tuple[str, ...]
) -> None:
    ran = heapyard(*arguments)
    assert ran.code == 0
    for text in ("check ", "explain ", "examples:", "exit codes:"):
        assert text in ran.out


def test_a_reader_that_goes_away_is_no_error(environment: dict[str, str]) -> None:
    done = subprocess.run(
        f"{sys.executable} -m heapyard rules | true",
        shell=True,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
