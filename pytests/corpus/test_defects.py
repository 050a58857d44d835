"""Every rule can fail: the defect that is meant for it makes it fail, and by its own property."""

import ctypes

import pytest

from heapyard._native.build import current_build
from heapyard.corpus.judge import defect_verdict
from heapyard.rules import load_rules
from pytests.corpus.defects import DEFECTS, Defect, corpus_path, corpus_target
from pytests.corpus.test_sound_build import NEEDS_PLAIN_PROCESS, REPLACE_MALLOC, require_sight
from pytests.corpus.verdicts import verdict


@pytest.fixture(autouse=True)
def _no_time_to_shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict is asked for, not the shortest plan."""
    monkeypatch.setattr("heapyard.rules.trial.SHRINK_SECONDS", 0.0)


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_rule_catches_its_defect(defect: Defect) -> None:
    if current_build().sanitizer and defect.rule in REPLACE_MALLOC:
        pytest.skip(NEEDS_PLAIN_PROCESS)
    require_sight(defect.rule)
    target = corpus_target("dlopen", defect.name)
    seen, text = defect_verdict(defect, target, corpus_target("dlopen"))
    assert seen == defect.shows, f"{defect.text}: {text or 'not caught'}"


@pytest.mark.stress
@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_all_rules_come_to_a_verdict_on_a_defect(defect: Defect) -> None:
    target = corpus_target("dlopen", defect.name)
    written = [rule.id for rule in load_rules() if rule.group != "FUZZ"]  # the others shrink long
    verdicts = [verdict(identity, target)[0] for identity in written]
    assert "skip" not in verdicts


def test_every_rule_has_a_defect() -> None:
    rules, caught = load_rules(), {defect.rule for defect in DEFECTS}
    assert caught == {rule.id for rule in rules}


def test_defects_have_names_of_their_own() -> None:
    names = [defect.name for defect in DEFECTS]
    assert len(names) == len(set(names))


def test_library_lists_the_same_defects_as_the_header() -> None:
    assert _listed_by_library() == list(DEFECTS)


def _listed_by_library() -> list[Defect]:
    library = ctypes.CDLL(str(corpus_path()))
    functions = [library[f"yard_defect_{field}"] for field in ("name", "rule", "shows", "text")]
    for function in functions:
        function.argtypes = [ctypes.c_uint]
        function.restype = ctypes.c_char_p
    listed: list[Defect] = []
    while functions[0](len(listed)) is not None:
        listed.append(Defect(*(function(len(listed)).decode() for function in functions)))
    return listed
