"""`heapyard check --baseline`: only what is new fails, and what is gone is told."""

import json
from pathlib import Path

import pytest

from heapyard.errors import HeapyardError
from heapyard.report.baseline import Baseline, Entry
from heapyard.report.result import Result, TargetReport, Verdict
from heapyard.rules import MUST
from pytests.cli.conftest import Heapyard

RULE = "HY-API-05"
DEFECT = {"HEAPYARD_DEFECT": "free_null_frees_last"}
NAME = "libyard_corpus.so"
QUICK = ("-k", RULE, "-n", "0")
FILE = "known.json"


def result(rule: str, verdict: Verdict, kind: str = "") -> Result:
    return Result(rule=rule, level=MUST, verdict=verdict, kind=kind)


def targets(*results: Result, name: str = "a") -> list[TargetReport]:
    return [
        TargetReport(
            target=name, name=name, path=None, mode="dlopen", capabilities={}, results=results
        )
    ]


KNOWN = Baseline(frozenset({Entry("a", "HY-X-01", "align"), Entry("b", "HY-X-01", "overlap")}))


@pytest.mark.parametrize(
    ("target", "rule", "kind", "known"),
    [
        ("a", "HY-X-01", "align", True),
        ("b", "HY-X-01", "align", False),
        ("a", "HY-X-02", "align", False),
        ("a", "HY-X-01", "overlap", False),
    ],
)
def test_known_is_target_rule_and_kind(target: str, rule: str, kind: str, *, known: bool) -> None:
    assert KNOWN.knows(target, rule, kind) is known


@pytest.mark.parametrize(
    ("verdict", "kind", "gone"),
    [
        (Verdict.PASS, "", True),
        (Verdict.FAIL, "overlap", False),
        (Verdict.FAIL, "align", False),
        (Verdict.SKIP, "", False),
    ],
)
def test_gone_is_what_was_asked_and_holds(verdict: Verdict, kind: str, *, gone: bool) -> None:
    found = KNOWN.gone(targets(result("HY-X-01", verdict, kind)))
    assert found == ((Entry("a", "HY-X-01", "align"),) if gone else ())


def test_shrinking_takes_out_what_is_gone_and_adds_nothing() -> None:
    run = targets(result("HY-X-01", Verdict.PASS), result("HY-X-02", Verdict.FAIL, "null"))
    assert KNOWN.shrunk(run).entries == {Entry("b", "HY-X-01", "overlap")}


def test_replacing_keeps_what_was_not_asked() -> None:
    run = targets(result("HY-X-01", Verdict.PASS), result("HY-X-02", Verdict.FAIL, "null"))
    assert KNOWN.replaced(run).entries == {
        Entry("b", "HY-X-01", "overlap"),
        Entry("a", "HY-X-02", "null"),
    }


def test_the_file_is_sorted_small_and_reads_back(tmp_path: Path) -> None:
    file = tmp_path / FILE
    both = Baseline(KNOWN.entries | {Entry("a", "HY-X-01", "SIGSEGV")})
    both.write(file)
    assert Baseline.read(file) == both
    assert (
        file.read_text()
        == """\
{
 "schema": "heapyard.baseline/1",
 "targets": {
  "a": {
   "HY-X-01": ["SIGSEGV", "align"]
  },
  "b": {
   "HY-X-01": ["overlap"]
  }
 }
}
"""
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON"),
        ("[]", "has the schema None: must be 'heapyard.baseline/1'"),
        ('{"schema": "heapyard.baseline/2"}', "has the schema 'heapyard.baseline/2'"),
        ('{"schema": "heapyard.baseline/1"}', "targets must be an object"),
        ('{"schema": "heapyard.baseline/1", "targets": {"a": 1}}', "a must be an object"),
        (
            '{"schema": "heapyard.baseline/1", "targets": {"a": {"X": ["a"]}}}',
            "'X' is no rule's id",
        ),
        (
            '{"schema": "heapyard.baseline/1", "targets": {"a": {"HY-X-01": "align"}}}',
            "must have a list of kinds",
        ),
    ],
)
def test_a_file_that_is_no_baseline_is_one_line(
    here: Heapyard, folder: Path, text: str, reason: str
) -> None:
    (folder / FILE).write_text(text)
    for option in ("--baseline", "--write-baseline"):
        error = here("check", "libc", option, FILE).error
        assert reason in error
        assert FILE in error


def test_a_file_that_is_not_there_is_one_line(here: Heapyard) -> None:
    error = here("check", "libc", "--baseline", "none.json").error
    assert "can't read the baseline none.json" in error
    assert "--write-baseline" in error


def test_binary_is_not_json(folder: Path) -> None:
    (folder / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HeapyardError, match="is not JSON"):
        Baseline.read(folder / FILE)


def test_a_known_failure_does_not_fail_the_run_and_a_new_one_does(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    written = heapyard("check", corpus, *QUICK, "--write-baseline", FILE, **DEFECT)
    assert written.code == 0, written
    assert f"{FILE}: 1 known failure" in written.out
    content = json.loads((folder / FILE).read_text())
    assert list(content["targets"][NAME]) == [RULE]

    known = heapyard("check", corpus, *QUICK, "--baseline", FILE, **DEFECT)
    assert known.code == 0, known
    assert "no new MUST failed, 1 known failure" in known.out

    (folder / FILE).write_text((folder / FILE).read_text().replace(NAME, "another.so"))
    new = heapyard("check", corpus, *QUICK, "--baseline", FILE, **DEFECT)
    assert new.code == 1, new


def test_a_should_is_known_too_with_strict(heapyard: Heapyard, corpus: str) -> None:
    arguments = ("check", corpus, "-k", "HY-ERRNO-10", "-n", "0", "--strict")
    defect = {"HEAPYARD_DEFECT": "posix_memalign_sets_errno"}
    assert heapyard(*arguments, "--write-baseline", FILE, **defect).code == 0
    assert heapyard(*arguments, "--baseline", FILE, **defect).code == 0
    assert heapyard(*arguments, **defect).code == 1


def test_what_is_gone_is_told_and_taken_out(heapyard: Heapyard, corpus: str, folder: Path) -> None:
    heapyard("check", corpus, *QUICK, "--write-baseline", FILE, **DEFECT)
    mended = heapyard("check", corpus, *QUICK, "--baseline", FILE)
    assert mended.code == 0, mended
    assert f"no longer fails: {RULE} on {NAME} (" in mended.out

    shrunk = heapyard("check", corpus, *QUICK, "--baseline", FILE, "--write-baseline", FILE)
    assert f"{FILE}: 0 known failures" in shrunk.out
    assert json.loads((folder / FILE).read_text())["targets"] == {}


def test_shrinking_does_not_accept_what_is_new(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    Baseline().write(folder / FILE)
    arguments = ("--baseline", FILE, "--write-baseline", FILE)
    assert heapyard("check", corpus, *QUICK, *arguments, **DEFECT).code == 1
    assert Baseline.read(folder / FILE) == Baseline()
