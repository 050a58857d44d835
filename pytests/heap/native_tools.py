"""Small C programs over the built library, and what callgrind says that they cost."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from heapyard._native.build import current_build
from pytests.support.children import CHECKOUT
from pytests.support.valgrind import skip_without_valgrind

HERE = Path(__file__).resolve().parent
INSTRUCTIONS = re.compile(r"Collected : (\d+)")


def compile_program(folder: Path, source: str) -> Path:
    """The program of one source beside this file, linked to the library under test."""
    build = current_build()
    compiler = shutil.which("cc")
    if build.sanitizer or compiler is None:
        pytest.skip("needs a C compiler, and a build without a sanitizer")
    path = folder / Path(source).stem
    subprocess.run(
        [
            *(compiler, "-g", "-O2", "-o", path, HERE / source),
            *(f"-DHEAPYARD_COUNTERS={int(build.counters)}", f"-I{CHECKOUT}/native/include"),
            *(build.libheapyard, f"-Wl,-rpath,{build.libheapyard.parent}"),
        ],
        check=True,
    )
    return path


def instructions(program: Path, *arguments: object) -> int:
    """How many instructions a run takes, all told."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*command, str(program), *map(str, arguments)], capture_output=True, text=True, check=True
    )
    found = INSTRUCTIONS.search(done.stderr)
    assert found, done.stderr
    return int(found[1])


def callgrind_program(folder: Path, source: str, *arguments: str) -> Path:
    """The same, or a skip where valgrind can't run it."""
    program = compile_program(folder, source)
    skip_without_valgrind(program, *arguments)
    return program
