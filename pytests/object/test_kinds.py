"""Each kind goes its own way, and the counters prove which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Kind, ObjectSpace
from heapyard._native.prototypes.objects import VisitFunction
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.objects import HEADER
from pytests.object.nodes import KINDS, field, node_type, set_field
from pytests.support.memory import fill, is_zero, read

if TYPE_CHECKING:
    from heapyard import SpaceCounters
    from pytests.object.conftest import MakeSpace

SIZES = [16, 17, 24, 32, 100, 496, 512, 513, 5000, 100_000]


def counters(space: ObjectSpace) -> SpaceCounters:
    found = space.counters()
    if found is None:
        pytest.skip("a build without counters")
    return found


@pytest.mark.parametrize("size", SIZES)
def test_the_last_reference_of_a_plain_object_ends_it(space: ObjectSpace, size: int) -> None:
    plain = space.type("plain", size=size)
    one = space.new(plain)
    space.incref(one)
    space.decref(one)
    assert space.objects() == [one]
    space.decref(one)
    assert space.objects() == []
    found = counters(space)
    assert (found.made, found.plain, found.live_objects) == (1, 1, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dying_object_drops_what_it_refers_to(space: ObjectSpace, kind: Kind) -> None:
    gone: list[int] = []
    node = node_type(space, kind, 2, note=gone.append)
    root, left, right = (space.new(node) for _ in range(3))
    set_field(root, 0, left)
    set_field(root, 1, right)
    space.decref(root)
    assert gone == [root, right, left], "the latest that was dropped goes first"
    assert space.objects() == []


def test_counters_say_which_way_each_object_went(space: ObjectSpace) -> None:
    plain = space.type("plain", size=32)
    for kind in KINDS:
        space.decref(space.new(node_type(space, kind, 1)))
    for _ in range(4):
        space.decref(space.new(plain))
    found = counters(space)
    assert (found.plain, found.dealloc, found.finalize, found.legacy) == (4, 1, 1, 1)
    assert (found.made, found.live_objects, found.finalized) == (7, 0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_a_new_container_are_zero_though_its_block_was_used(
    space: ObjectSpace, kind: Kind
) -> None:
    node = node_type(space, kind, 6)
    for _ in range(3):
        one = space.new(node)
        assert is_zero(one + HEADER, 48)
        fill(one + HEADER, 0xFF, 48)
        for index in range(6):
            set_field(one, index, 0)
        space.decref(one)


def test_items_are_room_behind_the_object(space: ObjectSpace) -> None:
    row = space.type("row", size=24, item_size=8)
    made = [space.new(row, items) for items in (0, 1, 5, 61, 62, 1000, 100_000)]
    for one, items in zip(made, (0, 1, 5, 61, 62, 1000, 100_000), strict=True):
        assert int.from_bytes(read(one + HEADER, 8), "little") == items
        fill(one + 24, 0xAB, 8 * items)
    for one in made:
        space.decref(one)
    assert space.objects() == []


@pytest.mark.parametrize("items", [2**61, 2**63, 2**64 - 1], ids=str)
def test_items_whose_size_overflows_are_refused(space: ObjectSpace, items: int) -> None:
    row = space.type("row", size=24, item_size=8)
    with pytest.raises(MemoryError):
        space.new(row, items)
    assert counters(space).failures == 1


def test_a_finalizer_may_keep_its_object_and_runs_once(space: ObjectSpace) -> None:
    kept: list[int] = []

    def keep(address: int) -> None:
        space.incref(address)
        kept.append(address)

    phoenix = space.type("phoenix", size=32, kind=Kind.FINALIZE, finalize=keep)
    one = space.new(phoenix)
    space.decref(one)
    assert (kept, space.objects()) == ([one], [one])
    space.decref(one)
    assert (kept, space.objects()) == ([one], [])
    found = counters(space)
    assert (found.finalized, found.resurrected, found.finalize) == (1, 1, 1)


def test_a_legacy_function_may_keep_its_object(space: ObjectSpace) -> None:
    calls: list[int] = []

    def keep_once(address: int) -> None:
        calls.append(address)
        if len(calls) == 1:
            space.incref(address)
        else:
            space.free(address)

    phoenix = space.type("phoenix", size=32, kind=Kind.LEGACY, legacy=keep_once)
    one = space.new(phoenix)
    space.decref(one)
    assert space.objects() == [one]
    space.decref(one)
    assert (calls, space.objects()) == ([one, one], [])
    assert counters(space).resurrected == 1


def test_objects_made_by_a_finalizer_live(space: ObjectSpace) -> None:
    plain = space.type("plain", size=32)
    born: list[int] = []
    parent = space.type(
        "parent", size=32, kind=Kind.FINALIZE, finalize=lambda _: born.append(space.new(plain))
    )
    space.decref(space.new(parent))
    assert space.objects() == born
    space.decref(born[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_of_objects_is_dropped_without_recursion(space: ObjectSpace, kind: Kind) -> None:
    deepest = 0
    depth = 0

    def note(_address: int) -> None:
        nonlocal deepest
        deepest = max(deepest, depth)

    node = node_type(space, kind, 1, note=note)
    head = 0
    for _ in range(20_000):
        one = space.new(node)
        set_field(one, 0, head)
        head = one
    space.decref(head)
    assert space.objects() == []
    assert deepest == 0
    assert counters(space).deferred == 19_999


def test_a_shared_child_goes_with_its_last_parent(space: ObjectSpace) -> None:
    gone: list[int] = []
    node = node_type(space, Kind.DEALLOC, 1, note=gone.append)
    first, second, child = (space.new(node) for _ in range(3))
    space.incref(child)
    set_field(first, 0, child)
    set_field(second, 0, child)
    space.decref(first)
    assert gone == [first]
    assert field(second, 0) == child
    space.decref(second)
    assert gone == [first, second, child]


def test_a_dealloc_that_keeps_its_object_is_named(make_space: MakeSpace) -> None:
    space = make_space()
    bad = space.type("bad", size=32, kind=Kind.DEALLOC, dealloc=space.incref)
    with recorded_misuse() as reports:
        space.decref(space.new(bad))
    assert [one.detail for one in reports] == ["(a dealloc made a new reference to its object)"]
    assert space.objects() == []


def test_a_legacy_function_that_does_nothing_is_named(make_space: MakeSpace) -> None:
    space = make_space()
    bad = space.type("bad", size=32, kind=Kind.LEGACY, legacy=lambda _: None)
    with recorded_misuse() as reports:
        one = space.new(bad)
        space.decref(one)
    assert [(r.kind, r.address) for r in reports] == [(MisuseKind.BAD_ARGUMENT, one)]
    space.free(one)


@pytest.mark.parametrize("stop_at", [0, 1, 2, 3])
def test_a_walk_ends_where_its_visitor_says(space: ObjectSpace, stop_at: int) -> None:
    """Atoms first: the containers are not visited once it has ended among the atoms."""
    plain, node = space.type("plain", size=32), space.node_type("node", 1)
    objects = [space.new(kind) for kind in (plain, plain, node, node)]
    seen: list[int] = []

    def visit(address: int, _context: int | None) -> int:
        seen.append(address)
        return 7 if len(seen) == stop_at + 1 else 0

    assert space._native.hy_space_walk(space.handle, VisitFunction(visit), None) == 7
    assert seen == objects[: stop_at + 1]
    for one in objects:
        space.decref(one)
