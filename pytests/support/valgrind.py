"""Whether valgrind can run a program here."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def skip_without_valgrind(program: Path, *arguments: str) -> None:
    """Skip unless valgrind runs this (it gives up on debug information that is newer than it)."""
    if shutil.which("valgrind") is None:
        pytest.skip("needs valgrind")
    done = subprocess.run(
        ["valgrind", "-q", "--tool=none", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if "debuginfo reader" in done.stderr:
        pytest.skip("this valgrind can't read the debug information of this compiler")
