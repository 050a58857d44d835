"""What a program calls is what its recording says, call for call.

The program writes down its calls itself; both lists must be the same.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from pytests.record.conftest import Ran, built

if TYPE_CHECKING:
    from pytests.record.conftest import Record
    from pytests.record.words import Word

ENOMEM = 12
TOO_MUCH = (1 << 60) - 1
"""What values above it are kept as."""


def shown(word: Word) -> list[str]:
    """A call as the program writes it: a realloc's distance is not its own."""
    address = f"{word.address:#x}" if word.address else "(nil)"
    arguments = word.arguments[:-1] if word.kind.startswith("realloc") else word.arguments
    return [word.kind, address, *map(str, arguments)]


def test_every_function_is_recorded_in_order_with_its_arguments(recorded: Record) -> None:
    ran = recorded("script")
    written = [line.split() for line in ran.out.splitlines()]
    wanted = [fields[:4] if fields[0] != "realloc" else fields[:3] for fields in written]
    assert {fields[0] for fields in wanted} == {
        *("malloc", "calloc", "realloc_start", "realloc", "reallocarray", "aligned_alloc"),
        *("posix_memalign", "memalign", "valloc", "pvalloc", "free"),
    }
    assert [shown(word) for word in ran.marked] == wanted


def test_a_realloc_that_moves_points_back_at_its_start(recorded: Record) -> None:
    ran = recorded("script")
    assert "moved" in ran.out
    (start,) = (word for word in ran.marked if word.kind == "realloc_start")
    (end,) = (word for word in ran.marked if word.kind == "realloc")
    assert end.at - end.arguments[-1] == start.at
    assert end.address != start.address


def test_a_realloc_of_null_has_no_start(recorded: Record) -> None:
    (array,) = (word for word in recorded("script").marked if word.kind == "reallocarray")
    assert array.arguments[-1] == 0


def test_calls_that_fail_are_recorded_without_a_block(recorded: Record) -> None:
    failed = {w.kind: w.arguments[0] for w in recorded("failures").marked if w.address == 0}
    assert failed == {
        "malloc": TOO_MUCH,
        "calloc": TOO_MUCH,
        "realloc": TOO_MUCH,
        "reallocarray": TOO_MUCH,
        "posix_memalign": 3,
    }


def test_results_and_errno_are_those_of_the_program_alone(recorded: Record) -> None:
    alone = subprocess.run(
        [str(built("recorded")), "failures"], capture_output=True, text=True, check=True
    )
    assert f"malloc 0 errno {ENOMEM}" in alone.stdout
    assert recorded("failures").out == alone.stdout


def test_errno_is_kept_while_the_file_grows(recorded: Record) -> None:
    ran = recorded("growing")
    assert ran.out == "errno 7\n"
    assert len(ran.marked) == 400_000


def test_calls_in_a_signal_handler_are_recorded(recorded: Record) -> None:
    sizes = [word.arguments for word in recorded("signals").marked if word.kind == "malloc"]
    assert sizes == [(4004,)] * 3


def test_calls_from_the_look_up_of_the_real_functions_are_served(recorded: Record) -> None:
    ran = recorded("mark", LD_PRELOAD=str(built("early.so")))
    assert ran.code == 0, ran
    first, *_, last = ran.words
    assert (first.kind, first.arguments) == ("calloc", (3, 8))
    assert last.kind == "free"
    (moved,) = (word for word in ran.words if word.arguments[:1] == (5000,))
    assert last.address == moved.address


def test_blocks_of_another_preloaded_malloc_are_recorded(recorded: Record) -> None:
    ran = recorded("script", LD_PRELOAD=str(current_build().corpus or pytest.skip("no corpus")))
    assert ran.code == 0, ran
    written = [line.split()[1] for line in ran.out.splitlines() if line.startswith("malloc")]
    assert [hex(word.address) for word in ran.marked if word.kind == "malloc"] == written


def test_recorder_exports_the_family_and_nothing_else() -> None:
    command = ["nm", "-D", "--defined-only", str(current_build().recorder)]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[2::3]
    assert sorted(names) == sorted(
        [
            *("malloc", "calloc", "realloc", "reallocarray", "free", "aligned_alloc"),
            *("posix_memalign", "memalign", "valloc", "pvalloc"),
        ]
    )


def test_a_program_without_calls_has_an_empty_recording(record_command: Record) -> None:
    ran: Ran = record_command("--", "/bin/false")
    assert ran.code == 1
    assert ran.recording.process > 0
