"""The checks `content` and `zero`: what is written stays, and calloc's bytes are zero."""

from __future__ import annotations

from typing import Any

import pytest

from pytests.engine.driver import GIB, KIB, MIB, checks, op, run

SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 33, 64, 100, 255, 4096, 65537, MIB]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_changed_byte_is_found_at_free(size: int, place: str) -> None:
    at = {"first": 0, "middle": size // 2, "last": size - 1}[place]
    done = run(
        [op("malloc", 0, size), op("set_errno"), op("trim"), op("free", 0)], script=f"0 =0~{at}"
    )
    assert done.found == ("content", "free")
    assert f"byte {at} of {size}" in done.result["expected"]


@pytest.mark.parametrize("size", SIZES)
def test_a_byte_beside_the_block_is_not_its_content(size: int) -> None:
    plan = [op("malloc", 0, size), op("trim"), op("free", 0)]
    assert run(plan, script=f"64 =0~{63}~{64 + size}").status == "held"


FINDERS = {
    "free": [op("free", 0)],
    "free_sized": [op("free_sized", 0, 64)],
    "free_aligned_sized": [op("free_aligned_sized", 0, 64, arg=16)],
    "free_all": [op("free_all")],
    "realloc": [op("realloc", 0, 128)],
    "realloc-shrinking": [op("realloc", 0, 50)],
    "reallocarray": [op("reallocarray", 0, 64, arg=2)],
    "check": [op("check", 0)],
    "check_all": [op("check_all")],
    "fill_usable": [op("fill_usable", 0)],
    "end": [],
}


@pytest.mark.parametrize(("name", "last"), FINDERS.items(), ids=FINDERS)
def test_damage_is_found_by(name: str, last: list[Any]) -> None:
    done = run([op("malloc", 0, 64), op("trim"), *last], script="0 =0~40")
    assert done.found == ("content", name.split("-", maxsplit=1)[0])


def test_damage_in_what_a_shrinking_realloc_cuts_off_is_found() -> None:
    done = run([op("malloc", 0, 64), op("trim"), op("realloc", 0, 8)], script="0 =0~40")
    assert done.found == ("content", "realloc")


def test_realloc_that_copies_too_little_is_told() -> None:
    done = run([op("malloc", 0, 64), op("realloc", 0, 128)], script="0 4096+63")
    assert done.found == ("content", "realloc")
    assert "byte 63 of 64" in done.result["expected"]


def test_realloc_that_copies_the_kept_prefix_holds() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 40), op("realloc", 0, 400)]
    assert run(plan, script="0 4096+40 0+40").status == "held"


def test_realloc_that_copies_to_a_wrong_offset_is_told() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 64)]
    assert run(plan, script="8 0+0", alignment=8).found == ("content", "realloc")


def test_damage_by_a_failing_realloc_is_found_at_once() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 128, expect=1)]
    assert run(plan, script="0 enomem~5").found == ("content", "realloc")


def test_one_block_written_through_another_is_found() -> None:
    plan = [op("malloc", 0, 64), op("malloc", 1, 64), op("check", 0)]
    assert run(plan, script="0 32", checks=checks("content")).found == ("content", "check")


def test_write_gives_the_block_another_pattern() -> None:
    plan = [op("malloc", 0, 64), op("malloc", 1, 64), op("write", 0), op("check", 1)]
    assert run(plan, script="0 0", checks=checks("content")).found == ("content", "check")


def test_a_round_ends_with_live_blocks_verified_and_freed() -> None:
    plan = [op("malloc", 0, 64), op("malloc", 1, 64), op("trim")]
    done = run(plan, script="0 64 =0~70")
    assert done.found == ("content", "end")
    assert done.result["slot"] == 1


def test_with_the_check_off_damage_is_not_reported() -> None:
    plan = [op("malloc", 0, 64), op("trim"), op("free", 0)]
    assert run(plan, script="0 =0~40", checks=checks("overlap")).status == "held"


HUGE_PLACES = [0, 65535, 65536, 65536 + 4096 * 9 + 7, 3 * MIB - 1, 3 * MIB - 65536]


@pytest.mark.parametrize("at", HUGE_PLACES)
def test_a_block_above_one_mebibyte_is_verified_by_sample(at: int) -> None:
    done = run([op("malloc", 0, 3 * MIB), op("trim"), op("free", 0)], script=f"0 =0~{at}")
    assert done.found == ("content", "free")
    assert f"byte {at} of" in done.result["expected"]


def test_between_the_samples_of_a_huge_block_nothing_is_verified() -> None:
    plan = [op("malloc", 0, 3 * MIB), op("trim"), op("free", 0)]
    assert run(plan, script=f"0 =0~{65536 + 8}").status == "held"


@pytest.mark.parametrize(
    ("old", "new"), [(3, 4), (4, 3), (2, 1), (1, 2)], ids=lambda size: f"{size}MiB"
)
def test_a_huge_block_keeps_its_samples_through_realloc(old: int, new: int) -> None:
    kept = min(old, new) * MIB
    plan = [op("malloc", 0, old * MIB), op("realloc", 0, new * MIB), op("check", 0)]
    assert run(plan, script=f"0 {64 * MIB}+{kept}").status == "held"
    done = run(plan, script=f"0 {64 * MIB}+{kept - 4096 * 20}")
    assert done.found == ("content", "realloc")


def test_a_gibibyte_costs_little() -> None:
    plan = [op("malloc", 0, GIB), op("realloc", 0, GIB + MIB), op("free", 0)]
    done = run(plan, script="0 0+0 -", slots=1)
    assert done.status == "held"
    assert done.result["nanoseconds"] < 20e9


@pytest.mark.parametrize("at", [0, 7, 8, 99])
def test_a_byte_that_calloc_left_is_told(at: int) -> None:
    done = run([op("calloc", 0, 10, arg=10)], script=f"0~{at}")
    assert done.found == ("zero", "calloc")
    assert f"byte {at}" in done.result["seen"]


def test_calloc_owes_zeros_for_what_was_asked_only() -> None:
    assert run([op("calloc", 0, 10, arg=10)], script="0~100").status == "held"


def test_all_of_a_huge_calloc_is_read() -> None:
    done = run([op("calloc", 0, KIB, arg=5 * KIB)], script=f"0~{3 * MIB + 77}")
    assert done.found == ("zero", "calloc")


def test_with_the_check_off_calloc_may_leave_anything() -> None:
    assert run([op("calloc", 0, 10, arg=10)], script="0~5", checks=checks("null")).status == "held"


def test_usable_bytes_once_filled_are_verified() -> None:
    plan = [op("malloc", 0, 20), op("fill_usable", 0), op("trim"), op("free", 0)]
    assert run(plan, script="0 =32 =0~31").found == ("content", "free")
    assert run(plan, script="0 =32 =0~32").status == "held"


def test_usable_bytes_beyond_the_request_need_not_survive_realloc() -> None:
    plan = [op("malloc", 0, 20), op("fill_usable", 0), op("realloc", 0, 64)]
    assert run(plan, script="0 =32 4096+20").status == "held"
