"""From the words of a recording to a plan. The words here are made by hand."""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING

import pytest

from heapyard.trial import Check, Plan
from heapyard.trial.recording import (
    Recording,
    RecordingError,
    is_recording,
    load_recording,
    read_recording,
)
from pytests.record.words import call, write_recording

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

A, B, C = 0x1000, 0x2000, 0x3000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made.hyrec"


def plan_of(path: Path, *calls: Iterable[int], plain: bool = False) -> list[str]:
    data = load_recording(write_recording(path, *calls), plain=plain)
    return [str(some) for some in Plan.from_bytes(data).calls]


def facts_of(path: Path, *calls: Iterable[int]) -> Recording:
    return read_recording(write_recording(path, *calls))


def test_slots_are_used_again_the_last_freed_first(path: Path) -> None:
    made = [call("malloc", A + 16 * n, n + 1) for n in range(3)]
    assert plan_of(path, *made, call("free", A + 16), call("malloc", B, 9)) == [
        "malloc(1) -> slot 0",
        "malloc(2) -> slot 1",
        "malloc(3) -> slot 2",
        "free(slot 1)",
        "malloc(9) -> slot 1",
    ]


def test_an_address_that_comes_back_is_a_new_block(path: Path) -> None:
    again = [*call("malloc", A, 8), *call("free", A)]
    assert plan_of(path, again * 3) == ["malloc(8) -> slot 0", "free(slot 0)"] * 3


def test_a_realloc_keeps_its_slot_at_the_new_address(path: Path) -> None:
    assert plan_of(
        path,
        call("malloc", A, 8),
        call("realloc_start", A),
        call("realloc", B, 100, 1),
        call("free", B),
    ) == ["malloc(8) -> slot 0", "realloc(slot 0, 100)", "free(slot 0)"]


def test_the_old_address_may_be_anothers_before_a_realloc_ends(path: Path) -> None:
    words = [
        call("malloc", A, 8),
        call("realloc_start", A),
        call("malloc", A, 24, thread=2),
        call("realloc", B, 100, 3),
        call("free", A),
        call("free", B),
    ]
    assert plan_of(path, *words)[1:] == [
        "malloc(24) -> slot 1",
        "realloc(slot 0, 100)",
        "free(slot 1)",
        "free(slot 0)",
    ]
    assert facts_of(path, *words).lost == 0


def test_reallocs_of_two_threads_may_overlap(path: Path) -> None:
    words = [
        call("malloc", A, 8),
        call("malloc", B, 16),
        call("realloc_start", A),
        call("realloc_start", B, thread=2),
        call("realloc", C, 100, 2),
        call("realloc", A, 200, 4, thread=2),
    ]
    assert plan_of(path, *words)[2:] == ["realloc(slot 0, 100)", "realloc(slot 1, 200)"]


def test_a_realloc_that_failed_leaves_its_block(path: Path) -> None:
    words = [
        call("malloc", A, 8),
        call("realloc_start", A),
        call("realloc", 0, 1 << 59, 1),
        call("free", A),
    ]
    assert plan_of(path, *words) == ["malloc(8) -> slot 0", "free(slot 0)"]
    assert facts_of(path, *words).failed == 1


def test_a_realloc_to_nothing_is_a_free(path: Path) -> None:
    words = [call("malloc", A, 8), call("realloc_start", A), call("realloc", 0, 0, 1)]
    assert plan_of(path, *words) == ["malloc(8) -> slot 0", "free(slot 0)"]
    assert facts_of(path, *words).live_blocks == 0


def test_a_block_cut_off_inside_a_realloc_is_still_there(path: Path) -> None:
    facts = facts_of(path, call("malloc", A, 8), call("realloc_start", A))
    assert (facts.live_blocks, facts.live_bytes) == (1, 8)


def test_unknown_blocks_are_left_out_and_counted(path: Path) -> None:
    words = [call("free", C), call("realloc_start", B), call("realloc", A, 50, 1)]
    assert plan_of(path, *words) == ["realloc(slot 0, 50)"]
    assert facts_of(path, *words).unknown == 2


