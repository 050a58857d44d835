"""Ids, and the ways in which people choose, stop and spread tests."""

import re
import subprocess
from pathlib import Path

import pytest

from heapyard._defendants import short_names
from pytests.plugin.conftest import HEADER, RULES, Run, Verdicts

CRASHES = (
    HEADER
    + '''
@rule("HY-WANT-08", level=MUST, source="nobody")
def test_it(trial):
    """The rule's own process lives on."""
    os._exit(9)
'''
)


def ids(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if re.search(r"::test_\w+\[HY-", line)]


def test_ids_name_rule_and_target(run: Run) -> None:
    assert ids(run("--collect-only", "-q")) == [
        "test_rules.py::test_it_holds[HY-HOLD-01-libc]",
        "test_rules.py::test_it_does_not_hold[HY-WANT-01-libc]",
        "test_rules.py::test_it_should[HY-WANT-02-libc]",
        "test_rules.py::test_it_needs[HY-NEED-01-libc]",
        "test_rules.py::test_it_shows[HY-SHOW-01-libc]",
    ]


def test_each_rule_runs_once_for_each_target(run: Run) -> None:
    listed = ids(run("--collect-only", "-q", "--allocator=python:raw", "--allocator=libc"))
    assert [line for line in listed if "HOLD" in line] == [
        "test_rules.py::test_it_holds[HY-HOLD-01-libc]",
        "test_rules.py::test_it_holds[HY-HOLD-01-python:raw]",
    ]


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["libc", "region:fast"], ("libc", "region:fast")),
        (["./a/libmine.so"], ("libmine.so",)),
        (["a/lib.so", "/b/lib.so", "libc"], ("a/lib.so", "b/lib.so", "libc")),
        (["x/a/lib.so", "y/a/lib.so", "a/lib.so"], ("x/a/lib.so", "y/a/lib.so", "a/lib.so")),
        (["./lib.so", "lib.so"], ("lib.so-1", "lib.so-2")),
        (["/tmp/my lib[1].so"], ("my_lib_1_.so",)),
        (["/"], ("target",)),
    ],
)
def test_targets_have_short_names_of_their_own(texts: list[str], names: tuple[str, ...]) -> None:
    assert short_names(texts) == names


def test_k_chooses_by_rule(run: Run) -> None:
    run("-k", "HY-HOLD-01").assert_outcomes(passed=1)


def test_k_chooses_by_target(run: Run) -> None:
    run("-k", "HOLD-01 and raw", "--allocator=python:raw").assert_outcomes(passed=1)


def test_x_stops_at_the_first_failure(run: Run) -> None:
    run("-x").assert_outcomes(passed=1, failed=1)


def test_lf_runs_what_failed_again(run: Run) -> None:
    run()
    run("--lf", code=None).assert_outcomes(failed=1)


def test_junit_names_rule_target_and_failure(run: Run, pytester: pytest.Pytester) -> None:
    run("--junitxml=out.xml")
    text = (pytester.path / "out.xml").read_text()
    assert 'name="test_it_does_not_hold[HY-WANT-01-libc]"' in text
    assert 'message="expected a failure; seen a block at 0x' in text
    assert '<property name="heapyard" value="{&quot;rule&quot;: &quot;HY-WANT-01&quot;' in text


@pytest.mark.parametrize("workers", ["1", "2", "3"])
def test_workers_do_not_change_the_outcome(run: Run, workers: str) -> None:
    result = run("-n", workers)
    result.assert_outcomes(passed=2, failed=1, xfailed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "  expected  a failure",
            "MUST failed *libc",
            "  HY-WANT-01 *FAIL",
            "SHOULD failed *libc",
            "  HY-WANT-02 *weak",
        ]
    )


def test_workers_do_not_change_the_verdicts(run: Run, verdicts: Verdicts) -> None:
    def seen(*arguments: str) -> dict[str, tuple[str, str]]:
        run("--heapyard-json=verdicts.json", *arguments)
        hidden = re.compile(r"0x[0-9a-f]+")
        return {
            rule: (result["verdict"], hidden.sub("0x", result["detail"]))
            for rule, result in verdicts().items()
        }

    assert seen() == seen("-n", "2") == seen("-n", "3", "--dist=load")


@pytest.mark.death
def test_a_worker_that_dies_leaves_a_verdict_for_its_rule(run: Run, verdicts: Verdicts) -> None:
    result = run("-n", "2", "--heapyard-json=verdicts.json", code=RULES + CRASHES[len(HEADER) :])
    result.assert_outcomes(passed=2, failed=2, xfailed=1, skipped=1)
    crashed = verdicts()["HY-WANT-08"]
    assert crashed["verdict"] == "fail"
    assert "crashed" in crashed["detail"]
    assert len(verdicts()) == 6


def test_a_targets_own_crash_is_a_verdict_not_a_crash(run: Run, pytester: pytest.Pytester) -> None:
    library = _library(pytester.path, "void *malloc(size_t n) { (void)n; __builtin_trap(); }")
    result = run("-k", "HY-HOLD", target=str(library))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  seen *SIGILL*"])


def _library(folder: Path, body: str) -> Path:
    source = folder / "mine.c"
    source.write_text(f"#include <stddef.h>\n{body}\nvoid free(void *p) {{ (void)p; }}\n")
    library = folder / "libmine.so"
    command = ["cc", "-shared", "-fPIC", "-fno-builtin", "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    return library


def test_random_order_changes_nothing(run: Run) -> None:
    pytest.importorskip("pytest_randomly")
    for seed in ("1", "2"):
        result = run("-p", "pytest_randomly", f"--randomly-seed={seed}")
        result.assert_outcomes(passed=2, failed=1, xfailed=1, skipped=1)
