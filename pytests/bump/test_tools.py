"""AddressSanitizer and valgrind see each block, not one big arena."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from heapyard._native.build import current_build
from pytests.support import dies
from pytests.support.children import CHECKOUT
from pytests.support.valgrind import skip_without_valgrind

PLACES = ["overflow", "redzone", "unused", "reset", "rewind", "shrunk", "large"]

CALLS = {
    "overflow": "block, offset = bump.alloc(20), 20; bump.alloc(20)",
    "redzone": "block, offset = bump.alloc(20), 47; bump.alloc(20)",
    "unused": "block, offset = bump.alloc(20), 5000",
    "reset": "block, offset = bump.alloc(20), 0; bump.reset()",
    "rewind": "mark = bump.mark(); block, offset = bump.alloc(20), 0; bump.rewind(mark)",
    "shrunk": "block, offset = bump.realloc(bump.alloc(20), 20, 10), 10",
    "large": "block, offset = bump.alloc(100_000), 100_000",
}


@pytest.mark.death
@pytest.mark.parametrize("place", PLACES)
def test_address_sanitizer_catches_a_touch_of(place: str) -> None:
    if not current_build().has_sanitizer("address"):
        pytest.skip("needs a build with HEAPYARD_SANITIZER=address")
    dies(
        f"""
        import ctypes
        from heapyard import Bump
        bump = Bump()
        {CALLS[place]}
        ctypes.memset(block + offset, 1, 1)
        """,
        match="use-after-poison",
        exit_code=1,
    )


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """touch.c, linked to the library; skips where valgrind can't tell anything."""
    build = current_build()
    cache = build.source.parent / "CMakeCache.txt"
    if not cache.is_file() or "HEAPYARD_VALGRIND:BOOL=ON" not in cache.read_text():
        pytest.skip("needs a build with HEAPYARD_VALGRIND=ON")
    compiler = shutil.which("cc")
    if build.sanitizer or compiler is None:
        pytest.skip("needs a C compiler, and a build without a sanitizer")
    path = tmp_path_factory.mktemp("touch") / "touch"
    folder = build.libheapyard.parent
    subprocess.run(
        [
            *(compiler, "-g", "-O2", "-o", path, Path(__file__).with_name("touch.c")),
            *(f"-I{CHECKOUT}/native/include", build.libheapyard, f"-Wl,-rpath,{folder}"),
        ],
        check=True,
    )
    skip_without_valgrind(path, "sound")
    return path


def memcheck(program: Path, place: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["valgrind", "-q", "--error-exitcode=9", program, place],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("place", PLACES)
def test_memcheck_catches_a_touch_of(program: Path, place: str) -> None:
    done = memcheck(program, place)
    assert done.returncode == 9, done.stderr
    assert "Invalid read of size 1" in done.stderr


def test_memcheck_has_nothing_to_say_of_a_sound_program(program: Path) -> None:
    done = memcheck(program, "sound")
    assert (done.returncode, done.stderr) == (0, "")
