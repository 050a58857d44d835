"""What is done to the dead is named: in every space where the structure can tell, in a debug space
for as long as the dead are kept."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

from heapyard import Kind, ObjectSpace
from heapyard._native.prototypes.heap import HeapCountersStruct
from heapyard._native.prototypes.objects import SpaceConfigStruct
from heapyard.errors import CheckFailedError
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.objects import HEADER
from pytests.object.test_kinds import counters
from pytests.support import dies
from pytests.support.memory import read, write

if TYPE_CHECKING:
    from pytests.object.conftest import MakeSpace

KINDS = (Kind.PLAIN, Kind.DEALLOC, Kind.FINALIZE)


def of_kind(space: ObjectSpace, kind: Kind, size: int) -> int:
    functions = {
        Kind.PLAIN: {},
        Kind.DEALLOC: {"dealloc": lambda _: None},
        Kind.FINALIZE: {"finalize": lambda _: None},
    }[kind]
    return space.new(space.type("victim", size=size, kind=kind, **functions))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [40, 512, 5000])
def test_one_decref_too_many_is_a_double_free(kind: Kind, size: int) -> None:
    with ObjectSpace(debug=True) as space:
        one = of_kind(space, kind, size)
        space.decref(one)
        with recorded_misuse() as reports:
            for _ in range(3):
                space.decref(one)
        assert [(r.kind, r.address) for r in reports] == [(MisuseKind.DOUBLE_FREE, one)] * 3
        space.check()


@pytest.mark.parametrize("kind", KINDS)
def test_a_double_free_is_told_while_the_block_is_listed(
    space: ObjectSpace, listed: bool, kind: Kind
) -> None:
    if not listed:
        pytest.skip("no free lists in this build")
    one = of_kind(space, kind, 40)
    space.decref(one)
    with recorded_misuse() as reports:
        space.decref(one)
    assert [r.kind for r in reports] == [MisuseKind.DOUBLE_FREE]


@pytest.mark.parametrize("offset", [HEADER + 16, 100, 199])
def test_a_write_into_the_dead_is_found_by_check_and_by_trim(offset: int) -> None:
    with ObjectSpace(debug=True) as space:
        one = of_kind(space, Kind.PLAIN, 200)
        space.decref(one)
        write(one + offset, b"\x01")
        with pytest.raises(CheckFailedError, match="dead object was written to"):
            space.check()
        with recorded_misuse() as reports:
            space.trim()
        assert [(r.kind, r.address) for r in reports] == [(MisuseKind.WRITE_AFTER_FREE, one)]


def test_the_dead_are_filled_and_leave_in_the_order_in_which_they_died() -> None:
    with ObjectSpace(debug=True) as space:
        plain = space.type("plain", size=64)
        first = space.new(plain)
        space.decref(first)
        assert read(first + 32, 32) == b"\xdd" * 32
        for _ in range(256):
            space.decref(space.new(plain))
        assert counters(space).quarantined == 256
        assert space.new(plain) == first


def test_free_of_what_is_not_a_dying_legacy_object_is_refused(space: ObjectSpace) -> None:
    plain = space.new(space.type("plain", size=32))
    legacy = space.new(space.type("old", size=32, kind=Kind.LEGACY, legacy=space.free))
    with recorded_misuse() as reports:
        space.free(plain)
        space.free(legacy)
    details = ["(it has references)"] * 2
    assert [(r.kind, r.detail) for r in reports] == [
        (MisuseKind.BAD_ARGUMENT, detail) for detail in details
    ]
    assert sorted(space.objects()) == sorted([plain, legacy])


@pytest.mark.death
def test_a_double_free_aborts_with_one_stable_line() -> None:
    ended = dies(
        """
        from heapyard import ObjectSpace
        space = ObjectSpace(debug=True)
        one = space.new(space.type("plain", size=64))
        space.decref(one)
        space.decref(one)
        """,
        match=r"\Aheapyard: object: double free of 0x[0-9a-f]+ \(one decref too many\)\n",
    )
    assert ended.errors.count("heapyard: object") == 1


@pytest.mark.parametrize("size", [16, 24, 32, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_small_objects_are_kept_for_a_while_too(kind: Kind, size: int) -> None:
    with ObjectSpace(debug=True) as space:
        one = of_kind(space, kind, size)
        space.decref(one)
        with recorded_misuse() as reports:
            space.decref(one)
        assert [(r.kind, r.address) for r in reports] == [(MisuseKind.DOUBLE_FREE, one)]
        assert counters(space).quarantined == 1
        assert space.objects() == []


@pytest.mark.parametrize("offset", [8, HEADER, HEADER + 8, HEADER + 23])
def test_a_write_into_the_count_or_the_first_fields_of_the_dead_is_told(offset: int) -> None:
    with ObjectSpace(debug=True) as space:
        one = of_kind(space, Kind.PLAIN, 40)
        space.decref(one)
        write(one + offset, b"\x01")
        with pytest.raises(CheckFailedError, match="dead object was written to"):
            space.check()
        with recorded_misuse() as reports:
            space.close()
        assert [(r.kind, r.address) for r in reports] == [(MisuseKind.WRITE_AFTER_FREE, one)]


@pytest.mark.parametrize(("items", "told"), [(2, 1), (4, 0), (6, 1), (1000, 1), (2**40, 1)])
def test_items_that_no_longer_fit_the_block_are_told(items: int, told: int) -> None:
    """Five items are 64 bytes, and so are four with the block's unused end."""
    with ObjectSpace(debug=True) as space:
        row = space.type("row", size=24, item_size=8)
        one, neighbour = space.new(row, 5), space.new(row, 5)
        write(one + HEADER, items.to_bytes(8, "little"))
        with recorded_misuse() as reports:
            space.decref(one)
        expected = [(MisuseKind.BAD_ARGUMENT, one, "(its items were changed)")] * told
        assert [(r.kind, r.address, r.detail) for r in reports] == expected
        space.decref(neighbour)


