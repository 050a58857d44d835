"""The example of docs/object.md: built from the public headers alone, and does what it says."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from pytests.support.children import CHECKOUT
from pytests.support.valgrind import skip_without_valgrind

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = CHECKOUT / "docs" / "examples" / "runtime.c"

EXPECTED = """\
the list of words is gone
who refers to the scope of main:
  a file with 1 references
file 2 of lost is closed
collected 2 of 4 (generation 2)
what lives:
  a table with 2 references
  a file with 1 references
10 young collections
file 1 of main is closed
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = current_build()
    compiler = shutil.which("cc")
    if build.sanitizer or not build.counters or compiler is None:
        pytest.skip("needs a C compiler, and a build with counters and without a sanitizer")
    path = tmp_path_factory.mktemp("example") / "runtime"
    library = build.libheapyard
    flags = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]
    places = [f"-I{CHECKOUT}/native/include", str(library), f"-Wl,-rpath,{library.parent}"]
    subprocess.run([compiler, *flags, SOURCE, *places, "-o", path], check=True)
    return path


def test_the_example_prints_what_its_comments_say(program: Path) -> None:
    done = subprocess.run([program], check=True, capture_output=True, text=True)
    assert done.stdout == EXPECTED
    assert done.stderr == ""


def test_the_example_makes_no_error_that_valgrind_sees(program: Path) -> None:
    skip_without_valgrind(program)
    done = subprocess.run(
        ["valgrind", "-q", "--error-exitcode=3", "--leak-check=full", program],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
