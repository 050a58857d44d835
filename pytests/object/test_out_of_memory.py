"""Out of memory at every request for pages: refused, nothing changed, and all is well after."""

from __future__ import annotations

import pytest

from heapyard import BufferPages, FaultyPages, Kind, ObjectSpace, ObjectType
from heapyard.errors import HeapyardError, OutOfMemoryError
from pytests.object.nodes import node_type, set_field


def build(space: ObjectSpace) -> int:
    """A list of 2,000 nodes, as long as there is memory. Its head; 0: none."""
    node = node_type(space, Kind.DEALLOC, 60)
    head = 0
    for _ in range(2000):
        try:
            one = space.new(node)
        except OutOfMemoryError:
            break
        set_field(one, 0, head)
        head = one
    return head


def test_at_every_kth_request_a_space_is_not_made_or_sound() -> None:
    source = FaultyPages()
    with ObjectSpace(source=source) as space:
        space.decref(build(space))
        requests = source.counts.requests
    assert requests >= 4
    for k in range(1, requests + 1):
        source = FaultyPages()
        source.fail_at(k)
        try:
            space = ObjectSpace(source=source)
        except OutOfMemoryError:
            assert source.counts.mapped_bytes == 0
            continue
        with space:
            head = build(space)
            space.check()
            if head:
                space.decref(head)
            assert space.objects() == []
        assert source.counts.mapped_bytes == 0


def fill(space: ObjectSpace, row: ObjectType, rows: list[int]) -> None:
    while True:
        rows.append(space.new(row, 40))


def test_a_bounded_buffer_can_be_filled_and_used_again() -> None:
    source = BufferPages(16 << 20)
    with ObjectSpace(source=source) as space:
        row = space.type("row", size=24, item_size=8)
        for _ in range(3):
            rows: list[int] = []
            with pytest.raises(OutOfMemoryError):
                fill(space, row, rows)
            assert len(rows) > 10_000
            for one in rows:
                space.decref(one)
            space.trim()


def test_types_for_which_there_is_no_memory_are_refused_and_the_rest_stands() -> None:
    source = FaultyPages()
    with ObjectSpace(source=source) as space:
        source.fail_from(1)
        with pytest.raises(HeapyardError, match="no memory for it"):
            make_types(space)
        source.fail_from(0)
        one = space.new(space.type("late", size=32))
        assert space.type_of(one).name == "late"
        space.decref(one)
    assert source.counts.mapped_bytes == 0


def make_types(space: ObjectSpace) -> None:
    while True:
        space.type("x" * 1000)


def test_each_request_that_is_refused_is_counted() -> None:
    source = FaultyPages()
    with ObjectSpace(source=source) as space:
        plain, node = space.type("plain", size=1 << 20), space.node_type("node", 60)
        source.fail_from(1)
        for kind in (plain, node, plain):
            with pytest.raises(OutOfMemoryError):
                space.new(kind)
        found = space.counters()
        assert found is None or (found.failures, found.made) == (3, 0)