def test_a_block_freed_unseen_is_freed_where_its_address_comes_back(path: Path) -> None:
    words = [call("malloc", A, 8), call("malloc", A, 16)]
    assert plan_of(path, *words) == ["malloc(8) -> slot 0", "free(slot 0)", "malloc(16) -> slot 0"]
    assert facts_of(path, *words).lost == 1


def test_failed_calls_are_left_out_and_counted(path: Path) -> None:
    words = [call("malloc", 0, 1 << 59), call("calloc", 0, 1 << 40, 1 << 40), call("malloc", A, 1)]
    assert plan_of(path, *words) == ["malloc(1) -> slot 0"]
    assert facts_of(path, *words).failed == 2


def test_free_of_null_stays(path: Path) -> None:
    assert plan_of(path, call("free", 0)) == ["free(NULL)"]
    assert facts_of(path, call("free", 0)).free_null == 1


def test_the_words_of_a_call_cut_off_are_skipped(path: Path) -> None:
    words = [[0, 0], call("malloc", A, 5), [0, call("malloc", B, 7)[1]], call("free", A)]
    assert plan_of(path, *words) == ["malloc(5) -> slot 0", "free(slot 0)"]
    assert facts_of(path, *words).cut == 4


def test_a_call_without_its_last_argument_is_cut_off(path: Path) -> None:
    assert plan_of(path, call("malloc", A, 5), call("calloc", B, 3, 4)[:2]) == [
        "malloc(5) -> slot 0"
    ]


def test_a_call_that_words_of_the_header_cut_in_two_is_cut_off(path: Path) -> None:
    write_recording(path, call("malloc", A, 5), call("calloc", B, 3, 4), words=4)
    assert read_recording(path).calls == {"malloc": 1}


def test_another_call_is_no_argument(path: Path) -> None:
    words = [call("malloc", A, 5)[:1], call("malloc", B, 7)]
    assert plan_of(path, *words) == ["malloc(7) -> slot 0"]
    assert facts_of(path, *words).cut == 1


def test_a_request_for_nothing_may_be_answered_either_way(path: Path) -> None:
    plan = Plan.from_bytes(load_recording(write_recording(path, call("malloc", A, 0))))
    assert '["malloc", 0, 0, {"may_fail": true}]' in plan.to_json()


ALIGNED = [
    call("aligned_alloc", A, 64, 128),
    call("posix_memalign", A + 256, 256, 33),
    call("memalign", B, 32, 10),
    call("valloc", 0x8000, 17),
    call("pvalloc", 0x9000, 18),
    call("calloc", C, 3, 70),
    call("reallocarray", C + 256, 5, 11, 0),
]


def test_every_function_has_its_operation(path: Path) -> None:
    assert plan_of(path, *ALIGNED) == [
        "aligned_alloc(64, 128) -> slot 0",
        "posix_memalign(256, 33) -> slot 1",
        "memalign(32, 10) -> slot 2",
        "valloc(17) -> slot 3",
        "pvalloc(18) -> slot 4",
        "calloc(3, 70) -> slot 5",
        "reallocarray(slot 6, 5, 11)",
    ]


def test_a_plain_plan_has_the_four_functions_only(path: Path) -> None:
    assert plan_of(path, *ALIGNED, plain=True) == [
        *(f"malloc({size}) -> slot {slot}" for slot, size in enumerate((128, 33, 10, 17, 18))),
        "calloc(3, 70) -> slot 5",
        "realloc(slot 6, 55)",
    ]


def test_more_counts_than_a_plan_can_have_become_one_product(path: Path) -> None:
    many = [[*call("calloc", A, n, 2), *call("free", A)] for n in range(2, 70_000)]
    calls = Plan.from_bytes(load_recording(write_recording(path, *many))).calls[::2]
    assert all((c.arg or 0) * c.size == 2 * n for n, c in enumerate(calls, 2))
    assert str(calls[-1]) == "calloc(1, 139998) -> slot 0"


