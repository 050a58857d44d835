"""Graphs from Python: built, changed and dropped by single calls; and weak references."""

from __future__ import annotations

import gc
from array import array
from typing import TYPE_CHECKING

import pytest

from heapyard import Kind, ObjectSpace
from heapyard.errors import BadArgumentError, ClosedError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterable

TRIPLES = [(0, 0, 1), (1, 1, 2), (2, 0, 0)]


@pytest.mark.parametrize(
    "edges", [TRIPLES, iter(TRIPLES), array("I", [0, 0, 1, 1, 1, 2, 2, 0, 0])], ids=type
)
def test_edges_are_triples_or_one_array(
    space: ObjectSpace, edges: Iterable[tuple[int, int, int]] | array[int]
) -> None:
    one, two, three = objects = space.new_many(space.node_type("node", 2), 3)
    space.link(objects, edges)
    assert [space.references(each) for each in objects] == [[two], [three], [one]]
    assert [space.reference_count(each) for each in objects] == [2, 2, 2]
    space.decref_many(objects)
    assert space.collect() == 3


@pytest.mark.parametrize(
    ("edges", "text"),
    [
        ([(0, 0, 1), (2, 0, 0)], r"edge=\(2, 0, 0\): must be within 2 objects"),
        ([(0, 0, 1), (0, 1, 2)], r"edge=\(0, 1, 2\): must be within 2 objects"),
        ([(0, 2, 1)], r"edge=\(0, 2, 1\): must name a field that is there and NULL"),
        ([(1, 2, 0)], r"edge=\(1, 2, 0\): must name a field that is there and NULL"),
        ([(1, 2**32 - 1, 0)], r"edge=\(1, 4294967295, 0\): must name a field that is there"),
        ([(0, 0, 1), (0, 0, 0)], r"edge=\(0, 0, 0\): must name a field that is there and NULL"),
        ([(-1, 0, 0)], r"edge=\(-1, 0, 0\): must be three numbers below"),
        ([(0, 2**32, 0)], r"edge=\(0, 4294967296, 0\): must be three numbers below"),
        (array("I", [0, 0]), "three an edge"),
        (array("Q", [0, 0, 0]), "three an edge"),
    ],
)
def test_edges_that_do_not_fit_are_refused(
    space: ObjectSpace, edges: list[tuple[int, int, int]] | array[int], text: str
) -> None:
    objects = space.new_many(space.node_type("node", 2), 2)
    with pytest.raises(BadArgumentError, match=text):
        space.link(objects, edges)
    space.decref_many(objects)
    assert space.objects() == []


def test_edges_of_other_types_are_refused(space: ObjectSpace) -> None:
    objects = [space.new(space.type("plain", size=64))] * 2
    with pytest.raises(BadArgumentError, match="must name a field"):
        space.link(objects, [(0, 0, 1)])
    space.decref(objects[0])


def test_a_field_changes_hands(space: ObjectSpace) -> None:
    one, two, three = space.new_many(space.node_type("node", 2), 3)
    assert space.field(one, 1) is None
    space.set_field(one, 1, two)
    assert (space.field(one, 1), space.reference_count(two)) == (two, 2)
    space.decref(two)
    space.set_field(one, 1, three)
    assert two not in space.objects()
    space.set_field(one, 1, None)
    assert (space.references(one), space.reference_count(three)) == ([], 1)
    space.decref_many([one, three])


def test_an_item_is_a_field_too(space: ObjectSpace) -> None:
    row = space.type("row", size=32, item_size=8, kind=Kind.DEALLOC, references=True)
    one = space.new(row, 3)
    other = space.new(space.type("plain", size=32))
    for index in range(4):
        space.set_field(one, index, other)
    assert space.references(one) == [other] * 4
    with pytest.raises(BadArgumentError, match="index=4: must be below 4"):
        space.set_field(one, 4, other)
    space.decref_many([one, other])
    assert space.objects() == []


def test_fields_of_other_types_are_refused(space: ObjectSpace) -> None:
    one = space.new(space.type("plain", size=64))
    with pytest.raises(BadArgumentError, match="must be of references, not of <ObjectType plain"):
        space.field(one, 0)
    space.decref(one)


