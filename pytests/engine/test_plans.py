"""Bad plans are refused with the reason, whatever the bytes; sound ones are read as written."""

from __future__ import annotations

import ctypes
import random
from typing import Any

import pytest

from heapyard._native.build import current_build
from pytests.engine.driver import (
    CHECKS,
    FAILS,
    MEASURES,
    NO_SLOT,
    OPS,
    Header,
    Run,
    launch,
    op,
    pack,
    pack_op,
    run,
)


def read(plan: bytes) -> Run:
    return launch([], plan=plan)


GOOD = pack([op("malloc", 0, 32), op("aligned_alloc", 1, 64, arg=64), op("free", 0)])

HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "magic": ({"magic": b"HYPLAN2\0"}, "does not start with HYPLAN1"),
    "version": ({"version": 2}, "version 2"),
    "checks": ({"checks": 1 << 14}, "unknown checks 0x4000"),
    "slots": ({"slots": (1 << 24) + 1}, "16777217 slots"),
    "repeat": ({"repeat": 0}, "repeat is 0"),
    "alignment-24": ({"alignment": 24}, "alignment 24"),
    "alignment-2-MiB": ({"alignment": 1 << 21}, "alignment 2097152"),
    "flags": ({"flags": 2}, "unknown flags 0x2"),
    "reserved": ({"reserved": 1}, "reserved field is 1"),
    "too-few-ops": ({"op_count": 2}, "do not hold"),
    "too-many-ops": ({"op_count": 4}, "do not hold"),
    "ops-that-overflow": ({"op_count": 1 << 60}, "do not hold"),
    "ops-that-wrap-to-the-right-size": ({"op_count": 3 + (1 << 60)}, "do not hold"),
    "operands": ({"operand_count": 0xFFFFFFFF}, "do not hold"),
}


@pytest.mark.parametrize(("fields", "reason"), HEADERS.values(), ids=HEADERS)
def test_a_bad_header_is_refused(fields: dict[str, Any], reason: str) -> None:
    plan = pack([op("malloc", 0, 32), op("malloc", 1, 64), op("free", 0)], Header(**fields))
    cause, text = read(plan).refused
    assert cause == "plan"
    assert text.startswith("bad plan: ")
    assert reason in text


def one_op(code: int, *, slot: int = NO_SLOT, size: int = 0, **fields: int) -> bytes:
    """A plan with 2 slots, 1 operand and this op."""
    header = pack([op("aligned_alloc", 1, 0, arg=64)])[:-16]
    return header + pack_op(code, slot=slot, size=size, **fields)


BAD_OPS = {
    "unknown-op": (one_op(max(OPS.values()) + 1), f"unknown op {max(OPS.values()) + 1}"),
    "op-255": (one_op(255), "unknown op 255"),
    "slot-out-of-range": (one_op(1, slot=2), "(malloc): slot 2"),
    "malloc-without-a-slot": (one_op(1), f"(malloc): slot {NO_SLOT}"),
    "check-without-a-slot": (one_op(16), f"(check): slot {NO_SLOT}"),
    "a-slot-for-trim": (one_op(20, slot=0), "(trim): slot 0"),
    "operand-out-of-range": (one_op(8, slot=0, size=8, arg=1), "(aligned_alloc): arg 1"),
    "calloc-without-a-count": (one_op(2, slot=0, size=8), "(calloc): arg 65535"),
    "an-operand-for-malloc": (one_op(1, slot=0, size=8, arg=0), "(malloc): arg 0"),
    "a-size-for-free": (one_op(5, slot=0, size=8), "(free): size 8"),
    "unknown-measure": (one_op(21, size=len(MEASURES)), f"(measure): size {len(MEASURES)}"),
    "no-such-cost": (one_op(39, size=2), "(count_cost): size 2"),
    "more-blocks-than-slots": (one_op(41, slot=0, size=8, arg=0), "(malloc_many): slot 0"),
    "a-step-of-0": (one_op(42, slot=0, size=0, arg=0), "(free_many): size 0"),
    "steps-past-the-slots": (one_op(42, slot=1, size=1 << 60, arg=0), "(free_many): slot 1"),
    "errno-too-large": (one_op(18, size=1 << 31), "(set_errno): size 2147483648"),
    "outcome-3": (one_op(1, slot=0, expect=3), "(malloc): expect 3"),
    "unknown-expectation": (one_op(1, slot=0, expect=0x80), "(malloc): expect 128"),
    "free-that-must-fail": (one_op(5, slot=0, expect=FAILS), "(free): expect 1"),
    "alias-of-no-slot": (one_op(50, slot=0, size=2), "(alias): size 2"),
    "foreign-of-no-kind": (one_op(51, slot=0, size=8, arg=0), "(foreign): arg 0"),
    "write-far-behind": (one_op(56, slot=0, size=4097), "(write_past): size 4097"),
    "write-far-before": (one_op(61, slot=0, size=(1 << 64) - 1), "(read_stale): size 18446744"),
    "malloc-in-place": (one_op(1, slot=0, expect=0x20), "(malloc): expect 32"),
}


