"""The free lists: bounded, settable, flushed, and never taken for objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heapyard import Kind, ObjectSpace
from heapyard.block import BlockState
from heapyard.errors import BadArgumentError, CheckFailedError
from pytests.object.test_kinds import counters
from pytests.support.memory import read, write

if TYPE_CHECKING:
    from pytests.object.conftest import MakeSpace


@pytest.fixture(autouse=True)
def _needs_lists(listed: bool) -> None:
    if not listed:
        pytest.skip("no free lists where a sanitizer watches each block")


def drop_all(space: ObjectSpace, objects: list[int]) -> None:
    for one in objects:
        space.decref(one)


@pytest.mark.parametrize("size", [16, 24, 32, 33, 512])
def test_the_block_dropped_last_is_the_next_object(space: ObjectSpace, size: int) -> None:
    plain = space.type("plain", size=size)
    first, second = space.new(plain), space.new(plain)
    drop_all(space, [first, second])
    assert [space.new(plain), space.new(plain)] == [second, first]
    found = counters(space)
    assert (found.list_hits, found.list_misses) == (2, 2)


def test_one_list_serves_all_types_of_a_size(space: ObjectSpace) -> None:
    first = space.type("first", size=40)
    second = space.type("second", size=48, kind=Kind.DEALLOC, dealloc=lambda _: None)
    one = space.new(first)
    space.decref(one)
    assert space.new(second) == one


def test_what_is_larger_than_512_bytes_is_on_no_list(space: ObjectSpace) -> None:
    plain = space.type("plain", size=513)
    space.decref(space.new(plain))
    found = counters(space)
    assert (found.listed_blocks, found.list_misses, found.plain) == (0, 0, 1)


@pytest.mark.parametrize("limit", [0, 1, 7])
def test_a_list_takes_no_more_than_its_limit(make_space: MakeSpace, limit: int) -> None:
    space = make_space(list_limit=limit)
    plain = space.type("plain", size=32)
    drop_all(space, [space.new(plain) for _ in range(10)])
    found = counters(space)
    assert (found.listed_blocks, found.list_overflows) == (limit, 10 - limit)
    assert (found.plain, found.live_objects) == (10, 0)


@pytest.mark.parametrize(("before", "after"), [(10, 3), (10, 0), (3, 10), (0, 10)])
def test_the_limit_can_be_set_at_run_time(make_space: MakeSpace, before: int, after: int) -> None:
    space = make_space(list_limit=before)
    plain = space.type("plain", size=32)
    drop_all(space, [space.new(plain) for _ in range(20)])
    space.set_list_limit(after)
    assert counters(space).listed_blocks == min(before, after)
    drop_all(space, [space.new(plain) for _ in range(20)])
    assert counters(space).listed_blocks == after
    space.check()


def test_trim_empties_the_lists_and_gives_pages_back(space: ObjectSpace) -> None:
    plain = space.type("plain", size=512)
    drop_all(space, [space.new(plain) for _ in range(200)])
    assert counters(space).listed_blocks == 200
    assert space.trim() >= 200 * 512
    found = counters(space)
    assert (found.listed_blocks, found.list_flushes, found.plain) == (0, 200, 200)


def test_listed_blocks_are_free_in_a_walk(space: ObjectSpace) -> None:
    plain = space.type("plain", size=32)
    kept, gone = space.new(plain), space.new(plain)
    space.decref(gone)
    states = {run.address: run.state for run in space.walk()}
    assert (states[kept], states[gone]) == (BlockState.LIVE, BlockState.FREE)
    assert space.objects() == [kept]


def test_lists_of_atoms_and_of_containers_are_apart(space: ObjectSpace) -> None:
    atom = space.type("atom", size=32)
    container = space.type(
        "container", size=32, kind=Kind.DEALLOC, dealloc=lambda _: None, traverse=lambda _: []
    )
    one = space.new(atom)
    space.decref(one)
    assert space.new(container) != one


@pytest.mark.parametrize(
    ("offset", "value", "text"),
    [(0, 64, "overwritten"), (8, 5, "overwritten"), (16, 0, "longer or shorter")],
    ids=["type", "count", "next"],
)
def test_check_finds_a_listed_block_that_was_written_to(
    space: ObjectSpace, offset: int, value: int, text: str
) -> None:
    plain = space.type("plain", size=32)
    drop_all(space, blocks := [space.new(plain) for _ in range(3)])
    place = blocks[-1] + offset
    sound = read(place, 8)
    write(place, value.to_bytes(8, "little"))
    try:
        with pytest.raises(CheckFailedError, match=text):
            space.check()
    finally:
        write(place, sound)


@pytest.mark.parametrize("container", [False, True], ids=["atom", "container"])
def test_check_finds_a_listed_block_of_another_size(space: ObjectSpace, container: bool) -> None:
    if container:
        small, large = space.node_type("small", 2), space.node_type("large", 4)
    else:
        small, large = space.type("small", size=32), space.type("large", size=48)
    first, second, stranger = space.new(small), space.new(small), space.new(large)
    drop_all(space, [first, second, stranger])
    write(second + 16, stranger.to_bytes(8, "little"))
    try:
        with pytest.raises(CheckFailedError, match="not one of its heap") as caught:
            space.check()
        assert caught.value.address == stranger
    finally:
        write(second + 16, first.to_bytes(8, "little"))


@pytest.mark.parametrize("limit", [-1, 2**32 - 1])
def test_a_limit_out_of_bounds_is_refused(space: ObjectSpace, limit: int) -> None:
    with pytest.raises(BadArgumentError, match="list_limit"):
        space.set_list_limit(limit)
    with pytest.raises(BadArgumentError, match="list_limit"):
        ObjectSpace(list_limit=limit)


def test_each_list_has_counters_of_its_own(make_space: MakeSpace) -> None:
    space = make_space(list_limit=5)
    small, large = space.type("small", size=24), space.type("large", size=500)
    node = space.node_type("node", 4)
    for kind, count in ((small, 8), (large, 3), (node, 7)):
        drop_all(space, [space.new(kind) for _ in range(count)])
        space.new(kind)
    rows = {
        (size, containers): space.list_counters(size, containers=containers)
        for size, containers in ((24, False), (500, False), (48, True))
    }
    if None in rows.values():
        pytest.skip("a build without counters")
    found = [
        (row.block_size, row.blocks, row.hits, row.misses, row.overflows, row.flushes)
        for row in rows.values()
        if row is not None
    ]
    assert found == [(32, 4, 1, 8, 3, 0), (512, 2, 1, 3, 0, 0), (48, 4, 1, 7, 2, 0)]
    space.trim()
    row = space.list_counters(48, containers=True)
    assert row is not None
    assert (row.blocks, row.flushes) == (0, 4)
    total = counters(space)
    assert (total.list_hits, total.list_misses, total.list_overflows) == (3, 18, 5)
    assert total.list_flushes == 4 + 2 + 4


@pytest.mark.parametrize(
    ("size", "block_size"), [(0, 32), (16, 32), (32, 32), (33, 48), (512, 512)]
)
def test_a_list_is_asked_for_by_the_size_of_objects(
    space: ObjectSpace, size: int, block_size: int
) -> None:
    found = space.list_counters(size)
    assert found is None or found.block_size == block_size


def test_no_list_holds_what_is_larger(space: ObjectSpace) -> None:
    assert space.list_counters(513) is None
    assert space.list_counters(2**64 - 1) is None


@pytest.mark.parametrize("container", [False, True], ids=["atom", "container"])
def test_legacy_objects_come_from_their_heap(space: ObjectSpace, container: bool) -> None:
    """They are the chain that the other kinds are measured against: no list at either end."""
    functions: Any = {"traverse": lambda _: []} if container else {}
    kept = space.node_type("node", 2) if container else space.type("plain", size=32)
    old = space.type("old", size=32, kind=Kind.LEGACY, legacy=space.free, **functions)
    listed = space.new(kept)
    space.decref(listed)
    one = space.new(old)
    assert one != listed
    space.decref(one)
    found = counters(space)
    assert (found.list_hits, found.listed_blocks, found.legacy) == (0, 1, 1)
