"""System calls counted and made to fail, held against an allocator whose calls are known."""

from __future__ import annotations

import platform

import pytest

from heapyard._native.build import current_build
from pytests.engine.driver import ENOMEM, ERRNO_KEPT, FAILS, MIB, SIZE_MAX, Op, measure, op, run

MMAP, MUNMAP, MREMAP, BRK, MADVISE, MPROTECT, ONWARD = (1 << bit for bit in range(7))
EVERY = 0x3F

KINDS = {
    "mmap": (MMAP, [op("malloc", 0, 100)]),
    "munmap": (MUNMAP, [op("free", 9)]),
    "mremap": (MREMAP, [op("realloc", 9, MIB)]),
    "brk": (BRK, [op("calloc", 0, 100, arg=1)]),
    "madvise": (MADVISE, [op("trim", size=0)]),
    "mprotect": (MPROTECT, [op("trim", size=1)]),
    "mmap-by-an-instruction": (MMAP, [op("trim", size=2)]),
}
"""One call each, and what makes it; slot 9 holds a block."""


@pytest.fixture(autouse=True)
def _can_be_watched() -> None:
    build = current_build()
    if platform.machine() != "x86_64":
        pytest.skip("system calls are watched on x86-64 only")
    if build.has_sanitizer("address") or build.has_sanitizer("thread"):
        pytest.skip("a sanitizer's runtime maps memory for itself")


def counted(kinds: int, ops: list[Op]) -> int:
    """How many system calls of these kinds the ops make."""
    plan = [op("malloc", 9, 100), op("count_os", arg=kinds), *ops, measure("os_calls")]
    done = run([*plan, op("end_fail"), op("forget", 0), op("forget", 9)], target="mapper")
    return done.figures("os_calls")[0]


@pytest.mark.parametrize(("kind", "ops"), KINDS.values(), ids=KINDS)
def test_a_system_call_counts_as_its_kind(kind: int, ops: list[Op]) -> None:
    assert counted(kind, ops) == 1
    assert counted(EVERY & ~kind, ops) == 0


def test_the_engine_counts_no_call_of_its_own() -> None:
    figures = [measure(name) for name in ("rss", "mapped", "page_faults", "live_bytes")]
    assert counted(EVERY, [*figures, op("check_all"), op("limit_space", size=SIZE_MAX)]) == 0


@pytest.mark.parametrize("thread", [0, 1])
def test_thread_local_variables_of_the_target_are_there_when_calls_fail(thread: int) -> None:
    short = [op("fail_os", size=1, arg=EVERY | ONWARD), op("malloc", 0, 10), op("free", 0)]
    done = run([op("on_thread", size=thread), *short, op("end_fail")], target="thread_local")
    assert done.status == "held", done


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_the_nth_call_fails_with_enomem_and_no_other(nth: int) -> None:
    asks = [op("malloc", n, 10, expect=FAILS | ENOMEM if n == nth else 0) for n in (1, 2, 3, 4)]
    plan = [op("fail_os", size=nth, arg=MMAP), *asks, measure("os_failures"), measure("os_calls")]
    done = run(plan, target="mapper")
    assert (done.figures("os_failures"), done.figures("os_calls")) == ([1], [4])


def test_from_the_nth_call_on_all_fail_until_the_end() -> None:
    asks = [op("malloc", n, 10, expect=FAILS | ENOMEM if n >= 2 else 0) for n in (1, 2, 3)]
    plan = [op("fail_os", size=2, arg=MMAP | ONWARD), *asks, op("end_fail"), op("malloc", 4, 10)]
    assert run(plan, target="mapper").status == "held"


def test_a_refused_brk_stays_where_it_was() -> None:
    """Its block would start where the heap ends: the next one gets that very place."""
    plan = [
        op("fail_os", size=1, arg=BRK),
        op("calloc", 0, 5000, arg=1, expect=FAILS),
        op("calloc", 1, 5000, arg=1),
        op("forget", 1),
    ]
    assert run(plan, target="mapper").status == "held"


def test_other_kinds_of_calls_succeed() -> None:
    plan = [op("fail_os", size=1, arg=EVERY & ~MMAP | ONWARD), op("malloc", 0, 10)]
    assert run(plan, target="mapper").status == "held"


def test_a_failing_call_sets_errno_as_the_kernel_does() -> None:
    plan = [op("malloc", 0, 10), op("fail_os", size=1, arg=MUNMAP)]
    done = run([*plan, op("free", 0, expect=ERRNO_KEPT)], target="mapper")
    assert done.found == ("errno", "free")
    assert "ENOMEM" in done.result["seen"]


def test_failures_end_with_the_round() -> None:
    plan = [
        op("malloc", 0, 10),
        op("fail_os", size=1, arg=EVERY | ONWARD),
        op("malloc", 1, 10, expect=FAILS),
    ]
    assert run(plan, target="mapper", repeat=3).status == "held"


def test_calls_within_the_libc_fail_too() -> None:
    """The libc's own calls within itself are seen: no symbol could be put in their place."""
    plan = [op("fail_os", size=1, arg=EVERY | ONWARD), op("malloc", 0, 1 << 26, expect=FAILS)]
    assert run(plan, target="libc").status == "held"


@pytest.mark.parametrize("kinds", [0, ONWARD, 1 << 7], ids=["none", "onward-alone", "unknown"])
def test_kinds_that_are_none_are_refused(kinds: int) -> None:
    for name, fields in (("fail_os", {"size": 1}), ("count_os", {})):
        cause, reason = run([op(name, arg=kinds, **fields)], target="mapper").refused
        assert cause == "plan"
        assert f"({name}): arg" in reason


def test_calls_are_numbered_from_1() -> None:
    cause, reason = run([op("fail_os", size=0, arg=MMAP)], target="mapper").refused
    assert cause == "plan"
    assert "(fail_os): size 0" in reason


def test_address_space_can_be_limited_and_given_back() -> None:
    plan = [
        op("limit_space", size=8 * MIB),
        op("malloc", 0, MIB),
        op("malloc", 1, 16 * MIB, expect=FAILS | ENOMEM),
        op("limit_space", size=SIZE_MAX),
        op("malloc", 2, 16 * MIB),
        op("limit_space", size=0),
        op("malloc", 3, MIB, expect=FAILS | ENOMEM),
    ]
    assert run(plan, target="mapper", repeat=2).status == "held"
