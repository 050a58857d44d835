"""The two written forms of a plan: packed for the runner, JSON for people."""

import errno
import json
import re
import struct

import pytest

from heapyard.trial import (
    OPERATIONS,
    SIZE_MAX,
    Call,
    Check,
    Operation,
    OsCalls,
    Plan,
    PlanError,
)
from heapyard.trial.operations import ARGUMENTS


def every_call() -> Plan:
    """One call of each operation that the builder knows."""
    plan = Plan("every", checks=Check.ALL, seed=7, alignment=32, weak_alignment=True, repeat=3)
    block = plan.malloc(1, errno_kept=True)
    plan.fill_usable(block)
    plan.usable_size(block, at_least=5)
    plan.write(block)
    plan.check(block)
    plan.realloc(block, 0, may_fail=True)
    plan.free(block)
    plan.free_sized(plan.calloc(2, 3))
    plan.free(plan.reallocarray(None, 2, SIZE_MAX, fails=(errno.ENOMEM, errno.EINVAL)))
    plan.free_aligned_sized(plan.aligned_alloc(64, 64))
    plan.posix_memalign(3, 8, fails="EINVAL")
    plan.memalign(8, 8)
    plan.forget(plan.valloc(1))
    plan.pvalloc(1)
    plan.set_errno(5)
    plan.check_all()
    plan.self_check()
    plan.measure("extent")
    plan.watch(plan.malloc(8192))
    plan.await_rss(1 << 20, 50)
    plan.stir(0, 5)
    plan.idle(1)
    plan.trend("mapped")
    plan.trim(4096)
    plan.free(None)
    plan.usable_size(None)
    plan.free_all(errno_kept=True)
    _add_every_misuse(plan)
    every_structure(plan)
    plan.count_os()
    plan.fail_os(OsCalls.MMAP | OsCalls.BRK, 3, onward=True)
    plan.end_fail()
    plan.limit_space(1 << 20)
    plan.lift_space()
    plan.count_cost("nanoseconds")
    plan.end_cost()
    plan.free_many(plan.malloc_many(10, 100, may_fail=True), step=3)
    return plan


def _add_every_misuse(plan: Plan) -> None:
    block = plan.malloc(100)
    pointer = plan.alias(block)
    plan.foreign("stack", 64)
    plan.free_at(block, -16)
    plan.free_address(0x1230)
    plan.write_at(block, -8, 8)
    plan.write_past(block, 1)
    plan.link_stale(pointer, block)
    plan.free(block)
    plan.free_stale(pointer)
    plan.write_stale(pointer, 16, offset=-4)
    plan.read_stale(pointer, 16)
    plan.usable_stale(pointer)
    plan.realloc_stale(pointer, 200)
    plan.untold()


def every_structure(plan: Plan) -> None:
    plan.early(2)
    plan.atfork()
    plan.on_thread(1, errno_kept=True)
    with plan.in_destructor(4):
        plan.malloc(8)
    with plan.parallel(times=7):
        plan.on_thread(2)
        plan.signals(100, forks=True)
        with plan.fork():
            plan.malloc(8)
    plan.join(1)
    with plan.at_exit():
        plan.check_all()


def test_every_operation_survives_json() -> None:
    plan = every_call()
    assert Plan.from_json(plan.to_json()) == plan


def test_every_operation_survives_packing() -> None:
    plan = every_call()
    assert Plan.from_bytes(plan.to_bytes()).with_settings(name="every") == plan


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_call_of_each_operation_survives_both_forms(operation: Operation) -> None:
    words = {"slot": 3, "slot?": 3, "figure": 2, "unit": 1} | dict.fromkeys(ARGUMENTS, 5)
    given = [words.get(field, 9) for field in operation.fields]
    call = Call(
        operation.code,
        slot=3 if operation.has_slot else None,
        size=next((value for value in given if value in (9, 2, 1)), 0),
        arg=(1 if "kind" in operation.fields else 5) if 5 in given else None,
        expect=operation.expects.value & ~1,
    )
    plan = Plan("one").with_calls([call])
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_bytes(plan.to_bytes()).calls == plan.calls


def test_offsets_are_signed_in_json_and_kinds_are_words() -> None:
    plan = Plan()
    block = plan.malloc(100)
    plan.free_at(block, -16)
    plan.foreign("other", 32)
    rows = json.loads(plan.to_json())["ops"]
    assert rows[1:] == [["free_at", 0, -16], ["foreign", 1, "other", 32]]


BAD_MISUSE = {
    '["free_at", 0, 4097]': "offset is 4097, must be -4096 to 4096",
    '["write_past", 0, 5000]': "bytes is 5000, must be 0 to 4096",
    '["foreign", 0, "heap", 8]': "kind is 'heap', must be one of static, stack, mapping, other",
    '["alias", 0, 16777216]': "other is 16777216, must be 0 to 16777215",
}


