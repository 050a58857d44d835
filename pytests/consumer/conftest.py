"""One installation of the build under test for each worker."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from heapyard._native.build import Build, current_build


@dataclass(frozen=True)
class Installation:
    """Where `cmake --install` put each part."""

    prefix: Path
    build: Build

    @property
    def library(self) -> Path:
        """The file that programs link with."""
        return next(self.prefix.glob("lib*/**/libheapyard.so"))

    @property
    def pkgconfig(self) -> Path:
        return next(self.prefix.glob("lib*/**/pkgconfig"))

    @property
    def headers(self) -> list[Path]:
        return sorted((self.prefix / "include" / "heapyard").glob("*.h"))


def tool(name: str) -> str:
    """The path of a program, or the test is skipped."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs {name}")
    return path


def run(*command: str | Path, **environment: str) -> str:
    """What a command that must succeed prints."""
    shared = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    if shutil.which("ninja"):
        shared["CMAKE_GENERATOR"] = "Ninja"
    result = subprocess.run(
        [str(part) for part in command],
        env={**shared, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}:\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    build = current_build()
    folder = build.source.parent
    if not (folder / "CMakeCache.txt").is_file():
        pytest.skip("the library in use is an installed one, not a build folder")
    if build.sanitizer:
        pytest.skip("a sanitized library needs a sanitized program")
    prefix = tmp_path_factory.mktemp("prefix")
    run(tool("cmake"), "--install", folder, "--prefix", prefix)
    return Installation(prefix, build)
