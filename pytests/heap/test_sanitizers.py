"""AddressSanitizer and valgrind see each block, and nothing wrong in what the heap does.

The program is built from the heap's own sources, with flags that the build in use does not have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pytests.heap.native_tools import HERE
from pytests.support.children import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

NATIVE = CHECKOUT / "native"
SOURCES = [source for part in ("base", "pages", "heap") for source in (NATIVE / part).glob("*.c")]
FLAGS = ["-std=gnu11", "-O1", "-g", "-D_GNU_SOURCE", f"-I{NATIVE}", f"-I{NATIVE / 'include'}"]
PLACES = ["overflow", "redzone", "freed", "freed_sized", "shrunk", "run", "large"]


def build(program: Path, *flags: str) -> Path:
    compiler = os.environ.get("CC") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    sources = map(str, [HERE / "annotated.c", *SOURCES])
    command = [compiler, *FLAGS, *flags, *sources, "-pthread", "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        trivial = [compiler, *flags, "-x", "c", "-", "-o", str(program)]
        text = "int main(void) { return 0; }\n"
        works = subprocess.run(trivial, input=text, capture_output=True, text=True, check=False)
        if works.returncode != 0:
            pytest.skip(f"{compiler} can't build with {' '.join(flags)}")
        pytest.fail(done.stderr)
    return program


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return build(tmp_path_factory.mktemp("asan") / "annotated", *flags)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("valgrind") is None:
        pytest.skip("needs valgrind")
    flags = ["-DHEAPYARD_VALGRIND=1", "-gdwarf-4"]
    return build(tmp_path_factory.mktemp("valgrind") / "annotated", *flags)


def run(*command: str | Path) -> tuple[int, str]:
    alone = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.death
@pytest.mark.parametrize("place", PLACES)
def test_address_sanitizer_catches_a_touch_of(sanitized: Path, place: str) -> None:
    code, errors = run(sanitized, place)
    assert code != 0
    assert "AddressSanitizer: use-after-poison" in errors


def test_address_sanitizer_has_nothing_against_sound_use(sanitized: Path) -> None:
    assert run(sanitized, "sound") == (0, "")


@pytest.mark.parametrize("place", PLACES)
def test_memcheck_catches_a_touch_of(plain: Path, place: str) -> None:
    code, errors = run("valgrind", "-q", "--error-exitcode=99", plain, place)
    assert code == 99, errors
    assert "Invalid read of size 1" in errors


def test_memcheck_has_nothing_against_sound_use(plain: Path) -> None:
    assert run("valgrind", "-q", "--error-exitcode=99", plain, "sound") == (0, "")
