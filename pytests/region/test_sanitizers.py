"""AddressSanitizer and valgrind see each block, and nothing wrong in what the engines do."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pytests.region.blocks import ENGINES, Setup
from pytests.region.native_tools import build

if TYPE_CHECKING:
    from pathlib import Path

WRONG = ["past the end", "after free", "unused memory", "after shrinking", "after reset"]


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return build(tmp_path_factory.mktemp("asan") / "annotated", "annotated.c", flags)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("valgrind") is None:
        pytest.skip("no valgrind")
    flags = ["-DHEAPYARD_VALGRIND=1", "-gdwarf-4"]
    return build(tmp_path_factory.mktemp("valgrind") / "annotated", "annotated.c", flags)


def run(program: Path, setup: Setup, scenario: str, *before: str) -> tuple[int, str]:
    command = [*before, str(program), str(int(setup.engine)), scenario]
    alone = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def under_valgrind(program: Path, setup: Setup, scenario: str) -> tuple[int, str]:
    return run(program, setup, scenario, "valgrind", "-q", "--error-exitcode=99")


@pytest.mark.death
@pytest.mark.parametrize("setup", ENGINES, ids=str)
@pytest.mark.parametrize("scenario", WRONG)
def test_address_sanitizer_stops_an_access(sanitized: Path, setup: Setup, scenario: str) -> None:
    code, errors = run(sanitized, setup, scenario)
    assert code != 0
    assert "AddressSanitizer: use-after-poison" in errors


@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_address_sanitizer_has_nothing_against_sound_use(sanitized: Path, setup: Setup) -> None:
    assert run(sanitized, setup, "sound") == (0, "")


@pytest.mark.parametrize("setup", ENGINES, ids=str)
@pytest.mark.parametrize("scenario", WRONG)
def test_valgrind_reports_an_access(plain: Path, setup: Setup, scenario: str) -> None:
    code, errors = under_valgrind(plain, setup, scenario)
    assert code == 99, errors
    assert "Invalid" in errors


@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_valgrind_has_nothing_against_sound_use(plain: Path, setup: Setup) -> None:
    assert under_valgrind(plain, setup, "sound") == (0, "")
