"""Each process has its own file, and what ends a process ends no recording."""

from __future__ import annotations

from signal import SIGKILL, SIGSEGV
from typing import TYPE_CHECKING

import pytest

from heapyard.trial.recording import is_recording, read_recording
from pytests.record.conftest import MARK, built
from pytests.record.words import read_words

if TYPE_CHECKING:
    from pathlib import Path

    from pytests.record.conftest import Ran, Record


def sizes(path: Path) -> list[int]:
    return [word.arguments[0] for word in read_words(path) if word.kind == "malloc"]


def test_a_forked_child_is_not_in_the_recording_of_its_parent(recorded: Record) -> None:
    ran = recorded("fork")
    assert [word.arguments for word in ran.marked if word.kind == "malloc"][:2] == [
        (1001,),
        (2002,),
    ]
    assert 3003 not in sizes(ran.path)
    assert ran.others == []


def test_with_children_a_forked_child_has_its_own_file(recorded: Record) -> None:
    ran = recorded("fork", "--children")
    child = ran.out.split()[0]
    (other,) = ran.others
    assert other.name.endswith(f".{child}")
    assert sizes(other) == [3003]
    assert 3003 not in sizes(ran.path)


def test_a_block_from_before_the_fork_is_unknown_to_the_child(recorded: Record) -> None:
    ran = recorded("fork", "--children")
    (other,) = ran.others
    recording = read_recording(other)
    assert (recording.unknown, recording.calls) == (1, {"malloc": 1, "free": 2})
    assert recording.parent == ran.recording.process
    assert recording.run == ran.recording.run


def test_another_program_is_not_recorded_unless_asked_for(recorded: Record) -> None:
    ran = recorded("spawn")
    assert (2002 in sizes(ran.path), MARK in sizes(ran.path)) == (True, False)
    assert ran.others == []


def test_with_children_another_program_has_its_own_file(recorded: Record) -> None:
    ran = recorded("spawn", "--children")
    child = ran.out.split()[0]
    (other,) = ran.others
    assert other.name.endswith(f".{child}")
    assert sizes(other).count(MARK) == 3
    assert read_recording(other).command[-1] == "mark"


def test_after_an_exec_the_file_is_the_new_programs_and_the_old_one_is_kept(
    recorded: Record,
) -> None:
    ran = recorded("exec")
    assert ran.recording.command[-1] == "mark"
    (before,) = ran.others
    assert read_recording(before).command[-1] == "exec"
    assert sizes(before)[-1] == 1001
    assert 1001 not in sizes(ran.path)


@pytest.mark.parametrize(
    ("how", "code"), [("_exit", 9), ("segv", 128 + SIGSEGV), ("kill", 128 + SIGKILL)]
)
def test_all_calls_before_a_sudden_end_are_there(recorded: Record, how: str, code: int) -> None:
    ran = recorded(how)
    assert ran.code == code
    assert sizes(ran.path) == [555] * 1000 + [MARK]
    assert ran.recording.cut == 0


def test_a_program_that_closes_all_descriptors_keeps_its_files(recorded: Record) -> None:
    ran = recorded("close")
    assert ran.out == "0\n"  # its own temporary file, in which nobody else wrote
    assert len(ran.marked) > 400_000


def test_where_the_file_can_not_grow_the_program_goes_on(recorded: Record) -> None:
    ran = recorded("limited")
    assert ran.out == "went on\n"
    assert ran.code == 0
    assert ran.recording.full
    assert "incomplete" in ran.err
    assert ran.path.stat().st_size == 1 << 20


def test_the_file_has_no_unused_room_at_the_end(recorded: Record) -> None:
    ran: Ran = recorded("mark")
    last = ran.words[-1]
    assert ran.path.stat().st_size == 4096 + 8 * (last.at + 1 + len(last.arguments))


def test_an_empty_environment_ends_the_recording_of_children_only(record_command: Record) -> None:
    program = str(built("recorded"))
    ran = record_command("--children", "--", "/usr/bin/env", "-i", program, "mark")
    assert ran.code == 0
    assert is_recording(ran.path)
    assert ran.recording.command[0] == "/usr/bin/env"
