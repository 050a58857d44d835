"""Runs of `heapyard`: in a process of its own, or, for what runs no rule, in this one."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from heapyard._native.build import build_environment, current_build
from heapyard.cli import main

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 120


@dataclass(frozen=True)
class Ran:
    """A run that has ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error."""
        lines = self.err.splitlines()
        assert self.code == 2, self
        assert len(lines) == 1, self
        assert lines[0].startswith("heapyard: error: "), self
        return lines[0].removeprefix("heapyard: error: ")


Heapyard = Callable[..., Ran]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user stands: an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def environment() -> dict[str, str]:
    """Of a child: it finds this package and this build."""
    path = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
    return (
        {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        | build_environment()
        | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "COLUMNS": "100"}
    )


@pytest.fixture
def heapyard(folder: Path, environment: dict[str, str]) -> Heapyard:
    """Run the command in a process of its own."""

    def run(*arguments: str, **more: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "heapyard", *arguments],
            env=environment | more,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def here(capfd: pytest.CaptureFixture[str]) -> Heapyard:
    """Run the command in this process: for what ends before any rule is run."""

    def run(*arguments: str) -> Ran:
        code = main(arguments)
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def corpus() -> str:
    """The library whose defects are chosen by HEAPYARD_DEFECT."""
    path = current_build().corpus
    if path is None:
        pytest.skip("this build has no corpus")
    return str(path)
