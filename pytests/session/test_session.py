"""Runs of pytest on a small suite beside a copy of this checkout's conftest.py."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

SUITE = """
import os
import pytest

@pytest.mark.parametrize("number", range(6))
def test_number(number):
    if number == int(os.environ.get("CRASH", "-1")):
        os._exit(3)

@pytest.mark.stress
def test_long():
    pass
"""

LOSES_A_TEST = """
def pytest_runtest_protocol(item):
    return True if item.name == "test_number[3]" else None
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    if not (CHECKOUT / "conftest.py").is_file():
        pytest.skip("needs a checkout")
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    (tmp_path / "pytests").mkdir()
    (tmp_path / "pytests" / "test_suite.py").write_text(SUITE)
    return tmp_path


def run(suite: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=suite,
        env={**kept, "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_stress_is_left_out_unless_asked_for(suite: Path) -> None:
    assert "6 passed, 1 deselected" in run(suite).stdout
    assert "1 passed, 6 deselected" in run(suite, "-m", "stress").stdout


def test_a_crashed_worker_is_one_failure_and_the_rest_still_runs(suite: Path) -> None:
    assert "1 failed, 5 passed" in run(suite, "-n", "2", CRASH="2").stdout


def test_a_test_without_a_result_fails_the_run_and_is_named(suite: Path) -> None:
    (suite / "pytests" / "conftest.py").write_text(LOSES_A_TEST)
    lost = run(suite, "-n", "2")
    assert lost.returncode == 1
    assert "tests without a result" in lost.stdout
    assert "test_number[3]" in lost.stdout


@pytest.mark.parametrize("mode", ["loadfile", "loadscope", "worksteal"])
def test_other_ways_of_distributing_are_refused(suite: Path, mode: str) -> None:
    refused = run(suite, "-n", "2", "--dist", mode)
    assert refused.returncode == 4
    assert f"--dist {mode}: must be load" in refused.stderr
