"""Generations of pools: what the mail of 2001 proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytests.gc.conftest import counters
from pytests.gc.test_finalizers import ring

if TYPE_CHECKING:
    from pytests.gc.conftest import MakeSpace

FIELDS = 100
"""References of nodes of which a few make a pool."""


@pytest.fixture
def engine() -> str:
    """The only one that has them."""
    return "pools"


def test_a_pool_is_young_until_the_next_collection_then_old_once_it_is_full(
    make_space: MakeSpace,
) -> None:
    space = make_space()
    node = space.node_type("node", FIELDS)
    objects = space.new_many(node, 21)
    assert [space.generation(one) for one in objects] == [0] * 21
    space.collect(0)
    ages = {one: space.generation(one) for one in objects}
    assert set(ages.values()) == {1, 2}
    for one in objects:
        space.decref(one)


def test_a_new_object_makes_all_of_its_pool_young(make_space: MakeSpace) -> None:
    space = make_space()
    node = space.node_type("node", FIELDS)
    old = space.new(node)
    space.collect()
    assert space.generation(old) == 1
    new = space.new(node)
    assert [space.generation(one) for one in (old, new)] == [0, 0]
    for one in (old, new):
        space.decref(one)


def test_a_young_collection_looks_at_young_pools_only(make_space: MakeSpace) -> None:
    space = make_space()
    node = space.node_type("node", FIELDS)
    kept = space.new_many(node, 200)
    space.collect()
    before = counters(space).candidates
    garbage = ring(space, node, 8)
    assert space.collect(0) == 8
    assert 8 <= counters(space).candidates - before < 8 + 40
    assert counters(space).log_bytes == 0
    assert not set(garbage) & set(space.containers())
    for one in kept:
        space.decref(one)


def test_old_pools_keep_what_they_refer_to_and_their_garbage(make_space: MakeSpace) -> None:
    space = make_space()
    node = space.node_type("node", FIELDS)
    old = space.new_many(node, 40)
    space.collect()
    held = space.new(node)
    space.link([*old, held], [(0, 0, 40), (1, 0, 1)])
    space.decref(held)
    space.decref(old[1])
    assert space.collect(0) == 0
    assert {held, old[1]} <= set(space.containers())
    assert space.collect(2) == 1
    assert held in space.containers()
    for one in (old[0], *old[2:]):
        space.decref(one)
    assert space.objects() == []


def test_what_takes_the_place_of_collected_garbage_is_young(make_space: MakeSpace) -> None:
    space = make_space()
    node = space.node_type("node", 4)
    kept = space.new_many(node, 2000)
    for _ in range(3):
        ring(space, node, 8)
        assert space.collect(0) == 8
    for one in kept:
        space.decref(one)