@pytest.mark.parametrize("container", [False, True], ids=["atom", "container"])
@pytest.mark.parametrize(
    ("offset", "value", "text"),
    [(0, 64, "not registered here"), (8, 2**64 - 2**31, "has no reference")],
    ids=["type", "count"],
)
def test_check_finds_a_live_object_whose_header_was_written_to(
    space: ObjectSpace, container: bool, offset: int, value: int, text: str
) -> None:
    kind = space.node_type("node", 1) if container else space.type("plain", size=32)
    one, other = space.new(kind), space.new(kind)
    sound = read(other + offset, 8)
    write(other + offset, value.to_bytes(8, "little"))
    try:
        with pytest.raises(CheckFailedError, match=text) as caught:
            space.check()
        assert caught.value.address == other
    finally:
        write(other + offset, sound)
    space.decref(one)
    space.decref(other)


@pytest.mark.parametrize("container", [False, True], ids=["atom", "container"])
def test_check_asks_the_heaps(make_space: MakeSpace, container: bool, listed: bool) -> None:
    """A block that has left for its heap, and was written to there."""
    if not listed:
        pytest.skip("the sanitizer tells the write")
    space = make_space(list_limit=0)
    kind = space.node_type("node", 6) if container else space.type("plain", size=64)
    kept, gone = space.new(kind), space.new(kind)
    space.decref(gone)
    sound = read(gone, 16)
    write(gone + 8, bytes(8))
    try:
        with pytest.raises(CheckFailedError, match="a heap is not sound"):
            space.check()
    finally:
        write(gone, sound)
    space.decref(kept)


@pytest.mark.parametrize("kind", ["plain", "row"])
def test_items_where_there_are_none_and_none_where_there_are_some_are_told(
    space: ObjectSpace, kind: str
) -> None:
    handles = {
        "plain": space.type("plain", size=32).handle,
        "row": space.type("row", size=24, item_size=8).handle,
    }
    native = space._native
    calls = {
        "plain": lambda: native.hy_new_var(handles["plain"], 3),
        "row": lambda: native.hy_new(handles["row"]),
    }
    with recorded_misuse() as reports:
        assert calls[kind]() is None
    told = {"plain": "(a type without items)", "row": "(a type with items: hy_new_var)"}
    assert [(r.kind, r.detail) for r in reports] == [(MisuseKind.BAD_ARGUMENT, told[kind])]


@pytest.mark.parametrize(("field", "value"), [("size", 8), ("flags", 2), ("engine", 99)])
def test_a_configuration_that_is_none_is_refused(
    space: ObjectSpace, field: str, value: int
) -> None:
    config = SpaceConfigStruct(size=ctypes.sizeof(SpaceConfigStruct))
    setattr(config, field, value)
    with recorded_misuse() as reports:
        assert space._native.hy_space_new(config) is None
    assert [(r.kind, r.detail) for r in reports] == [(MisuseKind.BAD_ARGUMENT, "(configuration)")]


def test_the_heaps_of_a_debug_space_check_each_free_at_once(listed: bool) -> None:
    """They have no caches, which an ordinary space's heaps have."""
    if not listed:
        pytest.skip("no caches in this build anyway")
    cached = {}
    for debug in (False, True):
        with ObjectSpace(debug=debug, list_limit=0) as space:
            plain = space.type("plain", size=64)
            space.decref_many(space.new_many(plain, 300))
            found = HeapCountersStruct()
            if not space._native.hy_heap_get_counters(space._heap(False), found):
                pytest.skip("a build without counters")
            cached[debug] = found.cached_blocks
    assert cached[True] == 0
    assert cached[False] > 0
