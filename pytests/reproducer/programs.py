"""Compile a C program that was written for a failure, and run it."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytests.support.compilers import COMPILER

__all__ = ["Run", "compiled", "run"]

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O2")
"""What a user's compiler may be told: no program has a warning."""


@dataclass(frozen=True)
class Run:
    """A program that has ended."""

    code: int
    text: str
    """What it printed, on both streams."""


def compiled(text: str, folder: Path, *, compiler: str = COMPILER) -> Path:
    """The program of this C text; compiling must neither fail nor warn."""
    source, program = folder / "repro.c", folder / "repro"
    source.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [compiler, *STRICT, str(source), "-o", str(program), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), text
    return program


def run(program: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Run:
    """Run it to its end, with these variables added."""
    inherited = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(
        [str(program), *arguments],
        env={**inherited, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr)
