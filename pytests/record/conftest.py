"""Runs of `heapyard record` in a process of its own, on a program whose calls are known."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from heapyard._native.build import current_build
from heapyard.trial.recording import Recording, read_recording
from pytests.record.words import Word, read_words
from pytests.support.children import child_environment

if TYPE_CHECKING:
    from pathlib import Path

MARK = 77777
"""The size that the program asks for before and after what it does."""


@dataclass(frozen=True)
class Ran:
    """A run that has ended, and its recordings."""

    code: int
    out: str
    err: str
    path: Path

    @property
    def error(self) -> str:
        """The one line of an error."""
        lines = self.err.splitlines()
        assert self.code == 2, self
        assert len(lines) == 1, self
        assert lines[0].startswith("heapyard: error: "), self
        return lines[0].removeprefix("heapyard: error: ")

    @property
    def recording(self) -> Recording:
        return read_recording(self.path)

    @property
    def words(self) -> list[Word]:
        return read_words(self.path)

    @property
    def marked(self) -> list[Word]:
        """What the program did between its marks, without the calls that made them."""
        words = self.words
        marks = [place for place, word in enumerate(words) if word.arguments == (MARK,)]
        assert len(marks) == 2, marks
        return words[marks[0] + 2 : marks[1]]

    @property
    def others(self) -> list[Path]:
        """The recordings beside the program's own."""
        return sorted(self.path.parent.glob(f"{self.path.name}.*"))


class Record(Protocol):
    def __call__(self, *arguments: str, stdin: str = "", **more: str) -> Ran: ...


@pytest.fixture
def record_command(tmp_path: Path) -> Record:
    """`heapyard record -o FILE ARGUMENTS`."""

    def run(*arguments: str, stdin: str = "", **more: str) -> Ran:
        path = tmp_path / "calls.hyrec"
        done = subprocess.run(
            [sys.executable, "-m", "heapyard", "record", "-o", str(path), *arguments],
            env=child_environment() | more,
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr, path)

    return run


@pytest.fixture
def recorded(record_command: Record) -> Record:
    """Record the program of these tests doing one thing; options come after it."""

    def run(*arguments: str, stdin: str = "", **more: str) -> Ran:
        what, *options = arguments
        return record_command(*options, "--", str(built("recorded")), what, stdin=stdin, **more)

    return run


def built(name: str) -> Path:
    """What CMake built for these tests."""
    path = current_build().source.parent / "pytests" / "record" / name
    if not path.exists():
        pytest.skip("this build has no test programs")
    return path