def test_the_peak_is_the_most_bytes_that_were_live_at_once(path: Path) -> None:
    facts = facts_of(
        path,
        call("malloc", A, 100),
        call("malloc", B, 50),
        call("free", A),
        call("malloc", C, 99),
        call("realloc_start", C),
        call("realloc", A, 1, 1),
    )
    assert (facts.peak_bytes, facts.peak_blocks, facts.peak_op) == (150, 2, 1)
    assert (facts.live_bytes, facts.live_blocks, facts.allocated) == (51, 2, 250)


def test_sizes_are_counted_by_powers_of_two(path: Path) -> None:
    sizes = (0, 1, 2, 3, 4, 1024, 2047)
    facts = facts_of(path, *(call("malloc", A + 16 * n, size) for n, size in enumerate(sizes)))
    assert {n: count for n, count in enumerate(facts.sizes) if count} == {
        0: 1,
        1: 1,
        2: 2,
        3: 1,
        11: 2,
    }


def test_many_live_blocks_are_all_found_again(path: Path) -> None:
    places = [A + 16 * (n * 7919 % 20_011) for n in range(20_000)]
    words = [*(call("malloc", p, 1) for p in places), *(call("free", p) for p in places[::3])]
    facts = facts_of(path, *words)
    assert (facts.unknown, facts.slots, facts.live_blocks) == (0, 20_000, 20_000 - 6_667)


def test_a_plan_verifies_what_it_is_asked_to(path: Path) -> None:
    write_recording(path, call("malloc", A, 1))
    assert Plan.from_bytes(load_recording(path)).checks == Check.DEFAULT
    assert Plan.from_bytes(load_recording(path, checks=Check.NONE)).checks == Check.NONE


def test_words_that_the_file_does_not_hold_are_not_read(path: Path) -> None:
    facts = read_recording(write_recording(path, call("malloc", A, 1), words=1 << 40))
    assert facts.total == 1


def test_the_command_is_told_whatever_its_bytes(path: Path) -> None:
    command = b'caf\xc3\xa9\0-l \\"\xff\0'
    write_recording(path, call("malloc", A, 1))
    data = bytearray(path.read_bytes())
    data[128 : 132 + len(command)] = len(command).to_bytes(4, "little") + command
    path.write_bytes(data)
    assert read_recording(path).command == ("café", os.fsdecode(b'-l \\"\xff'))


# --- files that are none ---


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        load_recording(path)
    with pytest.raises(RecordingError, match=str(path)):
        read_recording(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_file_that_is_not_there(path: Path) -> None:
    assert refusal(path) == "No such file or directory"
    assert not is_recording(path)


def test_a_short_file(path: Path) -> None:
    path.write_bytes(b"HYREC1\0\0")
    assert refusal(path) == "not a recording: it is shorter than the header of one"


def test_another_file(path: Path) -> None:
    path.write_bytes(b"x" * 5000)
    assert refusal(path) == "not a recording: it does not start with HYREC1"
    assert not is_recording(path)


def test_a_recording_of_another_version(path: Path) -> None:
    write_recording(path, version=2)
    assert is_recording(path)
    assert refusal(path) == "a recording of another version: this one reads version 1"


def test_a_word_of_an_unknown_kind(path: Path) -> None:
    write_recording(path, call("malloc", A, 1), [15])
    assert refusal(path) == "it is damaged: a word of a kind that this version does not know"


def test_a_folder(tmp_path: Path) -> None:
    assert not is_recording(tmp_path)
    assert refusal(tmp_path) == "not a recording: no regular file"


@pytest.mark.stress  # of memory: 1.5 GiB
def test_more_live_blocks_than_a_plan_has_slots(path: Path) -> None:
    count = (1 << 24) + 1
    words = array("Q", bytes(16 * count))
    first, size = call("malloc", 16, 1)
    words[0::2] = array("Q", range(first, first + (count << 20), 1 << 20))
    words[1::2] = array("Q", [size]) * count
    write_recording(path, words=2 * count)
    with path.open("ab") as file:
        words.tofile(file)
    with pytest.raises(RecordingError, match=r"more than 2\^24 blocks"):
        load_recording(path)
