"""`heapyard record` as its users meet it: what passes through, what it says, what it refuses."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from heapyard.cli import main
from heapyard.report.recording import size_text
from heapyard.trial.recording import is_recording
from pytests.record.conftest import built

if TYPE_CHECKING:
    from pathlib import Path

    from pytests.record.conftest import Record


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line with which a command is refused, in this process."""
    assert main(["record", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("heapyard: error: ")


# --- what passes through ---


def test_input_output_and_exit_code_are_the_programs(recorded: Record) -> None:
    ran = recorded("echo", "-q", stdin="one\ntwo\n")
    assert (ran.code, ran.out, ran.err) == (42, "one\ntwo\n", "to stderr\n")


def test_arguments_are_not_taken_for_options(record_command: Record) -> None:
    ran = record_command("/bin/echo", "-o", "--children", "--")
    assert ran.out == "-o --children --\n"
    assert ran.recording.command == ("/bin/echo", "-o", "--children", "--")


def test_a_signal_that_ended_it_is_128_and_its_number(record_command: Record) -> None:
    assert record_command("--", "sh", "-c", "kill -15 $$").code == 128 + 15


def test_the_program_may_be_a_script(record_command: Record, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho from a script\n")
    script.chmod(0o755)
    ran = record_command("./script")
    assert ran.out == "from a script\n"
    assert ran.recording.command == ("/bin/sh", "./script")


# --- what it says ---


def test_the_summary_says_what_was_recorded(recorded: Record) -> None:
    ran = recorded("failures")
    lines = [line.split(None, 1) for line in ran.err.splitlines()]
    facts = {label: text for label, text in lines[1:] if text}
    assert ran.err.startswith("recorded ")
    assert facts["calls"].startswith("12: malloc 5, calloc 1, realloc 1, reallocarray 1, free 3")
    assert facts["threads"] == f"1, process {ran.recording.process}"
    assert facts["note"] == "5 calls that failed, left out when replayed"
    assert facts["file"].startswith(f"{ran.path}, {ran.path.stat().st_size:,} bytes")
    assert facts["again"] == f"heapyard replay {ran.path}"
    assert "32 to 63 B" in ran.err


def test_the_summary_names_other_processes(recorded: Record) -> None:
    ran = recorded("fork", "--children")
    last = ran.err.splitlines()[-1]
    assert last.startswith(f"  {ran.others[0]}: 3 calls, peak 3,003 bytes: ")


def test_the_file_is_named_after_the_program(folder: Path) -> None:
    assert main(["record", "-q", "--", str(built("recorded")), "mark"]) == 0
    assert is_recording(folder / "recorded.hyrec")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (10_239, "10,239 bytes"), (10_240, "10.0 KiB"), (3 << 20, "3.0 MiB")],
)
def test_sizes_are_told_in_units_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


# --- what it refuses ---


def test_no_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys) == "no program to record; see `heapyard record --help`"
    assert refusal(capsys, "--").startswith("no program to record")


def test_an_unknown_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--nosuch" in refusal(capsys, "--nosuch", "ls")


def test_a_program_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "--", "nosuch") == (
        "nosuch: no such program; give its path, or one that PATH finds"
    )


def test_a_file_that_can_not_be_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "text").write_text("hello")
    assert refusal(capsys, "./text").startswith("./text: not executable; chmod +x")
    (folder / "text").chmod(0o755)
    assert "is a text file" in refusal(capsys, "./text")
    assert refusal(capsys, "./") == "./: a folder; name a program"


def test_a_script_without_its_interpreter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "script").write_text("#!/no/such/shell\n")
    (folder / "script").chmod(0o755)
    assert "its interpreter /no/such/shell is not there" in refusal(capsys, "./script")


def test_scripts_that_interpret_each_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = folder / "script"
    script.write_text(f"#!{script}\n")
    script.chmod(0o755)
    assert "a script whose interpreters are scripts" in refusal(capsys, "./script")


@pytest.mark.parametrize(("mode", "name"), [(0o4755, "setuid"), (0o2755, "setgid")])
def test_a_program_with_anothers_rights(
    folder: Path, capsys: pytest.CaptureFixture[str], mode: int, name: str
) -> None:
    shutil.copy("/bin/true", folder / "other")
    (folder / "other").chmod(mode)
    assert f"is {name}: LD_PRELOAD does not reach it" in refusal(capsys, "./other")


def test_a_static_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = folder / "main.c"
    source.write_text("int main(void) { return 0; }\n")
    made = subprocess.run(
        ["cc", "-static", str(source), "-o", "static"], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("no static libc here")
    assert "is linked statically" in refusal(capsys, "./static")


def test_a_musl_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compiler = shutil.which("musl-gcc")
    if compiler is None:
        pytest.skip("no musl-gcc here")
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    subprocess.run([compiler, "main.c", "-o", "with-musl"], check=True)
    assert "is linked with musl" in refusal(capsys, "./with-musl")


def test_a_program_of_another_machine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(built("recorded").read_bytes())
    data[18:20] = (8).to_bytes(2, "little")  # e_machine: MIPS
    (folder / "foreign").write_bytes(data)
    (folder / "foreign").chmod(0o755)
    assert "is for MIPS (64-bit), the recorder for" in refusal(capsys, "./foreign")


def test_a_file_that_can_not_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    message = refusal(capsys, "-o", "/proc/nosuch/file", "ls")
    assert message.startswith("can't write /proc/nosuch/file: ")
    assert message.endswith("; name another file with -o")


def test_a_file_of_something_else_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "precious").write_text("work of years")
    assert "is there and is no recording" in refusal(capsys, "-o", "precious", "ls")
    assert (folder / "precious").read_text() == "work of years"


def test_an_older_recording_is_replaced(recorded: Record) -> None:
    first = recorded("script").recording
    second = recorded("mark").recording
    assert second.run != first.run
    assert second.total < first.total


def test_a_refused_program_leaves_no_file(folder: Path) -> None:
    assert main(["record", "-o", "left", "--", "nosuch"]) == 2
    assert list(folder.iterdir()) == []


def test_a_program_that_throws_the_recorder_out_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = folder / "libempty.so"
    (folder / "empty.c").write_text("int hy_nothing;\n")
    subprocess.run(["cc", "-shared", "empty.c", "-o", str(empty)], check=True)
    build = current_build()
    changed = type(build)(**{n: getattr(build, n) for n in build.__slots__} | {"recorder": empty})
    monkeypatch.setattr("heapyard.trial.recorder.current_build", lambda: changed)
    assert "it ran without the recorder" in refusal(capsys, "-o", "left", "true")
    assert not (folder / "left").exists()
