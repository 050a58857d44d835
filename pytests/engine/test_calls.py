"""Outcome, errno, return codes, alignment, usable size: one claim about one call each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytests.engine.driver import (
    ALL,
    EINVAL,
    EITHER,
    ENOMEM,
    ERRNO_KEPT,
    FAILS,
    GIB,
    IN_PLACE,
    KIB,
    MIB,
    SIZE_MAX,
    Op,
    checks,
    op,
    run,
)


def makers(size: int = 32, expect: int = 0) -> dict[str, Op]:
    """Every call that makes a block."""
    return {
        "malloc": op("malloc", 0, size, expect=expect),
        "calloc": op("calloc", 0, size, arg=1, expect=expect),
        "realloc": op("realloc", 0, size, expect=expect),
        "reallocarray": op("reallocarray", 0, size, arg=1, expect=expect),
        "aligned_alloc": op("aligned_alloc", 0, size, arg=64, expect=expect),
        "posix_memalign": op("posix_memalign", 0, size, arg=64, expect=expect),
        "memalign": op("memalign", 0, size, arg=64, expect=expect),
        "valloc": op("valloc", 0, size, expect=expect),
        "pvalloc": op("pvalloc", 0, size, expect=expect),
    }


CALLS = list(makers())
SETTING = [call for call in CALLS if call != "posix_memalign"]


@pytest.mark.parametrize("call", CALLS)
def test_a_sound_call_holds(call: str) -> None:
    assert run([makers()[call], op("check", 0), op("free", 0)], checks=ALL).status == "held"


@pytest.mark.parametrize("call", CALLS)
def test_null_is_told_where_a_block_must_come(call: str) -> None:
    done = run([makers()[call]], script="enomem")
    assert done.found == ("null", call)
    assert "ENOMEM" in done.result["seen"]


@pytest.mark.parametrize("call", CALLS)
def test_null_is_right_where_a_target_with_a_bound_would_be_half_full(call: str) -> None:
    maker = makers(size=300 * KIB)[call]
    first, second = op("malloc", 1, 300 * KIB), replace(maker, slot=0)
    assert run([second], target="scripted_bulk", script="enomem").found[0] == "null"
    assert run([first, second], target="scripted_bulk", script="- enomem").status == "held"
    assert run([first, second], script="- enomem").found[0] == "null"


def test_null_is_told_for_any_size_where_no_bound_was_declared() -> None:
    assert run([op("malloc", 0, SIZE_MAX)], script="enomem").found == ("null", "malloc")


@pytest.mark.parametrize("call", CALLS)
def test_a_failure_that_surprises_may_set_errno(call: str) -> None:
    plan = [makers(expect=ERRNO_KEPT)[call]]
    assert run(plan, script="enomem", checks=checks("errno")).status == "held"


@pytest.mark.parametrize("call", CALLS)
def test_null_is_right_where_either_is(call: str) -> None:
    plan = [makers(expect=EITHER)[call], op("check", 0), op("write", 0), op("free", 0)]
    assert run(plan, script="enomem").status == "held"


@pytest.mark.parametrize("call", CALLS)
def test_a_block_is_told_where_a_failure_must_come(call: str) -> None:
    assert run([makers(expect=FAILS)[call]], script="0").found == ("refuse", call)


@pytest.mark.parametrize("call", CALLS)
def test_a_block_that_should_not_be_is_live_with_the_check_off(call: str) -> None:
    plan = [makers(expect=FAILS)[call], op("malloc", 1, 32)]
    done = run(plan, script="0 0", checks=checks("overlap"))
    assert done.found == ("overlap", "malloc")


@pytest.mark.parametrize("call", CALLS)
def test_failure_with_the_right_error_holds(call: str) -> None:
    assert run([makers(expect=FAILS | ENOMEM)[call]], script="enomem").status == "held"
    assert run([makers(expect=FAILS | EINVAL)[call]], script="einval").status == "held"
    either = makers(expect=FAILS | ENOMEM | EINVAL)[call]
    assert run([either], script="einval").status == "held"


@pytest.mark.parametrize("call", SETTING)
@pytest.mark.parametrize(
    ("wanted", "word"),
    [(ENOMEM, "null"), (ENOMEM, "einval"), (EINVAL, "enomem"), (ENOMEM | EINVAL, "null!4")],
)
def test_failure_with_another_errno_is_told(call: str, wanted: int, word: str) -> None:
    assert run([makers(expect=FAILS | wanted)[call]], script=word).found == ("errno", call)


def test_an_old_enomem_is_not_taken_for_a_new_one() -> None:
    fails = op("malloc", 0, 32, expect=FAILS | ENOMEM)
    done = run([fails, fails], script="enomem null")
    assert done.found == ("errno", "malloc")
    assert done.result["op"] == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("word", ["0!4", "0!0"])
def test_a_success_that_changes_errno_is_told(call: str, word: str) -> None:
    plan = [op("set_errno", size=7), makers(expect=ERRNO_KEPT)[call]]
    assert run(plan, script=word).found == ("errno", call)
    assert run([op("set_errno", size=7), makers()[call]], script=word).status == "held"


FREES = {
    "free": op("free", 0, expect=ERRNO_KEPT),
    "free_sized": op("free_sized", 0, 32, expect=ERRNO_KEPT),
    "free_aligned_sized": op("free_aligned_sized", 0, 32, arg=16, expect=ERRNO_KEPT),
    "free_all": op("free_all", expect=ERRNO_KEPT),
    "usable_size": op("usable_size", 0, expect=ERRNO_KEPT),
    "trim": op("trim", expect=ERRNO_KEPT),
}


@pytest.mark.parametrize("call", FREES)
def test_errno_changed_by_a_call_that_must_not_is_told(call: str) -> None:
    plan = [op("malloc", 0, 32), FREES[call]]
    assert run(plan, script="0 =32!5").found == ("errno", call)
    assert run(plan, script="0 =32").status == "held"
    assert run(plan, script="0 =32!5", checks=checks("content")).status == "held"


@pytest.mark.parametrize("call", ["free", "free_sized", "usable_size"])
def test_calls_with_null_are_made(call: str) -> None:
    assert run([op(call, expect=ERRNO_KEPT)], script="=0!3").found == ("errno", call)


def test_posix_memalign_that_returns_another_code_is_told() -> None:
    plan = [op("posix_memalign", 0, 32, arg=24, expect=FAILS | EINVAL)]
    assert run(plan, script="enomem").found == ("return_code", "posix_memalign")
    assert run(plan, script="=-1").found == ("return_code", "posix_memalign")
    assert run(plan, script="=22").status == "held"


def test_posix_memalign_may_not_return_other_codes_at_all() -> None:
    plan = [op("posix_memalign", 0, 32, arg=64, expect=FAILS)]
    assert run(plan, script="=-1").found == ("return_code", "posix_memalign")


def test_posix_memalign_that_returns_0_without_a_block_is_told() -> None:
    assert run([op("posix_memalign", 0, 32, arg=64)], script="null").found[0] == "null"
    either = op("posix_memalign", 0, 32, arg=64, expect=EITHER)
    assert run([either], script="null").found[0] == "return_code"


def test_posix_memalign_that_fails_and_sets_the_pointer_is_told() -> None:
    plan = [op("posix_memalign", 0, 32, arg=64, expect=EITHER)]
    assert run(plan, script="enomem*").found == ("memptr", "posix_memalign")
    assert run(plan, script="enomem*", checks=checks("null")).status == "held"


def test_posix_memalign_sets_errno_where_it_must_not() -> None:
    plan = [op("posix_memalign", 0, 32, arg=64, expect=EITHER | ERRNO_KEPT)]
    assert run(plan, script="enomem").found == ("errno", "posix_memalign")
    assert run(plan, script="=12").status == "held"


@pytest.mark.parametrize("call", ["malloc", "calloc", "posix_memalign"])
def test_null_for_no_bytes_is_no_error_where_either_is_right(call: str) -> None:
    assert run([makers(0, EITHER | ENOMEM)[call]], script="null").status == "held"
    assert run([makers(0)[call]], script="null").found == ("null", call)


@pytest.mark.parametrize("call", ["malloc", "calloc", "realloc", "reallocarray"])
def test_a_block_at_a_multiple_of_8_is_misaligned(call: str) -> None:
    done = run([makers()[call]], script="72")
    assert done.found == ("align", call)
    assert "multiple of 16" in done.result["expected"]
    assert "multiple of 8 only" in done.result["seen"]


@pytest.mark.parametrize("call", ["aligned_alloc", "posix_memalign", "memalign"])
def test_aligned_calls_answer_what_they_were_asked(call: str) -> None:
    assert run([makers()[call]], script="32").found == ("align", call)
    assert run([makers()[call]], script="64").status == "held"


@pytest.mark.parametrize("call", ["valloc", "pvalloc"])
def test_page_calls_answer_pages(call: str) -> None:
    assert run([makers()[call]], script="2048").found == ("align", call)


def test_an_alignment_of_one_mebibyte_is_checked() -> None:
    plan = [op("aligned_alloc", 0, 1, arg=MIB)]
    assert run(plan, script=f"{MIB // 2}").found == ("align", "aligned_alloc")


def test_the_plan_says_the_alignment() -> None:
    plan = [op("malloc", 0, 64)]
    assert run(plan, script="16", alignment=32).found == ("align", "malloc")
    assert run(plan, script="8", alignment=8).status == "held"


@pytest.mark.parametrize(("size", "enough"), [(1, 1), (2, 2), (7, 4), (8, 8), (15, 8), (16, 16)])
def test_weak_alignment_asks_small_blocks_for_less(size: int, enough: int) -> None:
    plan = [op("malloc", 0, size)]
    assert run(plan, script=f"{enough}", flags=1).status == "held"
    if enough > 1:
        assert run(plan, script=f"{enough // 2}", flags=1).found[0] == "align"


@pytest.mark.parametrize("size", [1, 8, 15, 16])
def test_without_weak_alignment_small_blocks_are_aligned_as_all(size: int) -> None:
    assert run([op("malloc", 0, size)], script="8").found == ("align", "malloc")


def test_with_the_check_off_alignment_is_not_reported() -> None:
    plan = [op("malloc", 0, 100), op("malloc", 1, 100), op("free", 0), op("free", 1)]
    assert run(plan, script="1 102", checks=checks("overlap", "content")).status == "held"


def test_usable_size_below_the_request_is_told() -> None:
    plan = [op("malloc", 0, 32), op("usable_size", 0)]
    assert run(plan, script="0 =31").found == ("usable", "usable_size")
    assert run(plan, script="0 =32").status == "held"
    assert run(plan, script="0 =31", checks=checks("null")).status == "held"


def test_usable_size_is_held_against_the_ops_size() -> None:
    plan = [op("malloc", 0, 32), op("usable_size", 0, 4096)]
    assert run(plan, script="0 =4095").found == ("usable", "usable_size")


def test_usable_size_of_null_is_0() -> None:
    assert run([op("usable_size")], script="=16").found == ("usable", "usable_size")
    assert run([op("usable_size")], script="=0").status == "held"


def test_fill_usable_below_the_request_is_told() -> None:
    plan = [op("malloc", 0, 32), op("fill_usable", 0)]
    assert run(plan, script="0 =8").found == ("usable", "fill_usable")


def test_an_unmapped_block_is_told_before_it_is_touched() -> None:
    assert run([op("malloc", 0, 32)], script="@1000").found == ("mapped", "malloc")


def test_a_block_of_no_bytes_may_lie_in_no_mapped_page() -> None:
    assert run([op("malloc", 0, 0), op("forget", 0)], script="@1000").status == "held"


def test_a_block_whose_last_page_is_unmapped_is_told() -> None:
    """The page at 6 GiB is missing in the arena."""
    done = run([op("malloc", 0, 6 * GIB + 4 * KIB)], script="0")
    assert done.found == ("mapped", "malloc")


def test_a_block_that_crosses_into_an_unmapped_page_is_told() -> None:
    """The page where it begins is known to be mapped from the block before."""
    hole = 6 * GIB
    plan = [op("malloc", 0, 16), op("malloc", 1, 32), op("malloc", 2, 33)]
    done = run(plan, script=f"{hole - 64} {hole + 4096} {hole - 32}")
    assert done.found == ("mapped", "malloc")
    assert done.result["op"] == 2


def test_a_block_may_cross_from_one_mapped_page_into_another() -> None:
    plan = [op("malloc", 0, 64), op("free", 0)] * 3
    assert run(plan, script="4064 - 4064 - 4064").status == "held"


@pytest.mark.parametrize("address", ["ffff800000000000", "fffffffffffffff0", "1000000000000"])
def test_an_address_no_program_has_is_told(address: str) -> None:
    plan = [op("malloc", 0, 32)]
    assert run(plan, script=f"@{address}").found[0] == "overlap"
    assert run(plan, script=f"@{address}", checks=checks("mapped")).found[0] == "mapped"


def test_realloc_that_moves_where_it_must_not_is_told() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 32, expect=IN_PLACE)]
    assert run(plan, script="0 4096+32").found == ("in_place", "realloc")
    assert run(plan, script="0 0+0").status == "held"


def test_realloc_to_no_bytes_may_free() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 0), op("malloc", 0, 64)]
    assert run(plan, script="0 null 0").status == "held"


def test_realloc_to_no_bytes_that_fails_keeps_the_block() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 0, expect=EITHER), op("malloc", 1, 64)]
    assert run(plan, script="0 enomem 0").found == ("overlap", "malloc")


def test_realloc_to_no_bytes_that_fails_is_told_where_it_must_succeed() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 0)]
    assert run(plan, script="0 enomem").found == ("null", "realloc")


def test_realloc_to_no_bytes_may_answer_a_block() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 0), op("malloc", 1, 64)]
    assert run(plan, script="0 4096 4096").found == ("overlap", "malloc")


@pytest.mark.parametrize("call", ["calloc", "reallocarray"])
def test_a_block_for_a_product_that_overflows_is_told(call: str) -> None:
    plan = [op(call, 0, 1 << 33, arg=1 << 33, expect=EITHER)]
    done = run(plan, script="0")
    assert done.found == ("refuse", call)
    assert "does not fit" in done.result["expected"]
    assert run(plan, script="0", checks=checks("null")).status == "held"


def test_self_check_is_off_unless_asked_for() -> None:
    assert run([op("self_check")], script="broken").status == "held"
    done = run([op("self_check")], script="broken", checks=ALL)
    assert done.found == ("self_check", "self_check")
    assert done.result["seen"] == "the script says so"
    assert run([op("self_check")], checks=ALL).status == "held"


def test_libc_refuses_what_no_allocator_can_serve() -> None:
    fails = FAILS | ENOMEM
    plan = [
        op("malloc", 0, SIZE_MAX, expect=fails),
        op("calloc", 0, SIZE_MAX, arg=2, expect=fails),
        op("reallocarray", 0, SIZE_MAX, arg=2, expect=fails),
        op("posix_memalign", 0, 8, arg=24, expect=FAILS | EINVAL),
    ]
    assert run(plan, target="libc").status == "held"
