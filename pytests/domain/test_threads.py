"""Tables are replaced, and blocks numbered, while other threads use them.

races.c is built from the library's own sources: as it is, and with ThreadSanitizer, which sees a
race even where it did no harm. It forks in no mode that ThreadSanitizer watches.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parents[1] / "native"
PARTS = ("base", "pages", "bump", "heap", "domain")
SOURCES = [str(path) for part in PARTS for path in sorted((NATIVE / part).glob("*.c"))]
FLAGS = ["-std=gnu11", "-O1", "-g", "-D_GNU_SOURCE", f"-I{NATIVE}", f"-I{NATIVE / 'include'}"]


def build(folder: Path, *flags: str, compiler: str = "cc") -> Path:
    program = folder / "races"
    command = [compiler, *FLAGS, *flags, str(HERE / "races.c"), *SOURCES, "-pthread", "-o"]
    subprocess.run([*command, str(program)], check=True)
    return program


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("races"))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with ThreadSanitizer; skips where no compiler has one that runs here."""
    folder = tmp_path_factory.mktemp("races_tsan")
    source = folder / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    for compiler in ("clang", "gcc"):
        if shutil.which(compiler) is None:
            continue
        probe = [compiler, "-fsanitize=thread", str(source), "-o", str(folder / "empty")]
        built = subprocess.run(probe, capture_output=True, check=False).returncode == 0
        if built and run(folder / "empty", "")[0] == 0:
            return build(folder, "-fsanitize=thread", compiler=compiler)
    pytest.skip("needs a ThreadSanitizer that runs here")


def run(program: Path, mode: str, malloc: str = "default") -> tuple[int, str]:
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    environment |= {"HEAPYARD_MALLOC": malloc}
    done = subprocess.run(
        [str(program), mode],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


MALLOCS = ["malloc", "heap"]


@pytest.mark.parametrize("malloc", MALLOCS)
def test_gh_75654_each_request_of_any_thread_has_its_own_serial_number(
    plain: Path, malloc: str
) -> None:
    code, text = run(plain, "serials", malloc)
    assert code == 0, text


@pytest.mark.parametrize("mode", ["tables", "fork"])
@pytest.mark.parametrize("malloc", MALLOCS)
def test_threads_disturb_nothing(plain: Path, mode: str, malloc: str) -> None:
    code, text = run(plain, mode, malloc)
    assert code == 0, text


@pytest.mark.parametrize("mode", ["tables", "serials"])
@pytest.mark.parametrize("malloc", MALLOCS)
def test_thread_sanitizer_sees_no_race(watched: Path, mode: str, malloc: str) -> None:
    code, text = run(watched, mode, malloc)
    assert (code, "WARNING" in text) == (0, False), text
