"""Spaces with few containers: the log has all of them, and no pool is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import FaultyPages, ObjectSpace
from heapyard.errors import BadArgumentError
from pytests.gc.conftest import counters
from pytests.support.spaces import verified_spaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heapyard import ObjectType
    from pytests.gc.conftest import MakeSpace

FEW = 1500
"""More than the 1,023 that have a place in the log before any of it is mapped."""


@pytest.fixture
def make_small(source: FaultyPages) -> Iterator[MakeSpace]:
    """Makes spaces that are small up to so many containers."""
    with verified_spaces(source, engine="walk", few=FEW) as make:
        yield make


@pytest.fixture
def small(make_small: MakeSpace) -> ObjectSpace:
    """One of them."""
    return make_small()


def ring(space: ObjectSpace, kind: ObjectType, count: int) -> list[int]:
    """A ring that nothing else refers to."""
    objects = space.new_many(kind, count)
    space.link(objects, [(index, 0, (index + 1) % count) for index in range(count)])
    space.decref_many(objects)
    return objects


def test_no_pool_is_looked_at(small: ObjectSpace) -> None:
    node = small.node_type("node", 2)
    held = small.new_many(node, 5)
    ring(small, node, 4)
    assert small.collect() == 4
    assert set(small.containers()) == set(held)
    assert counters(small).pools_walked == 0


@pytest.mark.parametrize(("count", "walks"), [(FEW, False), (FEW + 1, True)])
def test_the_limit_is_a_number_of_containers(
    small: ObjectSpace, count: int, *, walks: bool
) -> None:
    small.new_many(small.node_type("node", 2), count)
    assert small.collect() == 0
    assert (counters(small).pools_walked > 0) == walks


def test_what_survived_is_old_and_no_young_collection_looks_at_it(small: ObjectSpace) -> None:
    node = small.node_type("node", 2)
    old = small.new_many(node, 7)
    small.collect()
    young = small.new(node)
    assert [small.generation(one) for one in (*old, young)] == [2] * 7 + [0]
    before = counters(small).candidates
    assert small.collect(0) == 0
    assert counters(small).candidates - before == 1
    assert [small.generation(one) for one in (*old, young)] == [2] * 7 + [1]
    assert small.collect(1) == 0
    assert counters(small).candidates - before == 2
    assert small.generation(young) == 2
    assert counters(small).log_entries == 0, "of the young and middle ones"


def test_old_ones_that_become_garbage_are_found_by_the_next_full_collection(
    small: ObjectSpace,
) -> None:
    node = small.node_type("node", 2)
    root = small.new(node)
    lost = small.new_many(node, 20)
    edges = [(index, 1, index % 20 + 1) for index in range(1, 21)]
    small.link([root, *lost], [(0, 0, 1), *edges])
    small.decref_many(lost)
    assert small.collect() == 0
    small.set_field(root, 0, None)
    assert (small.collect(0), small.collect(1), small.collect()) == (0, 0, 20)
    assert counters(small).pools_walked == 0


def test_a_space_grows_beyond_and_becomes_small_again(small: ObjectSpace) -> None:
    node = small.node_type("node", 2)
    kept = small.new_many(node, 10)
    small.collect()
    many = small.new_many(node, 2 * FEW)
    assert small.collect() == 0
    assert counters(small).pools_walked > 0
    assert {small.generation(one) for one in (*kept, *many)} == {2}
    small.decref_many(many)
    ring(small, node, 3)
    assert small.collect() == 3
    small.collect()
    assert counters(small).full_collections == 4
    assert set(small.containers()) == set(kept)


def test_what_was_frozen_is_listed_when_it_is_no_more(small: ObjectSpace) -> None:
    node = small.node_type("node", 2)
    lost = ring(small, node, 3)
    small.freeze()
    assert small.collect() == 0
    assert set(small.containers()) == set(lost)
    small.unfreeze()
    assert small.collect() == 3


def test_trim_forgets_the_list_and_the_next_collection_makes_it_again(small: ObjectSpace) -> None:
    node = small.node_type("node", 2)
    held = small.new_many(node, FEW)
    small.collect()
    assert counters(small).log_bytes > 0
    small.trim()
    assert counters(small).log_bytes == 0
    assert {small.generation(one) for one in held} == {2}
    small.decref_many(held[1:])
    ring(small, node, 2)
    assert small.collect() == 2


@pytest.mark.parametrize(("count", "is_noted"), [(1023, False), (FEW, True), (FEW + 1, False)])
def test_memory_of_the_log_before_the_first_collection(
    small: ObjectSpace, count: int, *, is_noted: bool
) -> None:
    held = small.new_many(small.node_type("node", 2), count)
    assert (counters(small).log_bytes > 0) == is_noted
    small.decref_many(held)
    assert small.collect() == 0


@pytest.mark.parametrize("count", [1, 1022, 1023, 1024, FEW - 10])
def test_what_came_before_the_first_collection_is_old_and_all_of_it_is_looked_at(
    small: ObjectSpace, count: int
) -> None:
    node = small.node_type("node", 2)
    held = small.new_many(node, count)
    lost = ring(small, node, 5)
    small.decref_many(held[::2])
    ring(small, node, 4)
    assert {small.generation(one) for one in (*held[1::2], *lost)} == {2}
    assert (small.collect(0), small.collect(1), small.collect()) == (0, 0, 9)
    assert set(small.containers()) == set(held[1::2])
    assert counters(small).pools_walked == 0


def test_without_memory_for_the_log_the_first_collection_looks_for_the_rest(
    source: FaultyPages, small: ObjectSpace
) -> None:
    node = small.node_type("node", 2)
    ring(small, node, 1000)
    source.fail_from(1)
    ring(small, node, 100)
    source.fail_from(0)
    assert counters(small).log_bytes == 0
    assert small.collect() == 1100
    assert counters(small).pools_walked == 0


def test_trim_before_the_first_collection_loses_nothing(small: ObjectSpace) -> None:
    node = small.node_type("node", 2)
    ring(small, node, 3)
    small.trim()
    ring(small, node, 4)
    assert small.collect() == 7


def test_few_need_no_memory_to_be_collected(source: FaultyPages, small: ObjectSpace) -> None:
    node = small.node_type("node", 2)
    small.collect(0)
    small.new_many(node, 400)
    ring(small, node, 400)
    source.fail_from(1)
    assert small.collect() == 400
    assert counters(small).side_bytes == counters(small).log_bytes == 0


@pytest.mark.parametrize("value", [-1, 2**32 - 1])
def test_a_limit_that_is_none_is_refused(value: int) -> None:
    with pytest.raises(BadArgumentError, match=f"few={value}.*from 0 to 4294967294"):
        ObjectSpace(few=value)