@pytest.mark.parametrize("index", [-1, 2])
def test_a_field_that_is_not_there_is_refused(space: ObjectSpace, index: int) -> None:
    one = space.new(space.node_type("node", 2))
    with pytest.raises(BadArgumentError, match="must be below 2"):
        space.field(one, index)
    space.decref(one)


def test_a_drawing_counts_what_it_leaves_out(space: ObjectSpace) -> None:
    objects = space.new_many(space.node_type("node", 1), 5)
    assert '  more [label="3 more", style=dashed];' in space.dot(2).splitlines()
    assert "more" not in space.dot()
    space.decref_many(objects)


def test_a_space_says_what_it_is() -> None:
    with ObjectSpace(engine="linked") as space:
        space.type("plain")
        assert repr(space) == "<ObjectSpace: linked, 1 types>"
    assert repr(space) == "<ObjectSpace: closed>"


# ---- weak references ---


def test_a_callback_is_called_though_nobody_kept_the_reference(space: ObjectSpace) -> None:
    calls: list[int] = []
    target = space.type("target", size=32, weak=True)
    objects = [space.new(target) for _ in range(50)]
    for one in objects:
        space.weak(one, lambda one=one: calls.append(one))  # type: ignore[misc]
    gc.collect()
    space.decref_many(objects)
    assert calls == objects


def test_a_callback_may_free_its_own_reference_and_make_others(space: ObjectSpace) -> None:
    target = space.type("target", size=32, weak=True)
    one, other = space.new(target), space.new(target)

    def end() -> None:
        for weak in weaks:
            weak.free()
        gc.collect()
        weaks.append(space.weak(other, lambda: None))

    weaks = [space.weak(one, end) for _ in range(3)]
    space.decref(one)
    assert [weak.handle is None for weak in weaks] == [True, True, True, False]
    assert weaks[-1].get() == other
    weaks[-1].free()
    space.decref(other)
    space.decref(other)


def test_a_weak_reference_ends_with_its_space() -> None:
    with ObjectSpace() as space:
        one = space.new(space.type("target", size=32, weak=True))
        weak = space.weak(one, lambda: None)
        kept = space.weak(one)
        kept.free()
        kept.free()
    assert (weak.handle, weak.get()) == (None, None)
    weak.free()
    with pytest.raises(ClosedError):
        space.collect()


def test_what_a_function_raises_goes_no_further(
    space: ObjectSpace, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_address: int) -> None:
        raise ValueError("from within")

    bad = space.type("bad", size=32, kind=Kind.FINALIZE, finalize=fail)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.unraisablehook", lambda event: print(event.exc_value))
        space.decref(space.new(bad))
    assert space.objects() == []
    assert capsys.readouterr().out == "from within\n"


def test_a_type_of_another_space_is_refused(space: ObjectSpace) -> None:
    with ObjectSpace() as other:
        foreign = other.node_type("foreign", 1)
        for make in (lambda: space.new(foreign), lambda: space.new_many(foreign, 1)):
            with pytest.raises(BadArgumentError, match="must be a type of this space"):
                make()
        assert other.objects() == []


def test_a_closed_space_makes_nothing() -> None:
    space = ObjectSpace()
    node = space.node_type("node", 1)
    space.close()
    for make in (lambda: space.new(node), lambda: space.new_many(node, 1)):
        with pytest.raises(ClosedError):
            make()


@pytest.mark.parametrize("fields", [-1, 2**32])
def test_a_number_of_fields_that_is_none_is_refused(space: ObjectSpace, fields: int) -> None:
    with pytest.raises(BadArgumentError, match=f"fields={fields}.*from 0 to 4294967295"):
        space.node_type("node", fields)


def test_more_objects_than_there_are_addresses_for_is_out_of_memory(space: ObjectSpace) -> None:
    with pytest.raises(OutOfMemoryError, match="addresses"):
        space.new_many(space.node_type("node", 1), 2**60)
