"""What may be called while a collection runs, and what is refused; counts out of all bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import FaultyPages, Kind, ObjectSpace
from heapyard._native.prototypes.objects import ObjectStruct
from heapyard.errors import BadArgumentError, HeapyardError, OutOfMemoryError
from heapyard.misuse import recorded_misuse
from pytests.gc.conftest import counters, space_of
from pytests.gc.test_finalizers import ring
from pytests.object.nodes import field, set_field

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytests.gc.conftest import MakeSpace

CALLS: dict[str, Callable[[ObjectSpace], object]] = {
    "trim": lambda space: space.trim(),
    "limit": lambda space: space.set_list_limit(1),
    "check": lambda space: space.check(),
    "roots": lambda space: space.set_roots([]),
    "thresholds": lambda space: space.set_thresholds(1),
    "many": lambda space: space.decref_many(space.new_many(space.type("new", size=700), 500)),
}


@pytest.mark.parametrize("call", CALLS)
def test_finalizers_and_callbacks_may_call(space: ObjectSpace, call: str) -> None:
    results: list[tuple[int, ...] | None] = []

    def finalize(_address: int) -> None:
        CALLS[call](space)

    def callback(result: object) -> None:
        results.append(None if result is None else ())
        CALLS[call](space)

    node = space.node_type("node", 2, kind=Kind.FINALIZE, finalize=finalize, weak=True)
    objects = ring(space, node, 60)
    weaks = [space.weak(one, lambda: CALLS["check"](space)) for one in objects[:3]]
    space.set_callback(callback)
    assert space.collect() == 60
    assert results == [None, ()]
    space.check()
    space.set_callback(None)
    space.set_thresholds(0)
    assert space.containers() == []
    for weak in weaks:
        weak.free()


@pytest.mark.parametrize("call", ["freeze", "unfreeze", "collect"])
def test_finalizers_may_not_freeze_nor_collect(space: ObjectSpace, call: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "freeze": lambda: space._native.hy_gc_freeze(space.handle),
        "unfreeze": lambda: space._native.hy_gc_unfreeze(space.handle),
        "collect": lambda: space._native.hy_gc_collect(space.handle, 0),
    }
    node = space.node_type("node", 1, kind=Kind.FINALIZE, finalize=lambda _: calls[call]())
    ring(space, node, 2)
    with recorded_misuse() as reports:
        assert space.collect() == 2
    assert [(r.part, r.detail) for r in reports] == [("gc", "(a collection runs)")] * 2


def test_a_space_is_not_deleted_while_it_collects(space: ObjectSpace) -> None:
    def delete(*_: object) -> None:
        space._native.hy_space_delete(space.handle)

    node = space.node_type("node", 1, kind=Kind.FINALIZE, finalize=delete)
    ring(space, node, 1)
    space.set_callback(delete)
    with recorded_misuse() as reports:
        assert space.collect() == 1
    told = "(a space deleted while a function of its objects runs)"
    assert [report.detail for report in reports] == [told] * 3
    space.set_callback(None)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("trim", "trim"),
        ("limit", "a limit set"),
        ("freeze", ""),
        ("unfreeze", ""),
        ("drop", "an object dropped"),
        ("collect", ""),
    ],
)
def test_traverse_may_only_visit(make_space: MakeSpace, call: str, told: str) -> None:
    space = make_space()
    other = space.new(space.type("other", size=700))
    calls: dict[str, Callable[[], object]] = {
        "trim": space.trim,
        "limit": lambda: space.set_list_limit(0),
        "freeze": space.freeze,
        "unfreeze": space.unfreeze,
        "drop": lambda: space.decref(other),
        "collect": lambda: space._native.hy_gc_collect(space.handle, 2),
    }
    active = True

    def traverse(_address: int) -> list[int]:
        if active:
            calls[call]()
        return []

    meddler = space.type(
        "meddler", size=32, kind=Kind.DEALLOC, dealloc=lambda _: None, traverse=traverse
    )
    one = space.new(meddler)
    with recorded_misuse() as reports:
        assert space.collect() == 0
    active = False
    text = f"({told} while the collector looks at the heap)" if told else "(a collection runs)"
    assert {report.detail for report in reports} == {text}
    assert space.reference_count(other) == 1
    assert all(space.generation(each) < 3 for each in space.containers()), "none was frozen"
    space.decref(one)
    space.decref(other)


def test_what_was_frozen_and_lives_on_is_collected_like_any_other(space: ObjectSpace) -> None:
    node = space.node_type("node", 1, kind=Kind.FINALIZE, finalize=space.incref)
    one = space.new(node)
    assert space.freeze() == 1
    space.decref(one)
    assert space.containers() == [one]
    assert space.generation(one) == 0
    set_field(one, 0, one)
    assert space.collect() == 1
    assert space.containers() == []


@pytest.mark.parametrize("references", [2**31 - 1, 2**31, 2**31 + 1, 2**32 - 2])
@pytest.mark.parametrize("generation", [0, 2])
def test_more_references_than_32_bits_count_keep_an_object(
    space: ObjectSpace, references: int, generation: int
) -> None:
    """As many as a program could make in seconds; here they are written."""
    space.collect()
    node = space.node_type("node", 1, kind=Kind.FINALIZE, finalize=lambda _: None)
    one, held = space.new_many(node, 2)
    set_field(one, 0, held)
    ring(space, node, 3)
    ObjectStruct.from_address(one).count += (references - 1) << 31
    assert space.reference_count(one) == references
    assert space.collect(generation) == 3
    assert sorted(space.containers()) == sorted([one, held])
    assert space.reference_count(one) == references
    ObjectStruct.from_address(one).count -= (references - 1) << 31
    space.decref(one)
    assert space.objects() == []


# ---- addresses that are not owned ---


def parent_type(space: ObjectSpace, *, borrows: bool, visits: int = 1) -> object:
    """Its first field is owned, its second an address of its parent."""
    return space.type(
        "child",
        size=32,
        kind=Kind.DEALLOC,
        borrows=borrows,
        dealloc=lambda address: space.decref(field(address, 0)),
        traverse=lambda address: [field(address, 0)] * visits,
    )


@pytest.mark.parametrize("borrows", [True, False])
def test_a_borrowed_address_is_no_skipped_reference(make_space: MakeSpace, borrows: bool) -> None:
    space = make_space(debug=True)
    child = parent_type(space, borrows=borrows)
    one, atom, parent = (
        space.new(child),  # type: ignore[arg-type]
        space.new(space.type("atom", size=32)),
        space.new(space.node_type("parent", 1)),
    )
    set_field(one, 0, atom)
    set_field(one, 1, parent)
    with recorded_misuse() as reports:
        if borrows:
            assert space.collect() == 0
        else:
            with pytest.raises(OutOfMemoryError):
                space.collect()
    assert [r.detail for r in reports] == (
        [] if borrows else ["(traverse of type child skips a reference)"]
    )
    space.decref(one)
    space.decref(parent)


def test_a_type_that_borrows_may_not_visit_twice(make_space: MakeSpace) -> None:
    space = make_space(debug=True)
    one = space.new(parent_type(space, borrows=True, visits=2))  # type: ignore[arg-type]
    set_field(one, 0, space.new(space.type("atom", size=32)))
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        space.collect()
    assert [r.detail for r in reports] == ["(traverse of type child visits a reference twice)"]
    space.decref(one)


def test_a_root_that_has_gone_is_told_in_a_debug_space(make_space: MakeSpace) -> None:
    space = make_space(debug=True)
    node = space.node_type("node", 1)
    kept, gone = space.new_many(node, 2)
    space.set_roots([kept, gone])
    assert space.collect() == 0
    space.decref(gone)
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        space.collect()
    told = [(r.part, r.detail, r.address) for r in reports]
    assert told == [("gc", "(a root that is no container of the space)", gone)]
    space.set_roots([kept])
    assert space.collect() == 0
    space.decref(kept)


# ---- memory ---


def test_all_that_is_mapped_is_counted_and_trim_gives_the_rest_back(engine: str) -> None:
    source = FaultyPages()
    with space_of(engine, source=source) as space:
        node = space.node_type("node", 4)
        space.collect()
        ring(space, node, 30_000)
        space.collect()
        found = counters(space)
        mine = space.counters()
        assert mine is not None
        assert found.side_bytes > 0
        total = mine.mapped_bytes + found.side_bytes + found.log_bytes
        assert source.counts.mapped_bytes == total
        given = space.trim()
        assert given >= found.side_bytes + found.log_bytes
        found = counters(space)
        assert (found.side_bytes, found.log_bytes) == (0, 0)
        one = space.new(node)
        assert space.generation(one) == 0, "the log begins anew"
        space.decref(one)


@pytest.mark.parametrize("call", ["thresholds", "callback", "roots"])
def test_without_memory_for_a_collector_nothing_is_set(engine: str, call: str) -> None:
    source = FaultyPages()
    with space_of(engine, source=source) as space:
        calls: dict[str, Callable[[], object]] = {
            "thresholds": lambda: space.set_thresholds(1),
            "callback": lambda: space.set_callback(lambda _: None),
            "roots": lambda: space.set_roots([]),
        }
        source.fail_from(1)
        for name in ("x" * 200, "x"):
            with pytest.raises(HeapyardError):
                make_types(space, name)
        with pytest.raises(OutOfMemoryError):
            calls[call]()
        source.fail_from(0)
        calls[call]()
        space.set_callback(None)


def make_types(space: ObjectSpace, name: str) -> None:
    """Until the space's own arena, which the collector's books come from too, has no room."""
    while True:
        space.type(name)


@pytest.mark.parametrize(
    ("young", "middle", "old"), [(-1, 1, 1), (2**64, 1, 1), (1, 2**32, 1), (1, 1, -1)]
)
def test_thresholds_out_of_bounds_are_refused(
    space: ObjectSpace, young: int, middle: int, old: int
) -> None:
    with pytest.raises(BadArgumentError, match="must be from 0 to"):
        space.set_thresholds(young, middle, old)


def test_the_largest_thresholds_never_come(space: ObjectSpace) -> None:
    space.set_thresholds(2**64 - 1, 2**32 - 1, 2**32 - 1)
    ring(space, space.node_type("node", 1), 3)
    assert len(space.containers()) == 3
    assert space.collect() == 3
