"""Programs built from region's own sources, with flags that the build in use does not have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parents[1] / "native"
SOURCES = sorted((NATIVE / "region").glob("*.c")) + sorted((NATIVE / "base").glob("*.c"))
COMPILER = os.environ.get("CC") or shutil.which("cc") or "cc"
FLAGS = ["-std=gnu11", "-O1", "-g", "-D_GNU_SOURCE", f"-I{NATIVE}", f"-I{NATIVE / 'include'}"]


def build(program: Path, source: str, flags: Sequence[str]) -> Path:
    """A program of one source beside this file; skips where the compiler can't with these flags."""
    command = [COMPILER, *FLAGS, *flags, str(HERE / source), *map(str, SOURCES), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        probe = [COMPILER, *flags, "-x", "c", "-", "-o", str(program)]
        text = "#include <stdio.h>\nint main(void) { return 0; }\n"
        if subprocess.run(
            probe, input=text, capture_output=True, text=True, check=False
        ).returncode:
            pytest.skip(f"{COMPILER} can't build with {' '.join(flags)}")
        pytest.fail(done.stderr)
    return program


def output(program: Path, *arguments: object) -> str:
    """What it prints; it must end with 0."""
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
