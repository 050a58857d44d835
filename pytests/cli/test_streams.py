"""Standard streams that are closed or full, reports and folders that vanish: one line at most."""

import subprocess
import sys
from pathlib import Path

import pytest

from pytests.cli.conftest import SECONDS, Heapyard, Ran

FULL = Path("/dev/full")
ONE_RULE = "check libc -k HY-ALIGN-01 -n 0"

needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def shell(command: str, environment: dict[str, str], folder: Path) -> Ran:
    """Run `heapyard` with these arguments and redirections."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "{sys.executable}" -m heapyard {command}'],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_exit_code(
    environment: dict[str, str], folder: Path, closed: str
) -> None:
    ran = shell(f"{ONE_RULE} {closed}", environment, folder)
    assert (ran.code, ran.err) == (0, "")
    assert ("no MUST failed" in ran.out) == (">&-" not in closed.split())


@needs_full
@pytest.mark.parametrize("command", [ONE_RULE, "rules", "targets"])
def test_output_that_can_not_be_written_is_one_line(
    environment: dict[str, str], folder: Path, command: str
) -> None:
    error = shell(f"{command} > /dev/full", environment, folder).error
    assert error == "can't write the output: no space left on device"


@needs_full
@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_does_not_fit_is_one_line(heapyard: Heapyard, option: str) -> None:
    error = heapyard(*ONE_RULE.split(), option, "/dev/full").error
    assert "no space left on device" in error.lower()


def test_a_folder_that_is_gone_is_one_line(environment: dict[str, str], folder: Path) -> None:
    (folder / "gone").mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", f'cd gone && rmdir ../gone && exec "{sys.executable}" -m heapyard check'],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "this folder is gone" in Ran(done.returncode, done.stdout, done.stderr).error
