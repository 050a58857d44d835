"""The list of rules is complete: each is declared, documented, and found by its id."""

import re
from pathlib import Path

import pytest

from heapyard._tells import TELLS
from heapyard.rules import Level, Rule, load_rules
from heapyard.trial.operations import OPERATIONS
from pytests.corpus.verdicts import body_of, claim

RULES = load_rules()

GROUPS = {
    *("API", "ERRNO", "ALIGN", "LIMIT", "REALLOC", "ZERO", "DATA", "FUZZ", "MISUSE", "SWAP"),
    *("THREAD", "LIFE", "OOM", "COST", "LOAD", "RSS", "MERGE", "FRAG", "SIZE"),
}
FUNCTIONS = {operation.function for operation in OPERATIONS if operation.function}
FLAGS = {"errno", "free", "realloc", "large", "release", "threads"} | set(TELLS.values())
CLAUSE = re.compile(r"C(11|17|23) \d|POSIX\.1-20(17|24) \w|\w+\(3\)|glibc manual \d")


def test_there_are_at_least_fifty_rules() -> None:
    assert len(RULES) >= 50


def test_groups_are_those_of_the_documentation() -> None:
    assert {rule.group for rule in RULES} == GROUPS


def test_properties_are_listed_with_rules_that_there_are() -> None:
    text = (Path(__file__).parents[2] / "docs" / "properties.md").read_text(encoding="utf-8")
    rows = [int(number) for number in re.findall(r"^\| (\d+) ", text, re.MULTILINE)]
    assert rows == list(range(1, 139))
    assert set(re.findall(r"HY-[A-Z]+-\d\d", text)) <= {rule.id for rule in RULES}


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_numbers_of_a_group_are_consecutive(group: str) -> None:
    numbers = [int(rule.id[-2:]) for rule in RULES if rule.group == group]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("rule", RULES, ids=claim)
def test_rule_is_documented(rule: Rule) -> None:
    assert len(rule.title.split()) >= 4, "the first line states the property"
    assert len(rule.title) <= 100
    assert not rule.text or rule.text.endswith("."), "whole sentences"


@pytest.mark.parametrize("rule", RULES, ids=claim)
def test_rule_needs_what_a_target_can_have(rule: Rule) -> None:
    assert rule.needs <= FUNCTIONS | FLAGS


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.level is Level.MUST], ids=claim)
def test_binding_rule_names_the_clause(rule: Rule) -> None:
    assert CLAUSE.search(rule.source)


@pytest.mark.parametrize("rule", RULES, ids=claim)
def test_rule_is_a_test_with_one_argument(rule: Rule) -> None:
    body = body_of(rule)
    assert body.__name__.startswith("test_")
    assert list(body.__annotations__) == ["trial", "return"]
