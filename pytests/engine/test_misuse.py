"""The ops that break malloc's rules: what the target gets, and that the model stays unharmed."""

from __future__ import annotations

import pytest

from pytests.engine.driver import ALL, Op, checks, op, run

KINDS = {"static": 0, "stack": 1, "mapping": 2, "other": 3, "break": 4}
MISUSE = checks("misuse")


def freed_twice() -> list[Op]:
    return [op("malloc", 0, 32), op("alias", 1, 0), op("free", 0), op("free_stale", 1)]


def test_a_block_given_to_two_owners_after_a_double_free_is_an_overlap() -> None:
    plan = [*freed_twice(), op("malloc", 0, 32), op("malloc", 2, 32)]
    assert run(plan, script="0 - - 0 0").found == ("overlap", "malloc")


def test_a_double_free_that_does_no_harm_holds() -> None:
    plan = [*freed_twice(), op("malloc", 0, 32), op("malloc", 2, 32)]
    assert run(plan).status == "held"


def test_a_pointer_keeps_the_address_of_a_block_that_realloc_moved() -> None:
    plan = [op("malloc", 0, 32), op("alias", 1, 0), op("realloc", 0, 64), op("realloc_stale", 1, 8)]
    done = run(plan, script="0 4096+32 4096")
    assert done.found == ("overlap", "realloc_stale")


def test_a_block_from_realloc_of_a_freed_one_is_live() -> None:
    plan = [*freed_twice()[:3], op("realloc_stale", 1, 64), op("malloc", 2, 64)]
    assert run(plan, script="0 - 0 32").found == ("overlap", "malloc")


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_memory_that_the_target_writes_is_damaged_content(kind: str) -> None:
    plan = [op("foreign", 0, 64, arg=KINDS[kind]), op("free_at", 0), op("check", 0)]
    assert run(plan).status == "held"
    assert run(plan, target="plain").status == "held"


def test_foreign_memory_is_forgotten_at_the_end_not_freed() -> None:
    plan = [op("foreign", slot, 64, arg=kind) for slot, kind in enumerate(KINDS.values())]
    assert run(plan, target="libc", repeat=3).status == "held"


def test_foreign_memory_is_handed_out_anew_each_round() -> None:
    plan = [op("foreign", slot, 4096, arg=0) for slot in range(7)]
    assert run(plan, repeat=5).status == "held"
    more = [*plan, op("foreign", 7, 4096, arg=0)]
    assert run(more).refused == ("memory", "no memory for memory that is not the target's")


@pytest.mark.parametrize(
    "stray",
    [
        op("write_at", 0, 0, arg=64),
        op("write_at", 0, (1 << 64) - 16, arg=512),
        op("write_past", 0, 64),
        op("write_stale", 2, 0, arg=128),
        op("link_stale", 2, 0),
    ],
    ids=lambda each: each.name,
)
def test_a_stray_write_leaves_live_blocks_alone(stray: Op) -> None:
    """Block 1 lies right behind block 0; slot 2 points to block 0."""
    plan = [op("malloc", 0, 32), op("malloc", 1, 32), op("alias", 2, 0), stray, op("check_all")]
    assert run(plan, script="64 96").status == "held"


@pytest.mark.parametrize(
    ("stray", "hit"),
    [
        (op("write_at", 0, 32, arg=1), 32),
        (op("write_at", 0, (1 << 64) - 1, arg=1), -1),
    ],
    ids=["behind", "before"],
)
def test_a_stray_write_hits_what_is_no_block(stray: Op, hit: int) -> None:
    """A block that calloc gives there afterwards is not zero."""
    plan = [op("malloc", 0, 32), stray, op("calloc", 1, 1, arg=1)]
    assert run(plan, script=f"64 {64 + hit}", alignment=1).found == ("zero", "calloc")


@pytest.mark.parametrize(("writes", "byte"), [(1, "0xa5"), (2, "0x5a"), (3, "0xa5")])
def test_a_stray_write_changes_each_byte(writes: int, byte: str) -> None:
    """A guard of the very byte would look as if nothing had been written."""
    strays = [op("write_at", 0, 32, arg=1)] * writes
    done = run([op("malloc", 0, 32), *strays, op("calloc", 1, 1, arg=1)], script="64 96")
    assert done.result["seen"].startswith(byte)


def test_a_write_past_the_block_begins_where_usable_bytes_end() -> None:
    plan = [op("malloc", 0, 32), op("write_past", 0, 1), op("calloc", 1, 1, arg=1)]
    assert run(plan, script="64 =48 112", alignment=1).found == ("zero", "calloc")
    assert run(plan, script="64 =48 111", alignment=1).status == "held"


def test_a_link_is_the_address_of_the_other_block() -> None:
    plan = [
        *(op("malloc", 0, 32), op("malloc", 1, 32), op("alias", 2, 0), op("free", 0)),
        *(op("link_stale", 2, 1), op("calloc", 3, 1, arg=8)),
    ]
    assert run(plan, script="0 64 - 0").found == ("zero", "calloc")


MISUSES = [
    [op("free_stale", 1)],
    [op("free_at", 0, 16)],
    [op("free_address", None, 4096)],
    [op("write_at", 0, 40, arg=1)],
    [op("write_past", 0, 1)],
    [op("write_stale", 1, 40, arg=1)],
    [op("link_stale", 1, 0)],
    [op("realloc_stale", 1, 8)],
    [op("usable_stale", 1)],
    [op("free_sized", 0, 31)],
]


@pytest.mark.parametrize("misuse", MISUSES, ids=lambda ops: ops[0].name)
def test_a_misuse_that_was_to_be_told_and_was_not_is_a_violation(misuse: list[Op]) -> None:
    plan = [op("malloc", 0, 32), op("alias", 1, 0), *misuse, op("untold")]
    assert run(plan, checks=MISUSE).found == ("misuse", "untold")


@pytest.mark.parametrize("misuse", MISUSES, ids=lambda ops: ops[0].name)
def test_untold_misuse_is_nothing_where_nobody_asks(misuse: list[Op]) -> None:
    plan = [op("malloc", 0, 32), op("alias", 1, 0), *misuse, op("untold")]
    assert run(plan, checks=0).status == "held"


def test_nothing_is_untold_where_nothing_was_misused() -> None:
    plan = [op("malloc", 0, 32), op("alias", 1, 0), op("free_sized", 0, 32), op("untold")]
    assert run(plan, checks=ALL).status == "held"


def test_misuse_of_what_is_not_there_does_nothing() -> None:
    plan = [
        *(op("alias", 1, 0), op("free_stale", 1), op("free_at", 0, 16), op("write_past", 0, 8)),
        *(op("write_at", 0, 8, arg=8), op("write_stale", 1, 0, arg=8), op("link_stale", 1, 0)),
        *(op("realloc_stale", 1, 8), op("usable_stale", 1), op("read_stale", 1, 8)),
        op("untold"),
    ]
    assert run(plan, checks=ALL).status == "held"