@pytest.mark.parametrize(("plan", "reason"), BAD_OPS.values(), ids=BAD_OPS)
def test_a_bad_op_is_refused_by_its_index(plan: bytes, reason: str) -> None:
    cause, text = read(plan).refused
    assert cause == "plan"
    assert text.startswith("bad plan: op 0")
    assert reason in text


def test_a_plan_is_refused_at_every_length_but_its_own() -> None:
    trial = InProcess()
    for length in range(len(GOOD)):
        assert trial.run(GOOD[:length])["cause"] == "plan", length
    assert trial.run(GOOD)["status"] == "held"
    assert trial.run(GOOD + b"\0")["cause"] == "plan"


@pytest.mark.parametrize("content", [b"", b"HYPLAN1\0"])
def test_a_file_without_a_header_is_refused(content: bytes) -> None:
    assert read(content).refused[0] == "plan"


def test_a_plan_file_that_is_missing_is_refused() -> None:
    cause, reason = launch(["--plan", "/nonexistent/plan"]).refused
    assert cause == "plan"
    assert "/nonexistent/plan" in reason


def test_a_directory_is_no_plan() -> None:
    assert launch(["--plan", "/"]).refused[0] == "plan"


def test_a_second_block_in_a_slot_is_refused_where_it_happens() -> None:
    done = run([op("malloc", 0, 32), op("malloc", 0, 32)])
    assert done.refused == ("plan", "bad plan: op 1 (malloc): slot 0 still holds a block")


def test_a_plan_of_no_ops_holds() -> None:
    assert read(pack([])).result["operations"] == 0


def test_every_op_on_an_empty_slot_is_null_or_nothing() -> None:
    plan = [
        op("free", 0),
        op("free_sized", 0, 8),
        op("free_aligned_sized", 0, 8, arg=16),
        op("usable_size", 0),
        *(op(name, 0) for name in ("fill_usable", "write", "check", "forget")),
        *(op(name) for name in ("nop", "check_all", "free_all", "distinct")),
        op("realloc", 0, 32),
    ]
    assert run(plan).status == "held"


