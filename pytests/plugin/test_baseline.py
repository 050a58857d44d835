"""Known failures in a session of pytest: they are expected, and what is gone is told."""

import json
from pathlib import Path

import pytest

from pytests.plugin.conftest import Run

FILE = "known.json"


def known(*rules: str, kind: str = "refuse") -> str:
    targets = {"libc": {rule: [kind] for rule in rules}}
    return json.dumps({"schema": "heapyard.baseline/1", "targets": targets})


def test_a_known_failure_is_expected(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / FILE).write_text(known("HY-WANT-01"))
    result = run(f"--heapyard-baseline={FILE}", "-rx")
    result.assert_outcomes(passed=2, xfailed=2, skipped=1)
    result.stdout.fnmatch_lines(["XFAIL *HY-WANT-01-libc* - known, MUST: expected a failure*"])


def test_another_kind_is_news(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / FILE).write_text(known("HY-WANT-01", kind="overlap"))
    run(f"--heapyard-baseline={FILE}").assert_outcomes(passed=2, failed=1, xfailed=1, skipped=1)


def test_workers_know_it_too(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / FILE).write_text(known("HY-WANT-01"))
    run(f"--heapyard-baseline={FILE}", "-n", "1").assert_outcomes(passed=2, xfailed=2, skipped=1)


def test_an_ini_file_can_name_it(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / FILE).write_text(known("HY-WANT-01"))
    pytester.makeini(f"[pytest]\nheapyard_baseline = {FILE}")
    run().assert_outcomes(passed=2, xfailed=2, skipped=1)


def test_what_no_longer_fails_is_told(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / FILE).write_text(known("HY-HOLD-01"))
    run(f"--heapyard-baseline={FILE}").stdout.fnmatch_lines(
        ["no longer fails*: HY-HOLD-01 on libc (refuse)"]
    )


def test_it_is_written_with_what_fails(run: Run, pytester: pytest.Pytester) -> None:
    run(f"--heapyard-write-baseline={FILE}").assert_outcomes(passed=2, xfailed=2, skipped=1)
    assert json.loads((pytester.path / FILE).read_text())["targets"] == {
        "libc": {"HY-WANT-01": ["refuse"], "HY-WANT-02": ["refuse"]}
    }


def test_a_session_that_is_cut_short_writes_none(run_apart: Run, pytester: pytest.Pytester) -> None:
    code = "def test_stops():\n    raise KeyboardInterrupt\n"
    pytester.makepyfile(test_zz_stops=code)
    arguments = ("--allocator=libc", f"--heapyard-write-baseline={FILE}")
    result = run_apart(*arguments, "test_rules.py", "test_zz_stops.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert not (pytester.path / FILE).exists()


def test_a_missing_file_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    result = run(f"--heapyard-baseline={tmp_path / 'none.json'}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: can't read the baseline *none.json: *"])