@pytest.mark.parametrize(("row", "reason"), BAD_MISUSE.items(), ids=BAD_MISUSE)
def test_a_misuse_out_of_bounds_is_refused_by_its_field(row: str, reason: str) -> None:
    document = Plan("bad").to_json().replace(' "ops": [', f' "ops": [{row}')
    with pytest.raises(PlanError, match=re.escape(reason)):
        Plan.from_json(document)


def test_json_is_one_readable_list_a_call() -> None:
    plan = Plan("readable")
    plan.aligned_alloc(64, 128, fails=errno.ENOMEM)
    plan.free(None)
    assert json.loads(plan.to_json())["ops"] == [
        ["aligned_alloc", 0, 64, 128, {"fails": "ENOMEM"}],
        ["free", None],
    ]


def test_origin_is_kept_in_json() -> None:
    plan = Plan("from", origin={"target": "libc", "rule": "HY-API-01"})
    assert Plan.from_json(plan.to_json()).header.origin == {"target": "libc", "rule": "HY-API-01"}


def test_packed_layout_is_that_of_the_header_file() -> None:
    plan = Plan(checks=Check.ALIGN, seed=9, alignment=16, weak_alignment=True, repeat=2)
    plan.calloc(7, 24, fails=True)
    data = plan.to_bytes()
    assert len(data) == 64 + 8 + 16
    assert struct.unpack("<8sIIIIQQQIIQ", data[:64]) == (
        *(b"HYPLAN1\0", 1, 4, 1, 1, 1, 2, 9),
        *(16, 1, 0),
    )
    assert struct.unpack("<Q", data[64:72]) == (7,)
    assert struct.unpack("<BBHIQ", data[72:]) == (2, 1, 0, 0, 24)


def test_equal_operands_are_stored_once() -> None:
    plan = Plan()
    for _ in range(5):
        plan.aligned_alloc(64, 1)
    assert len(plan.to_bytes()) == 64 + 8 + 5 * 16


def test_more_operands_than_the_format_holds_are_refused() -> None:
    plan = Plan()
    for count in range(0xFFFF):
        plan.calloc(count, 1)
    with pytest.raises(PlanError, match="Too many different counts and alignments: 65535"):
        plan.to_bytes()


@pytest.mark.parametrize("cut", [0, 10, 64, -1])
def test_a_cut_packed_plan_is_refused(cut: int) -> None:
    with pytest.raises(PlanError, match="packed plan"):
        Plan.from_bytes(every_call().to_bytes()[:cut])


def test_an_unknown_packed_operation_is_refused() -> None:
    plan = Plan()
    plan.malloc(1)
    data = bytearray(plan.to_bytes())
    data[64] = 200
    with pytest.raises(PlanError, match="operation 200"):
        Plan.from_bytes(bytes(data))


GOOD = {"schema": "heapyard.plan/1", "ops": [["malloc", 0, 1]]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", r"Not JSON: .*line 1 column 2.*; a plan is a file that heapyard saved"),
        ([], "Not a plan: schema is 'list', must be 'heapyard.plan/1'"),
        (GOOD | {"schema": "heapyard.plan/9"}, "schema is 'heapyard.plan/9'"),
        (GOOD | {"ops": 3}, 'Field "ops" must be a list'),
        (GOOD | {"seed": "x"}, "Field \"seed\" is 'x': must be int"),
        (GOOD | {"repeat": 0}, "Invalid repeat=0"),
        (GOOD | {"checks": ["speed"]}, r"must be a list of null, refuse"),
        (GOOD | {"checks": 4}, r'Field "checks" is 4'),
        (GOOD | {"ops": [["nop"], ["mallok", 0, 1]]}, "Call 1 of the plan: .*mallok"),
        (GOOD | {"ops": [["malloc", 0]]}, "malloc takes slot, size"),
        (GOOD | {"ops": [["malloc", -1, 1]]}, "malloc: slot is -1, must be 0 to 16777215"),
        (GOOD | {"ops": [["malloc", None, 1]]}, "malloc: slot is None"),
        (GOOD | {"ops": [["malloc", 0, True]]}, "malloc: size is True"),
        (GOOD | {"ops": [["malloc", 0, SIZE_MAX + 1]]}, "malloc: size is 18446744073709551616"),
        (GOOD | {"ops": [["measure", "speed"]]}, "figure is 'speed', must be one of rss"),
        (GOOD | {"ops": [["measure", 1]]}, "figure is 1, must be one of rss"),
        (GOOD | {"ops": [["malloc", 0, 1, {"wishes": 1}]]}, r"malloc: it can't have .*wishes"),
        (GOOD | {"ops": [["malloc", 0, 1, {"in_place": True}]]}, r"malloc: it can't have"),
        (GOOD | {"ops": [["malloc", 0, 1, {"fails": "EPERM"}]]}, "Invalid fails='EPERM'"),
        (GOOD | {"ops": [3]}, r"Call 0 of the plan: 3: must be \[operation, fields...\]"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_an_unreadable_plan_is_refused_by_place_and_remedy(document: object, message: str) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(PlanError, match=message):
        Plan.from_json(text)
