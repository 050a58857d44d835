"""The end of garbage: weak references first, then finalizers, then what they have not saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Kind, ObjectSpace
from heapyard.errors import OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.object.nodes import set_field
from pytests.support.memory import read

if TYPE_CHECKING:
    from heapyard.objects import Collection


def ring(space: ObjectSpace, kind: object, size: int) -> list[int]:
    """A ring that nothing else refers to."""
    objects = space.new_many(kind, size)  # type: ignore[arg-type]
    space.link(objects, [(index, 0, (index + 1) % size) for index in range(size)])
    for one in objects:
        space.decref(one)
    return objects


@pytest.mark.parametrize("size", [1, 2, 50])
def test_a_ring_goes_once_nothing_else_refers_to_it(space: ObjectSpace, size: int) -> None:
    node = space.node_type("node", 2)
    ring(space, node, size)
    assert len(space.containers()) == size
    assert space.collect() == size
    assert space.objects() == []


def test_atoms_in_a_ring_go_with_it(space: ObjectSpace) -> None:
    node = space.node_type("node", 2)
    objects = ring(space, node, 3)
    atom = space.new(space.type("atom", size=32))
    set_field(objects[1], 1, atom)
    assert space.collect() == 3
    assert space.objects() == []


def test_resurrection_of_one_keeps_all_that_it_reaches_and_no_more(space: ObjectSpace) -> None:
    saved: list[int] = []

    def save_first(address: int) -> None:
        if address == first[0]:
            space.incref(address)
            saved.append(address)

    node = space.node_type("node", 2, kind=Kind.FINALIZE, finalize=save_first)
    first = ring(space, node, 3)
    ring(space, node, 4)
    results: list[Collection | None] = []
    space.set_callback(results.append)
    assert space.collect() == 4
    assert sorted(space.containers()) == sorted(first)
    assert results[1] is not None
    assert (results[1].collected, results[1].resurrected) == (4, 3)
    space.decref(first[0])
    assert space.collect() == 3
    assert saved == [first[0]], "a finalizer runs once"


def test_resurrection_of_everything(space: ObjectSpace) -> None:
    node = space.node_type("node", 2, kind=Kind.FINALIZE, finalize=space.incref)
    objects = ring(space, node, 10)
    assert space.collect() == 0
    assert sorted(space.containers()) == sorted(objects)
    for one in objects:
        space.decref(one)
    assert space.collect() == 10


def test_objects_born_in_a_finalizer_live(space: ObjectSpace) -> None:
    plain_node = space.node_type("plain", 2)
    born: list[int] = []

    def give_birth(_address: int) -> None:
        one, two = space.new(plain_node), space.new(plain_node)
        set_field(one, 0, two)
        born.append(one)

    node = space.node_type("node", 2, kind=Kind.FINALIZE, finalize=give_birth)
    ring(space, node, 5)
    assert space.collect() == 5
    assert len(space.containers()) == 10
    for one in born:
        space.decref(one)
    assert space.objects() == []


def test_a_newborn_that_refers_to_garbage_saves_it(space: ObjectSpace) -> None:
    holder = space.node_type("holder", 1)
    holders: list[int] = []

    def hold(address: int) -> None:
        one = space.new(holder)
        space.incref(address)
        set_field(one, 0, address)
        holders.append(one)

    node = space.node_type("node", 1, kind=Kind.FINALIZE, finalize=hold)
    objects = ring(space, node, 3)
    assert space.collect() == 0
    assert set(objects) < set(space.containers())
    for one in holders:
        space.decref(one)
    assert space.collect() == 3


def test_a_newborn_ring_with_garbage_in_it_goes_the_next_time(space: ObjectSpace) -> None:
    holder = space.node_type("holder", 1)

    def make_ring(address: int) -> None:
        """holder -> address -> ... -> itself; nothing outside refers to the holder."""
        one = space.new(holder)
        space.incref(one)
        set_field(one, 0, one)
        space.decref(one)
        assert address

    node = space.node_type("node", 1, kind=Kind.FINALIZE, finalize=make_ring)
    ring(space, node, 3)
    assert space.collect() == 3
    assert len(space.containers()) == 3
    assert space.collect() == 3
    assert space.objects() == []


def test_a_collection_from_a_finalizer_is_refused_by_name(space: ObjectSpace) -> None:
    refused: list[str] = []

    def collect(_address: int) -> None:
        try:
            space.collect()
        except OutOfMemoryError as error:
            refused.append(str(error))

    node = space.node_type("node", 1, kind=Kind.FINALIZE, finalize=collect)
    ring(space, node, 2)
    with recorded_misuse() as reports:
        assert space.collect() == 2
    assert [(r.kind, r.part, r.detail) for r in reports] == [
        (MisuseKind.BAD_ARGUMENT, "gc", "(a collection runs)")
    ] * 2
    assert len(refused) == 2


def test_an_object_made_while_the_heap_is_looked_at_is_refused_by_name(space: ObjectSpace) -> None:
    atom = space.type("atom", size=700)
    made: list[int] = []

    def traverse(_address: int) -> list[int]:
        with pytest.raises(OutOfMemoryError):
            made.append(space.new(atom))
        return []

    liar = space.type("liar", size=32, kind=Kind.DEALLOC, dealloc=lambda _: None, traverse=traverse)
    one = space.new(liar)
    with recorded_misuse() as reports:
        space.collect()
    assert reports
    assert {r.detail for r in reports} == {"(an object made while the collector looks at the heap)"}
    assert made == []
    space.decref(one)


def test_a_container_without_clear_is_uncollectable_alone_and_not_with_others(
    space: ObjectSpace,
) -> None:
    stubborn = space.type(
        "stubborn",
        size=24,
        kind=Kind.DEALLOC,
        dealloc=lambda address: space.decref(space.references(address)[0]),
        traverse=lambda address: [int.from_bytes(read(address + 16, 8), "little")],
    )
    results: list[Collection | None] = []
    space.set_callback(results.append)
    one = space.new(stubborn)
    set_field(one, 0, one)
    assert space.collect() == 1
    assert results[1] is not None
    assert (results[1].collected, results[1].uncollectable) == (0, (one,))
    assert space.containers() == [one]

    two, other = space.new(stubborn), space.new(space.node_type("node", 1))
    set_field(two, 0, other)
    set_field(other, 0, two)
    assert space.collect() == 3, "the two of the ring, and the one that can't be"
    assert space.containers() == [one]


# ---- weak references ---


def test_a_weak_reference_answers_the_object_while_it_lives(space: ObjectSpace) -> None:
    one = space.new(space.type("target", size=32, weak=True))
    calls: list[str] = []
    weak = space.weak(one, lambda: calls.append("gone"))
    assert weak.get() == one
    space.decref(one)
    assert calls == []
    space.decref(one)
    assert (weak.get(), calls) == (None, ["gone"])
    weak.free()


def test_weak_references_are_cleared_before_finalizers_can_see_the_dead(space: ObjectSpace) -> None:
    seen: list[int | None] = []
    node = space.node_type(
        "node",
        1,
        kind=Kind.FINALIZE,
        weak=True,
        finalize=lambda _: seen.extend(w.get() for w in weaks),
    )
    objects = ring(space, node, 3)
    calls: list[int] = []
    weaks = [space.weak(one, lambda one=one: calls.append(one)) for one in objects]  # type: ignore[misc]
    assert space.collect() == 3
    assert seen == [None] * 9
    assert sorted(calls) == sorted(objects)
    for weak in weaks:
        weak.free()


def test_a_callback_may_end_other_weak_references(space: ObjectSpace) -> None:
    def free_all() -> None:
        for weak in weaks:
            weak.free()

    one = space.new(space.type("target", size=32, weak=True))
    weaks = [space.weak(one, free_all) for _ in range(4)]
    space.decref(one)
    assert all(weak.handle is None for weak in weaks)


def test_a_weak_reference_to_a_type_without_them_is_refused(space: ObjectSpace) -> None:
    one = space.new(space.type("plain", size=32))
    with recorded_misuse() as reports, pytest.raises(Exception, match="refused"):
        space.weak(one)
    assert [r.detail for r in reports] == ["(its type has no weak references)"]
    space.decref(one)
