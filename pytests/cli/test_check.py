"""`heapyard check`: exit codes, what it prints, what it leaves, and that pytest's ways work."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytests.cli.conftest import Heapyard

QUICK = ("-k", "HY-API-05", "-n", "0")
"""A MUST that takes no time."""
MUST_DEFECT = {"HEAPYARD_DEFECT": "free_null_frees_last"}
"""Breaks that rule."""


def test_a_target_that_holds_is_exit_code_0(heapyard: Heapyard) -> None:
    ran = heapyard("check", "libc", *QUICK)
    assert ran.code == 0, ran
    assert "no MUST failed; 1 verdict on 1 target" in ran.out
    assert ran.err == ""


def test_a_must_that_fails_is_exit_code_1(heapyard: Heapyard, corpus: str) -> None:
    ran = heapyard("check", corpus, *QUICK, **MUST_DEFECT)
    assert ran.code == 1, ran
    assert "1 MUST failed" in ran.out


def test_a_should_that_fails_is_exit_code_0_unless_strict(heapyard: Heapyard, corpus: str) -> None:
    arguments = ("check", corpus, "-k", "HY-ERRNO-10", "-n", "0")
    defect = {"HEAPYARD_DEFECT": "posix_memalign_sets_errno"}
    ran = heapyard(*arguments, **defect)
    assert (ran.code, "1 SHOULD failed" in ran.out) == (0, True), ran
    assert heapyard(*arguments, "--strict", **defect).code == 1


def test_a_failure_says_what_was_expected_seen_and_how_to_see_it_again(
    heapyard: Heapyard, corpus: str
) -> None:
    out = heapyard("check", corpus, *QUICK, **MUST_DEFECT).out
    assert re.search(r"^MUST failed +yard_corpus$", out, re.MULTILINE)
    assert re.search(r"^  HY-API-05 .* FAIL$", out, re.MULTILINE)
    assert re.search(r"^HY-API-05 \(MUST\)  \S", out, re.MULTILINE)
    for label in ("expected", "seen", "at"):
        assert re.search(rf"^    {label} +\S", out, re.MULTILINE), label
    plan = ".heapyard/plans/HY-API-05-libyard_corpus.so.json"
    assert f"again     heapyard replay {plan} {corpus}" in out


def test_the_command_of_a_failure_shows_it_again(heapyard: Heapyard, corpus: str) -> None:
    out = heapyard("check", corpus, *QUICK, **MUST_DEFECT).out
    command = re.search(r"again +heapyard (.*)", out)
    assert command is not None
    again = heapyard(*command[1].split(), **MUST_DEFECT)
    assert again.code == 1, again
    assert "expected" in again.out
    assert heapyard(*command[1].split()).code == 0, "the sound build holds"


def test_a_replay_without_a_target_takes_the_one_that_failed(
    heapyard: Heapyard, corpus: str
) -> None:
    heapyard("check", corpus, *QUICK, **MUST_DEFECT)
    plan = ".heapyard/plans/HY-API-05-libyard_corpus.so.json"
    assert heapyard("replay", plan, **MUST_DEFECT).code == 1
    assert heapyard("replay", plan, "libc", **MUST_DEFECT).code == 0


def test_plans_go_where_the_user_says(heapyard: Heapyard, corpus: str, folder: Path) -> None:
    heapyard("check", corpus, *QUICK, "--plans", "a/b", **MUST_DEFECT)
    assert (folder / "a/b/HY-API-05-libyard_corpus.so.json").is_file()
    assert not (folder / ".heapyard").exists()


def test_without_failures_nothing_is_left_behind(heapyard: Heapyard, folder: Path) -> None:
    heapyard("check", "libc", *QUICK)
    assert list(folder.iterdir()) == []


def test_several_targets_stand_side_by_side(heapyard: Heapyard) -> None:
    ran = heapyard("check", "libc", "python:raw", "python:obj", *QUICK)
    assert re.search(r"^rules that hold +libc +python:raw +python:obj$", ran.out, re.MULTILINE), ran


def test_a_target_named_twice_is_tried_once(heapyard: Heapyard) -> None:
    out = heapyard("check", "libc", "libc", *QUICK).out
    assert "on trial: libc\n" in out
    assert "1 verdict on 1 target" in out


def test_no_target_means_libc_and_one_of_each_kind(heapyard: Heapyard) -> None:
    ran = heapyard("check", *QUICK)
    names = "libc, region:fast, bump, heap, domain:obj+debug"
    assert f"on trial: {names} " in " ".join(ran.out.split())


def test_verbose_gives_every_rule_a_line(heapyard: Heapyard) -> None:
    out = heapyard("check", "libc", "-k", "HY-API-0", "-n", "0", "-v").out
    assert len(re.findall(r"^  HY-API-0\d .* (ok|n/a)$", out, re.MULTILINE)) == 9


def test_k_takes_pytests_expressions(heapyard: Heapyard) -> None:
    ran = heapyard("check", "libc", "-k", "API-01 or (API-02 and not python)", "-n", "0")
    assert "2 verdicts" in ran.out


@pytest.mark.parametrize("workers", ["0", "1", "2", "auto"])
def test_any_number_of_workers_gives_the_same_table(heapyard: Heapyard, workers: str) -> None:
    ran = heapyard("check", "libc", "-k", "HY-ZERO-0", "-n", workers)
    assert ran.code == 0, ran
    table = re.sub(r"in [0-9.]+ s", "", ran.out)
    alone = re.sub(r"in [0-9.]+ s", "", heapyard("check", "libc", "-k", "HY-ZERO-0", "-n", "0").out)
    assert table == alone


def test_the_seed_is_printed(heapyard: Heapyard) -> None:
    ran = heapyard("check", "libc", *QUICK, "--seed", "0x2a")
    assert ran.out.startswith("heapyard 0.")
    assert "seed 42" in ran.out


def test_junit_is_pytests_own(heapyard: Heapyard, corpus: str, folder: Path) -> None:
    heapyard("check", corpus, "libc", *QUICK, "--junit", "v.xml", **MUST_DEFECT)
    suite = ElementTree.parse(folder / "v.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names[0] is not None
    assert names[0].endswith("[HY-API-05-libyard_corpus.so]")


def test_the_users_own_pytest_configuration_has_no_say(heapyard: Heapyard, folder: Path) -> None:
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --nosuchoption\nheapyard_seed = 9\n")
    (folder / "conftest.py").write_text("raise SystemExit('not asked')\n")
    ran = heapyard("check", "libc", *QUICK, PYTEST_ADDOPTS="--nosuchoption", PYTEST_PLUGINS="nope")
    assert ran.code == 0, ran
    assert "seed 0" in ran.out


def test_no_colour_where_it_is_no_terminal(heapyard: Heapyard, corpus: str) -> None:
    assert "\x1b" not in heapyard("check", corpus, *QUICK, FORCE_COLOR="1", **MUST_DEFECT).out
