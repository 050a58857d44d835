"""What the functions of a type may do while they run, and what they are told when they may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Kind, ObjectSpace, WeakReference
from heapyard._native.prototypes.objects import WeakFunction
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.object.nodes import KINDS, field, node_type, set_field
from pytests.object.test_kinds import counters

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytests.object.conftest import MakeSpace


def test_what_waits_for_its_end_is_dead_to_weak_references(space: ObjectSpace) -> None:
    seen: list[int | None] = []
    weaks: list[WeakReference] = []

    def drop_children(address: int) -> None:
        for index in range(2):
            space.decref(field(address, index))
        seen.extend(weak.get() for weak in weaks)

    child = space.type("child", size=32, kind=Kind.DEALLOC, weak=True, dealloc=lambda _: None)
    parent = space.type("parent", size=32, kind=Kind.DEALLOC, dealloc=drop_children)
    one = space.new(parent)
    for index in range(2):
        set_field(one, index, space.new(child))
        weaks.append(space.weak(field(one, index)))
    space.decref(one)
    assert seen == [None, None]
    assert space.objects() == []


def test_what_waits_for_its_end_is_no_object_to_a_walk(space: ObjectSpace) -> None:
    seen: list[list[int]] = []

    def drop_and_look(address: int) -> None:
        space.decref(field(address, 0))
        space.check()
        seen.append(space.objects())

    node = space.type("node", size=24, kind=Kind.DEALLOC, dealloc=lambda _: None)
    parent = space.type("parent", size=24, kind=Kind.DEALLOC, dealloc=drop_and_look)
    kept, one = space.new(node), space.new(parent)
    set_field(one, 0, space.new(node))
    space.decref(one)
    assert seen == [[kept]]


@pytest.mark.parametrize("others", [0, 1, 3])
def test_a_field_dropped_twice_is_a_double_free(space: ObjectSpace, others: int) -> None:
    def drop_twice(address: int) -> None:
        for index in range(others):
            space.decref(field(address, 1 + index))
        for _ in range(3):
            space.decref(field(address, 0))

    gone: list[int] = []
    child = space.type("child", size=32, kind=Kind.DEALLOC, dealloc=gone.append)
    parent = space.type("parent", size=48, kind=Kind.DEALLOC, dealloc=drop_twice)
    one = space.new(parent)
    children = [space.new(child) for _ in range(1 + others)]
    for index, address in enumerate(children):
        set_field(one, index, address)
    with recorded_misuse() as reports:
        space.decref(one)
    assert [(r.kind, r.address) for r in reports] == [(MisuseKind.DOUBLE_FREE, children[0])] * 2
    assert sorted(gone) == sorted(children)


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_may_refer_to_its_object_for_a_while(space: ObjectSpace, kind: Kind) -> None:
    gone: list[int] = []

    def refer(address: int) -> None:
        space.incref(address)
        space.decref(address)
        gone.append(address)

    node = node_type(space, kind, 1, note=refer)
    first, second = space.new(node), space.new(node)
    set_field(first, 0, second)
    space.decref(first)
    assert gone == [first, second]
    assert space.objects() == []


def test_one_decref_too_many_in_a_finalizer_is_a_double_free(space: ObjectSpace) -> None:
    bad = space.type("bad", size=32, kind=Kind.FINALIZE, finalize=space.decref)
    with recorded_misuse() as reports:
        one = space.new(bad)
        space.decref(one)
    assert [(r.kind, r.address) for r in reports] == [(MisuseKind.DOUBLE_FREE, one)]
    assert space.objects() == []
    assert counters(space).finalize == 1


def test_a_legacy_function_may_use_the_memory_of_its_object_again(space: ObjectSpace) -> None:
    made: list[int] = []
    plain = space.type("plain", size=600)

    def end(address: int) -> None:
        space.free(address)
        made.append(space.new(plain))
        space.decref(made[-1])

    old = space.type("old", size=600, kind=Kind.LEGACY, legacy=end)
    one = space.new(old)
    space.decref(one)
    assert made == [one], "the same block"
    assert space.objects() == []
    assert counters(space).live_objects == 0


def test_a_legacy_function_may_not_free_what_waits(space: ObjectSpace) -> None:
    gone: list[int] = []

    def end(address: int) -> None:
        gone.append(address)
        if child := field(address, 0):
            space.decref(child)
            space.free(child)
        space.free(address)

    old = space.type("old", size=24, kind=Kind.LEGACY, legacy=end, traverse=lambda _: [])
    parent, child = space.new(old), space.new(old)
    set_field(parent, 0, child)
    with recorded_misuse() as reports:
        space.decref(parent)
    assert [(r.detail, r.address) for r in reports] == [("(it waits for its own function)", child)]
    assert gone == [parent, child]
    assert space.objects() == []


def test_callbacks_of_weak_references_drop_without_recursion(space: ObjectSpace) -> None:
    """A chain of plain objects, each of which the callback of the one before drops."""
    plain = space.type("plain", size=32, weak=True)
    objects = [space.new(plain) for _ in range(3000)]
    depth = deepest = 0

    def drop_next(index: int) -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)
        if index + 1 < len(objects):
            space.decref(objects[index + 1])
        depth -= 1

    weaks = [space.weak(one, lambda i=i: drop_next(i)) for i, one in enumerate(objects)]  # type: ignore[misc]
    space.decref(objects[0])
    assert space.objects() == []
    assert deepest == 1
    for weak in weaks:
        weak.free()


def test_only_legacy_functions_free_their_object(space: ObjectSpace) -> None:
    bad = space.type("bad", size=32, kind=Kind.DEALLOC, dealloc=space.free)
    one = space.new(bad)
    with recorded_misuse() as reports:
        space.decref(one)
    assert [(r.detail, r.address) for r in reports] == [("(its type is not legacy)", one)]
    assert space.objects() == []
    space.check()


def test_a_finalizer_runs_once_though_its_object_waits_the_second_time(space: ObjectSpace) -> None:
    calls: list[int] = []

    def keep(address: int) -> None:
        calls.append(address)
        if len(calls) == 1:
            space.incref(address)

    phoenix = space.type("phoenix", size=32, kind=Kind.FINALIZE, finalize=keep)
    parent = node_type(space, Kind.DEALLOC, 1)
    one, holder = space.new(phoenix), space.new(parent)
    space.decref(one)
    set_field(holder, 0, one)
    space.decref(holder)
    assert calls == [one]
    assert space.objects() == []


# ---- the space itself, from within ---


def refused(space: ObjectSpace, call: Callable[[], object]) -> list[str]:
    """What is told when a type's function, and a weak reference's, makes the call."""
    noisy = space.type("noisy", size=32, kind=Kind.FINALIZE, weak=True, finalize=lambda _: call())
    one = space.new(noisy)
    with recorded_misuse() as reports:
        weak = space.weak(one, call)
        space.decref(one)
    weak.free()
    assert space.objects() == []
    return [f"{report.part}: {report.detail}" for report in reports]


def test_a_space_is_not_deleted_by_its_own_objects(space: ObjectSpace) -> None:
    def delete() -> None:
        space._native.hy_space_delete(space.handle)

    told = "object: (a space deleted while a function of its objects runs)"
    assert refused(space, delete) == [told] * 2


def test_objects_may_trim_check_look_and_bound_the_lists(space: ObjectSpace) -> None:
    def look() -> None:
        space.trim()
        space.check()
        space.set_list_limit(3)
        space.objects()
        assert space.counters() is None or counters(space).live_objects == 1

    assert refused(space, look) == []


def test_a_type_may_be_made_while_an_object_ends(space: ObjectSpace) -> None:
    made: list[int] = []
    assert refused(space, lambda: made.append(space.type("late", size=32).handle)) == []
    assert len(made) == 2


@pytest.mark.parametrize("engine", ["walk", "linked"])
def test_an_object_may_ask_for_a_collection_as_it_ends(make_space: MakeSpace, engine: str) -> None:
    """What is garbage goes at once, though the drops of the object that asks wait."""
    space = make_space(engine=engine)
    found: list[tuple[int, int]] = []

    def drop_and_collect(address: int) -> None:
        space.decref(field(address, 0))
        found.append((space.collect(), len(space.containers())))

    node = space.node_type("node", 1)
    parent = space.type("parent", size=24, kind=Kind.DEALLOC, dealloc=drop_and_collect)
    one, child, kept = space.new(parent), space.new(node), space.new(node)
    set_field(one, 0, child)
    lost = space.new_many(node, 3)
    space.link(lost, [(0, 0, 1), (1, 0, 2), (2, 0, 0)])
    for each in lost:
        space.decref(each)
    space.decref(one)
    assert found == [(3, 1)]
    assert space.objects() == [kept]


@pytest.mark.parametrize("engine", ["walk", "linked"])
def test_garbage_of_a_collection_in_a_dealloc_is_whole(make_space: MakeSpace, engine: str) -> None:
    """One without `clear` is broken by the end of the other, which must not wait."""
    space = make_space(engine=engine)
    found: list[int] = []
    asks = space.type(
        "asks", size=24, kind=Kind.DEALLOC, dealloc=lambda _: found.append(space.collect())
    )
    stubborn = node_type(space, Kind.DEALLOC, 1, name="stubborn")
    node = space.node_type("node", 1)
    two, other = space.new(stubborn), space.new(node)
    set_field(two, 0, other)
    set_field(other, 0, two)
    space.decref(space.new(asks))
    assert found == [2]
    assert space.objects() == []
    collector = space.collector_counters()
    assert collector is None or (collector.collected, collector.uncollectable) == (2, 0)


def test_a_weak_reference_to_what_is_dying_is_refused(space: ObjectSpace) -> None:
    made: list[object] = []

    def refer(address: int) -> None:
        made.append(space._native.hy_weak_new(address, WeakFunction(), None))

    target = space.type("target", size=32, kind=Kind.DEALLOC, weak=True, dealloc=refer)
    with recorded_misuse() as reports:
        space.decref(space.new(target))
    assert made == [None]
    assert [report.detail for report in reports] == ["(a weak reference to what is dying)"]
