"""`--tells`: what a library promises to tell becomes a MUST, and grades are shown as words."""

import json
from pathlib import Path

from pytests.cli.conftest import Heapyard


def test_a_promise_that_is_kept_passes(heapyard: Heapyard, corpus: str) -> None:
    ran = heapyard("check", corpus, "-k", "HY-MISUSE-17 or HY-MISUSE-24", "--tells", "all")
    assert (ran.code, "no MUST failed" in ran.out) == (0, True), ran


def test_a_promise_that_is_broken_fails(heapyard: Heapyard, corpus: str) -> None:
    ran = heapyard(
        *("check", corpus, "-k", "HY-MISUSE-17", "--tells", "bad-free"),
        HEAPYARD_DEFECT="double_free_ignored",
    )
    assert (ran.code, "the program went on" in ran.out) == (1, True), ran
    assert "HY-MISUSE-17-libyard_corpus.so.json" in ran.out


def test_without_a_promise_the_rules_do_not_apply(heapyard: Heapyard, corpus: str) -> None:
    ran = heapyard(
        "check", corpus, "-k", "HY-MISUSE-17", "-v", HEAPYARD_DEFECT="double_free_ignored"
    )
    assert (ran.code, "n/a" in ran.out) == (0, True), ran


def test_an_unknown_promise_is_refused(here: Heapyard) -> None:
    error = here("check", "libc", "--tells", "everything").error
    assert "'everything' must be of bad-free, bad-write, wrong-size" in error


def test_a_grade_is_a_word_in_the_table_and_in_json(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    file = folder / "verdicts.json"
    ran = heapyard(
        *("check", corpus, "-k", "HY-MISUSE-01", "--json", str(file)),
        HEAPYARD_DEFECT="double_free_accepted",
    )
    assert "two owners" in ran.out, ran
    figure = json.loads(file.read_text())["targets"][0]["results"][0]["figure"]
    assert (figure["word"], figure["value"]) == ("two owners", 0)
    first = figure["more"][0]
    assert (first["name"], first["operation"]) == ("24 bytes", "malloc(24) -> slot 7")
    assert "where slot 6 holds 24 bytes" in first["seen"]


def test_the_message_and_the_signal_are_in_json(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    file = folder / "verdicts.json"
    heapyard("check", corpus, "-k", "HY-MISUSE-01", "--json", str(file))
    figure = json.loads(file.read_text())["targets"][0]["results"][0]["figure"]
    assert figure["word"] == "named"
    assert figure["more"][0]["signal"] == "SIGABRT"
    assert figure["more"][0]["message"] == "yard_corpus: double free"
