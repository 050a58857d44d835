"""Generations, thresholds, roots, freezing, large objects, memory, and the truth of traverse."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

from heapyard import BufferPages, FaultyPages, Kind, ObjectSpace
from heapyard._native.library import library
from heapyard.errors import BadArgumentError, OutOfMemoryError
from heapyard.misuse import recorded_misuse
from heapyard.objects import FEW, Engine
from pytests.gc.conftest import OF_OBJECTS, counters, space_of
from pytests.gc.test_finalizers import ring
from pytests.object.nodes import field, set_field

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytests.gc.conftest import MakeSpace

FROZEN = 4
"""The bit of a count that tells collections to leave an object alone (HY_OBJECT_FROZEN)."""


@pytest.mark.parametrize("engine", OF_OBJECTS)
def test_an_object_ages_by_surviving(space: ObjectSpace) -> None:
    node = space.node_type("node", 1)
    space.collect()
    one = space.new(node)
    ages = [space.generation(one)]
    for generation in (0, 0, 1, 0, 2):
        space.collect(generation)
        ages.append(space.generation(one))
    assert ages == [0, 1, 1, 2, 2, 2]
    space.decref(one)


@pytest.mark.parametrize("engine", OF_OBJECTS)
def test_a_young_collection_leaves_old_garbage(space: ObjectSpace) -> None:
    node = space.node_type("node", 1)
    space.collect()
    old = ring(space, node, 3)
    space.incref(old[0])
    space.collect(0)
    space.collect(1)
    space.decref(old[0])
    young = ring(space, node, 4)
    assert space.collect(0) == 4
    assert sorted(space.containers()) == sorted(old)
    assert space.collect(1) == 0
    assert space.collect(2) == 3
    assert young


@pytest.mark.parametrize("generation", [-1, 3])
def test_there_are_three_generations(space: ObjectSpace, generation: int) -> None:
    with pytest.raises(BadArgumentError, match="generation"):
        space.collect(generation)


def test_the_dead_leave_no_trace_in_what_is_young(space: ObjectSpace) -> None:
    node = space.node_type("node", 40)
    space.collect()
    for _ in range(20):
        objects = space.new_many(node, 3000)
        for one in objects:
            space.decref(one)
        space.trim()
    assert space.collect(0) == 0
    assert counters(space).log_entries == 0


def test_thresholds_collect_by_themselves(space: ObjectSpace) -> None:
    node = space.node_type("node", 1)
    space.set_thresholds(100, 5, 3)
    for _ in range(4000):
        ring(space, node, 1)
    found = counters(space)
    assert len(space.containers()) <= 100
    assert found.young_collections >= 20
    assert found.middle_collections >= 5
    assert found.full_collections >= 1
    space.set_thresholds(0)
    before = counters(space).young_collections
    for _ in range(500):
        ring(space, node, 1)
    assert counters(space).young_collections == before


def test_roots_change_nothing_but_the_order_of_the_work(make_space: MakeSpace, engine: str) -> None:
    space = make_space()
    node = space.node_type("node", 2)
    objects = space.new_many(node, 100)
    space.link(objects, [(index, 0, (index * 7 + 1) % 100) for index in range(100)])
    for one in objects[1:]:
        space.decref(one)
    garbage = ring(space, node, 50)
    before = counters(space).candidates
    space.set_roots([objects[0]])
    space.collect()
    if engine == "walk":
        assert counters(space).candidates - before == 150 - 4, "what roots reach is in no doubt"
    assert not set(garbage) & set(space.containers())
    live = set(space.containers())
    space.set_roots([])
    assert space.collect() == 0
    assert set(space.containers()) == live
    space.decref(objects[0])
    space.collect()
    assert space.containers() == []


def test_what_is_frozen_is_left_alone_and_keeps_what_it_refers_to(space: ObjectSpace) -> None:
    node = space.node_type("node", 2)
    frozen = ring(space, node, 3)
    assert space.freeze() == 3
    kept = ring(space, node, 2)
    space.incref(kept[0])
    set_field(frozen[0], 1, kept[0])
    lost = ring(space, node, 4)
    assert space.collect() == 4
    assert sorted(space.containers()) == sorted([*frozen, *kept])
    assert [space.generation(one) for one in frozen] == [3] * 3
    assert counters(space).frozen == 3
    assert space.unfreeze() == 3
    assert space.collect() == 5
    assert lost


@pytest.mark.parametrize("items", [60, 500, 5000, 9000, 70_000, 400_000])
def test_large_containers_are_found_and_what_they_refer_to(space: ObjectSpace, items: int) -> None:
    row = space.type("row", size=24, item_size=8, kind=Kind.DEALLOC, references=True)
    node = space.node_type("node", 1)
    big, other, small = space.new(row, items), space.new(row, items), space.new(node)
    last = 1 + items - 1
    for origin, place, target in ((big, 1, other), (other, last, small), (small, 0, big)):
        space.incref(target)
        set_field(origin, place, target)
    kept, held = space.new(row, items), space.new(node)
    set_field(kept, last, held)
    for one in (big, other, small):
        space.decref(one)
    assert space.collect() == 3
    assert sorted(space.containers()) == sorted([kept, held])
    assert field(kept, last) == held
    space.decref(kept)
    assert space.objects() == []


def test_blocks_on_free_lists_and_emptied_pools_are_no_containers(space: ObjectSpace) -> None:
    node = space.node_type("node", 4)
    others = space.node_type("others", 20)
    kept: list[int] = []
    for round_ in range(5):
        objects = space.new_many(node if round_ % 2 else others, 2000)
        kept += objects[:: 97 + round_]
        for one in sorted(set(objects) - set(kept)):
            space.decref(one)
        assert space.collect() == 0
        assert sorted(space.containers()) == sorted(kept)
    space.trim()
    assert space.collect() == 0
    assert sorted(space.containers()) == sorted(kept)


def test_pools_without_a_container_are_not_walked(make_space: MakeSpace) -> None:
    space = make_space()
    node = space.node_type("node", 4)
    for one in space.new_many(node, 3000):
        space.decref(one)
    space.collect()
    assert counters(space).pools_walked == 0


@pytest.mark.parametrize("step", [2, 7, 50])
def test_free_blocks_between_containers_are_none(space: ObjectSpace, step: int) -> None:
    node = space.node_type("node", 4)
    objects = space.new_many(node, 1000)
    kept = objects[::step]
    for one in sorted(set(objects) - set(kept)):
        space.decref(one)
    space.set_list_limit(0)
    assert space.collect() == 0
    found = counters(space)
    assert found.candidates == len(kept)


@pytest.mark.parametrize("bit", [0, FROZEN])
def test_free_blocks_are_no_containers_whatever_the_heaps_key(
    make_space: MakeSpace, bit: int
) -> None:
    """A free block has its seal where an object has its count: flags are then bits of the key."""
    space = make_space(list_limit=0)
    heap = library().hy_space_heap(space.handle, True)
    key = ctypes.c_uint64.from_address(heap)  # its first field
    key.value = key.value & ~FROZEN | bit
    node = space.node_type("node", 4)
    objects = space.new_many(node, 1000)
    for one in objects[100:]:
        space.decref(one)
    assert space.collect() == 0
    assert counters(space).candidates == 100
    assert space.containers() == sorted(objects[:100])


def test_containers_are_found_in_arenas_far_apart(engine: str) -> None:
    source = BufferPages(300 << 20)
    with space_of(engine, source=source) as space:
        node = space.node_type("node", 60)
        near = space.new_many(node, 10_000)
        hole = source.map(200 << 20)
        far = space.new_many(node, 10_000)
        assert max(far) - min(near) > 200 << 20
        pairs = [one for two in zip(near, far, strict=True) for one in two]
        space.link(pairs, [(i, 0, i - 1) for i in range(4, len(pairs))])
        space.link(pairs, [(3, 0, len(pairs) - 1), (0, 59, 1), (1, 59, 2)])
        for one in pairs[1:]:
            space.decref(one)
        assert space.collect() == len(pairs) - 3
        assert sorted(space.containers()) == sorted(pairs[:3])
        space.check()
        source.unmap(hole, 200 << 20)


def test_referrers_are_found(space: ObjectSpace) -> None:
    node = space.node_type("node", 2)
    objects = space.new_many(node, 4)
    space.link(objects, [(0, 0, 3), (0, 1, 3), (1, 1, 3), (2, 0, 1)])
    assert sorted(space.referrers(objects[3])) == sorted(objects[:2])
    assert space.references(objects[0]) == [objects[3]] * 2
    assert space.referrers(objects[0]) == []


def test_out_of_memory_postpones_and_changes_nothing(engine: str) -> None:
    """At the k-th request for pages, for every k."""
    for k in range(1, 40):
        source = FaultyPages()
        with space_of(engine, source=source) as space:
            node = space.node_type("node", 4, kind=Kind.FINALIZE, finalize=lambda _: None)
            ring(space, node, 9000)
            kept = ring(space, node, 500)
            space.incref(kept[0])
            before = sorted(space.containers())
            source.fail_from(k)
            postponed = False
            try:
                space.collect()
            except OutOfMemoryError:
                postponed = True
                assert sorted(space.containers()) == before
                space.check()
            source.fail_from(0)
            if postponed:
                assert space.collect() == 9000
            assert sorted(space.containers()) == sorted(kept)
            space.check()
        if not postponed:
            assert k > 1
            return
    pytest.fail("the collection asks for pages without end")


def test_a_space_that_was_never_collected_keeps_nothing_for_it(space: ObjectSpace) -> None:
    ring(space, space.node_type("node", 2), FEW + 1)
    found = counters(space)
    assert (found.side_bytes, found.log_bytes) == (0, 0)
    space.collect()
    assert counters(space).side_bytes > 0
    space.trim()
    assert counters(space).side_bytes == 0


# ---- traverse that lies ---

LIES: dict[str, Callable[[list[int]], list[int]]] = {
    "skips a reference": lambda fields: fields[1:],
    "visits a reference twice": lambda fields: [*fields, fields[0]],
}


@pytest.mark.parametrize("lie", LIES)
def test_a_traverse_that_lies_is_named_in_a_debug_space(make_space: MakeSpace, lie: str) -> None:
    space = make_space(debug=True)

    def traverse(address: int) -> list[int]:
        return LIES[lie]([field(address, 0), field(address, 1)])

    def drop(address: int) -> None:
        space.decref(field(address, 0))
        space.decref(field(address, 1))

    liar = space.type("liar", size=32, kind=Kind.DEALLOC, dealloc=drop, traverse=traverse)
    one = space.new(liar)
    for index in range(2):
        set_field(one, index, space.new(space.type("atom", size=40)))
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        space.collect()
    assert [(r.part, r.detail, r.address) for r in reports] == [
        ("gc", f"(traverse of type liar {lie})", one)
    ]
    space.decref(one)


def test_honest_types_are_not_named_in_a_debug_space(make_space: MakeSpace) -> None:
    space = make_space(debug=True)
    node = space.node_type("node", 3)
    objects = space.new_many(node, 50)
    space.link(objects, [(i, f, (i * 3 + f) % 50) for i in range(50) for f in range(3)])
    with recorded_misuse() as reports:
        assert space.collect() == 0
        for one in objects:
            space.decref(one)
        assert space.collect() == 50
    assert reports == []


def test_the_graph_can_be_drawn(space: ObjectSpace) -> None:
    node = space.node_type('no"de', 2)
    objects = space.new_many(node, 3)
    space.link(objects, [(0, 0, 1), (1, 1, 2), (0, 1, 1)])
    names = {address: f"n{number}" for number, address in enumerate(sorted(objects))}
    text = space.dot()
    one, two, three = (names[address] for address in objects)
    assert text.startswith("digraph objects {")
    assert f'{two} [label="no\\"de\\n3 refs"];' in text
    assert text.count(f"{one} -> {two};") == 2
    assert text.count(f"{two} -> {three};") == 1
    assert text.count("->") == 3


def test_middle_objects_stay_so_when_the_log_closes_its_gaps(space: ObjectSpace) -> None:
    if space.engine is Engine.POOLS:
        pytest.skip("has no log")
    node = space.node_type("node", 1)
    space.collect()
    middle = space.new_many(node, 100)
    space.collect(0)
    space.decref_many(middle[::2])
    young = space.new(node)
    for _ in range(3):
        space.decref_many(space.new_many(node, 9000))
    assert {space.generation(one) for one in middle[1::2]} == {1}
    assert space.generation(young) == 0
    space.decref_many([young, *middle[1::2]])


def test_an_heir_is_cleared_as_its_base_is(space: ObjectSpace) -> None:
    def clear(address: int) -> None:
        held = field(address, 0)
        set_field(address, 0, 0)
        space.decref(held)

    base = space.type(
        "base",
        size=24,
        kind=Kind.DEALLOC,
        clear=clear,
        dealloc=lambda _: None,
        traverse=lambda address: [held] if (held := field(address, 0)) else [],
    )
    one = space.new(space.type("heir", size=32, kind=Kind.DEALLOC, base=base))
    set_field(one, 0, one)
    assert space.collect() == 1
    assert space.objects() == []
