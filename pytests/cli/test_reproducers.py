"""C programs on the command line: `check --reproducers`, `replay --c`."""

import subprocess
from pathlib import Path

import pytest

from pytests.cli.conftest import Heapyard

DEFECT = {"HEAPYARD_DEFECT": "malloc_zero_shared"}
CHECK = ("-k", "HY-API-03", "-n", "0")


def test_check_writes_a_program_and_names_its_command(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    ran = heapyard("check", corpus, *CHECK, "--reproducers", "programs", **DEFECT)
    assert ran.code == 1
    (line,) = [line for line in ran.out.splitlines() if " in C " in line]
    assert [path.suffix for path in (folder / "programs").iterdir()] == [".c"]
    assert "int main(void)" in ran.out
    command = line.partition(" in C ")[2].strip()
    shown = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", **DEFECT},
    )  # fmt: skip
    assert (shown.returncode, shown.stdout[:10]) == (1, "expected: "), shown


def test_what_a_program_sees_with_malloc_replaced_is_a_program_too(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    defect = {"HEAPYARD_DEFECT": "aligned_alloc_left_to_libc"}
    ran = heapyard("check", corpus, "-k", "HY-SWAP-01", "-n", "0", "--reproducers", ".", **defect)
    (line,) = [line for line in ran.out.splitlines() if " in C " in line]
    shown = subprocess.run(
        line.partition(" in C ")[2].strip(), shell=True, cwd=folder, capture_output=True, text=True,
        check=False, env={"PATH": "/usr/bin:/bin", **defect},
    )  # fmt: skip
    assert (shown.returncode, "at aligned_alloc" in shown.stdout) == (1, True), shown


def test_programs_stand_beside_the_plans_where_nothing_is_said(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    assert heapyard("check", corpus, *CHECK, **DEFECT).code == 1
    saved = {path.suffix for path in (folder / ".heapyard/plans").iterdir()}
    assert saved == {".c", ".json"}


def test_reproducers_that_is_a_file_is_refused(here: Heapyard, folder: Path) -> None:
    (folder / "file").write_text("")
    assert here("check", "libc", "--reproducers", "file").error == (
        "--reproducers file is a file: name a folder"
    )


@pytest.fixture
def plan(heapyard: Heapyard, corpus: str, folder: Path) -> str:
    heapyard("check", corpus, *CHECK, **DEFECT)
    return str(next((folder / ".heapyard/plans").glob("*.json")))


def test_replay_prints_a_program(heapyard: Heapyard, plan: str) -> None:
    ran = heapyard("replay", plan, "--c", **DEFECT)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("/*\n * HY-API-03")
    assert "apart(p1, 0, p0, 0);" in ran.out


def test_replay_writes_a_program(heapyard: Heapyard, plan: str, folder: Path) -> None:
    ran = heapyard("replay", plan, "--c", "-o", "it.c", **DEFECT)
    assert ran.out.startswith("it.c: cc it.c && LD_PRELOAD=/")
    assert (folder / "it.c").read_text().endswith("}\n")


def test_program_of_a_plan_that_holds_checks_everything(heapyard: Heapyard, plan: str) -> None:
    ran = heapyard("replay", plan, "libc", "--c")
    assert ran.code == 0
    assert "apart(p1, 0, p0, 0);" in ran.out


def test_output_without_c_is_refused(here: Heapyard) -> None:
    assert here("replay", "x.json", "-o", "y").error.startswith("-o goes with --c")