class InProcess:
    """hy_trial_run with entry points that Python gives: the libc's, for blocks up to 1 MiB."""

    MOST = 1 << 20

    def __init__(self) -> None:
        self.library = ctypes.CDLL(str(current_build().libheapyard_trial))
        self.library.hy_trial_run_functions.restype = ctypes.c_size_t
        libc = ctypes.CDLL(None)
        libc.aligned_alloc.restype = libc.malloc.restype = ctypes.c_void_p
        size_t, pointer = ctypes.c_size_t, ctypes.c_void_p
        malloc = ctypes.CFUNCTYPE(pointer, size_t)(
            lambda size: libc.malloc(size_t(size)) if size <= self.MOST else None
        )
        aligned_alloc = ctypes.CFUNCTYPE(pointer, size_t, size_t)(
            lambda alignment, size: (
                libc.aligned_alloc(size_t(alignment), size_t(size))
                if max(alignment, size) <= self.MOST
                else None
            )
        )
        name = ctypes.create_string_buffer(b"python")
        table = (ctypes.c_uint64 * 21)()
        table[0] = ctypes.sizeof(table) | 1 << 32
        table[1] = ctypes.addressof(name)
        for index, function in ((5, malloc), (9, libc.free), (12, aligned_alloc)):
            table[index] = ctypes.cast(function, pointer).value or 0
        self.table = table
        self._alive = (malloc, aligned_alloc, name)

    def text(self, plan: bytes, size: int = 1 << 16) -> tuple[int, bytes]:
        buffer = ctypes.create_string_buffer(size)
        result = self.library.hy_trial_run_functions(
            plan, ctypes.c_size_t(len(plan)), self.table, buffer, ctypes.c_size_t(size), None
        )
        return result, buffer.value

    def run(self, plan: bytes) -> dict[str, Any]:
        result, text = self.text(plan)
        assert result == 0
        return Run(0, text.decode(), "", (0, 0, 0)).result


def test_the_engine_runs_in_this_process() -> None:
    outcome = InProcess().run(GOOD)
    assert (outcome["status"], outcome["operations"]) == ("held", 3)


def test_a_buffer_too_small_for_the_result_says_what_it_needs() -> None:
    trial = InProcess()
    needed, text = trial.text(GOOD, size=20)
    assert text == b""
    assert 100 < needed < 1000
    assert trial.text(GOOD, size=needed + 20)[0] == 0


def test_a_plan_at_an_odd_address_is_read() -> None:
    buffer = ctypes.create_string_buffer(b"x" + GOOD)
    out = ctypes.create_string_buffer(1 << 12)
    trial = InProcess()
    trial.library.hy_trial_run_functions(
        ctypes.c_void_p(ctypes.addressof(buffer) + 1),
        ctypes.c_size_t(len(GOOD)),
        trial.table,
        out,
        ctypes.c_size_t(len(out)),
        None,
    )
    assert b'"held"' in out.value


def test_names_are_those_of_the_header() -> None:
    library = ctypes.CDLL(str(current_build().libheapyard_trial))
    for function, names in (
        ("hy_trial_op_name", OPS),
        ("hy_trial_check_name", CHECKS),
        ("hy_trial_measure_name", {name: number for number, name in enumerate(MEASURES)}),
    ):
        name_of = getattr(library, function)
        name_of.restype = ctypes.c_char_p
        found = {name.decode(): i for i in range(256) if (name := name_of(i)) is not None}
        assert found == names


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_never_harm_the_decoder(seed: int) -> None:
    """A plan with some bytes changed is refused, or runs into a plan error, or holds."""
    draw = random.Random(seed)
    trial = InProcess()
    for _ in range(500):
        plan = bytearray(GOOD)
        for _ in range(draw.randint(1, 6)):
            plan[draw.randrange(len(plan))] = draw.choice((0, 1, 2, 255, draw.randrange(256)))
        for at in range(len(GOOD) - 3 * 16, len(GOOD), 16):
            plan[at] = 0 if plan[at] >= OPS["alias"] else plan[at]  # misuse harms by its nature
        if int.from_bytes(plan[32:40], "little") > 1000:
            plan[32:40] = (1).to_bytes(8, "little")  # rounds: not what this test is about
        outcome = trial.run(bytes(plan))
        assert outcome["status"] in ("held", "refused", "violation")


@pytest.mark.parametrize("seed", range(5))
def test_random_files_are_refused(seed: int) -> None:
    draw = random.Random(seed)
    trial = InProcess()
    for _ in range(300):
        size = draw.randrange(200)
        body = b"HYPLAN1\0" + draw.randbytes(size) if draw.random() < 0.7 else draw.randbytes(size)
        assert trial.run(body)["status"] == "refused"
