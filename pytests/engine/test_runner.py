"""The runner: how targets are found, what the parent sees of a crash, the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from pytests.engine.driver import Header, launch, library, needs_the_libc, op, pack, run

if TYPE_CHECKING:
    from collections.abc import Callable


def plain() -> str:
    return str(library("plain"))


SOUND = pack([op("malloc", 0, 100), op("malloc", 1, 50), op("free", 0)])


def test_libc_has_the_family() -> None:
    found = launch(["--capabilities"]).result
    assert found["schema"] == "heapyard.capabilities/1"
    assert found["name"] == "libc"
    assert {"malloc", "calloc", "realloc", "free", "posix_memalign"} <= set(found["functions"])
    assert found["flags"] == ["errno", "threads"]
    assert found["table"] is False
    assert found["max_size"] == 2**63 - 1
    assert Path(found["path"]).exists()


def test_a_table_says_what_the_target_can_do() -> None:
    found = launch(["--library", str(library("scripted_bulk")), "--capabilities"]).result
    assert found["table"] is True
    assert found["name"] == "bulk"
    assert found["flags"] == ["bulk_free_only"]
    assert found["min_alignment"] == 16
    assert found["max_size"] == 2**20
    assert "free" not in found["functions"]
    assert {"malloc", "check", "trim", "usable_size"} <= set(found["functions"])


def test_what_a_library_lacks_is_not_taken_from_the_libc() -> None:
    found = launch(["--library", plain(), "--capabilities"]).result
    assert found["functions"] == ["malloc", "free"]
    assert found["path"] == str(Path(plain()).resolve())


def test_a_prefix_is_put_before_every_name() -> None:
    found = launch(["--library", plain(), "--prefix", "lone_", "--capabilities"]).result
    assert found["functions"] == ["malloc", "free", "usable_size"]
    assert launch(["--library", plain(), "--prefix", "lone_"], plan=SOUND).status == "held"


def test_a_prefix_overrides_a_table() -> None:
    cause, reason = launch(
        ["--library", str(library("scripted")), "--prefix", "x_"], plan=SOUND
    ).refused
    assert cause == "symbol"
    assert "x_malloc" in reason


@needs_the_libc
@pytest.mark.parametrize("prefix", ["", "lone_"])
def test_a_preloaded_library_is_found(prefix: str) -> None:
    preload = {"LD_PRELOAD": plain()}
    arguments = ["--preloaded", "--library", plain(), "--prefix", prefix]
    found = launch([*arguments, "--capabilities"], environment=preload).result
    assert found["functions"][:2] == ["malloc", "free"]
    assert found["path"] == str(Path(plain()).resolve())
    assert launch(arguments, plan=SOUND, environment=preload).status == "held"


@needs_the_libc
def test_a_preloaded_library_needs_no_path() -> None:
    found = launch(["--preloaded", "--capabilities"], environment={"LD_PRELOAD": plain()}).result
    assert found["functions"] == ["malloc", "free"]


@needs_the_libc
def test_what_is_preloaded_counts_only_if_it_is_the_file_that_was_named() -> None:
    arguments = ["--preloaded", "--library", str(library("scripted")), "--capabilities"]
    assert launch(arguments, environment={"LD_PRELOAD": plain()}).refused[0] == "symbol"


@needs_the_libc
def test_preloaded_without_a_preload_finds_no_malloc() -> None:
    cause, reason = launch(["--preloaded", "--library", plain(), "--capabilities"]).refused
    assert cause == "symbol"
    assert "no malloc" in reason


def test_a_preloaded_file_that_is_missing_is_named() -> None:
    arguments = ["--preloaded", "--library", "/nonexistent.so", "--capabilities"]
    assert launch(arguments).refused == ("load", "no such file: /nonexistent.so")


def test_a_library_that_is_missing_is_named() -> None:
    cause, reason = launch(["--library", "/nonexistent.so"], plan=SOUND).refused
    assert cause == "load"
    assert "/nonexistent.so" in reason


def test_a_file_that_is_no_library_is_refused() -> None:
    assert launch(["--library", __file__, "--capabilities"]).refused[0] == "load"


def test_a_library_without_malloc_is_refused() -> None:
    cause, reason = launch(["--library", plain(), "--prefix", "je_", "--capabilities"]).refused
    assert (cause, reason) == ("symbol", f"no je_malloc in {plain()}")


TABLES = {
    "half": "only one of open and close",
    "flags": "unknown flags 0x10000000000",
    "alignment": "min_alignment 24",
    "bulk": "frees in bulk only",
    "version": "version 2, must be 1",
    "size": "size 64, must be at least",
    "empty": "no malloc",
}


@pytest.mark.parametrize(("name", "reason"), TABLES.items(), ids=TABLES)
def test_a_table_that_is_none_is_refused(name: str, reason: str) -> None:
    cause, text = launch(["--library", str(library(f"table_{name}"))], plan=SOUND).refused
    assert cause == "load"
    assert reason in text


def test_a_target_that_can_not_be_opened_is_refused() -> None:
    plan = pack([op("malloc", 0, 100)])
    cause, text = launch(["--library", str(library("table_no_instance"))], plan=plan).refused
    assert (cause, text) == ("memory", "no memory for an instance of the target")


@pytest.mark.death
def test_the_state_page_names_the_op_of_a_crash() -> None:
    plan = [op("malloc", 0, 32), op("free", 0), op("malloc", 1, 32), op("free", 1)]
    done = run(plan, script="- - - - - - crash", repeat=3)
    assert done.exit_code == -signal.SIGSEGV
    assert done.output == ""
    assert done.state == (2, 1, 6)


@pytest.mark.death
def test_a_write_to_memory_that_is_gone_crashes_in_its_op() -> None:
    """The address is not mapped, and the check that would say so is off."""
    done = run([op("nop"), op("malloc", 0, 32)], script="@1000", checks=0)
    assert done.exit_code == -signal.SIGSEGV
    assert done.state == (1, 0, 1)


def test_the_runner_dies_with_its_parent(tmp_path: Path) -> None:
    """A shell starts it and is killed: the runner, busy for minutes, must go too."""
    plan = pack([op("malloc", 0, 64), op("free", 0)], Header(repeat=1 << 40))
    path = tmp_path / "plan"
    path.write_bytes(plan)
    state = tmp_path / "state"
    state.write_bytes(bytes(64))
    runner = current_build().runner
    command = f'"{runner}" --plan "{path}" --state 3 3<>"{state}" & echo $!; wait'
    shell = subprocess.Popen(["/bin/sh", "-c", command], stdout=subprocess.PIPE, text=True)
    assert shell.stdout is not None
    child = int(shell.stdout.readline())
    wait_until(lambda: state.read_bytes() != bytes(64))
    shell.kill()
    shell.wait()
    wait_until(lambda: not is_running(child))


def wait_until(happens: Callable[[], bool], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.split()[0] != "Z"


COMMANDS = {
    "nothing": [],
    "both": ["--capabilities", "--plan", "x"],
    "unknown": ["--capabilities", "--frobnicate", "x"],
    "no-value": ["--plan"],
    "no-such-builtin": ["--builtin", "musl", "--capabilities"],
    "builtin-and-library": ["--builtin", "libc", "--library", "x", "--capabilities"],
    "result-is-no-number": ["--capabilities", "--result", "-1"],
    "result-is-empty": ["--capabilities", "--result", ""],
    "too-large": ["--capabilities", "--result", "4294967296"],
    "state-is-no-file": ["--capabilities", "--state", "77"],
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_bad_command_line_exits_with_2(arguments: list[str]) -> None:
    done = launch(arguments)
    assert done.exit_code == 2
    assert done.output == ""
    assert done.errors.startswith("heapyard-runner: ")


def test_the_result_goes_to_the_descriptor_that_was_named() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as end:
        runner = str(current_build().runner)
        done = subprocess.run(
            [runner, "--capabilities", "--result", str(writing)],
            pass_fds=[writing],
            capture_output=True,
            check=True,
        )
        os.close(writing)
        assert done.stdout == b""
        assert end.read().startswith('{"schema":"heapyard.capabilities/1"')


def test_a_result_that_can_not_be_written_exits_with_1() -> None:
    assert launch(["--capabilities", "--result", "77"]).exit_code == 1


def test_the_runner_against_musl_serves_its_own_malloc() -> None:
    runner = current_build().runner_musl
    if runner is None:
        pytest.skip("needs musl-gcc")
    found = launch(["--capabilities"], runner=runner).result
    assert found["name"] == "musl"
    assert "pvalloc" not in found["functions"]
    assert launch([], plan=SOUND, runner=runner).status == "held"
    assert launch(["--library", plain(), "--capabilities"], runner=runner).refused[0] == "load"


def test_a_trace_without_the_room_that_it_says_is_refused() -> None:
    with Path(os.devnull).open("rb") as file:
        done = subprocess.run(
            [str(current_build().runner), "--capabilities", "--trace", str(file.fileno())],
            pass_fds=[file.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "--trace: not a file" in done.stderr
