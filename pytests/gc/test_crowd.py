"""More garbage than the index of an object can number, by a build in which that is 1,023."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from pytests.support.children import CHECKOUT
from pytests.support.compilers import COMPILER

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 5000
WALK, LINKED = "0", "1"


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if current_build().sanitizer:
        pytest.skip("a sanitizer's runtime is not made for the compiler")
    program = tmp_path_factory.mktemp("crowd") / "crowd"
    native = CHECKOUT / "native"
    parts = ("base", "pages", "bump", "heap", "object", "gc")
    sources = [path for part in parts for path in sorted((native / part).glob("*.c"))]
    defined = ["-D_GNU_SOURCE", "-DHEAPYARD_COUNTERS=1", "-DHEAPYARD_ASSERT_LEVEL=1"]
    command = [COMPILER, "-std=c11", "-O1", *defined, "-DHEAPYARD_VALGRIND=0"]
    command += ["-DHY__INDEX=((int64_t)1 << 21)", f"-I{native}", f"-I{native}/include"]
    source = CHECKOUT / "pytests" / "gc" / "crowd.c"
    subprocess.run([*command, source, *sources, "-o", program, "-pthread"], check=True)
    return program


def collected(crowd: Path, engine: str, finalizers: int) -> list[int]:
    """What two collections ended, finalizers run, and what lives."""
    command = [str(crowd), engine, str(finalizers)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [int(number) for number in out.split()]


@pytest.mark.parametrize("engine", [LINKED, WALK])
def test_all_go_at_once_where_nothing_is_finalized(crowd: Path, engine: str) -> None:
    assert collected(crowd, engine, 0) == [COUNT, 0, 0, 0]


@pytest.mark.parametrize("engine", [LINKED, WALK])
@pytest.mark.parametrize("finalizers", [1, 2000])
def test_finalizers_run_once_and_the_next_collection_ends_what_stayed(
    crowd: Path, engine: str, finalizers: int
) -> None:
    first, second, finalized, live = collected(crowd, engine, finalizers)
    assert (first + second, finalized, live) == (COUNT, finalizers, 0)
