"""Nearly empty pools: full collections know where the last one saw containers, and lose none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heapyard import Kind, ObjectSpace
from pytests.gc.conftest import ENGINES, counters, space_of
from pytests.gc.graphs import FIELDS, Graph, build, drop, graphs, reachable
from pytests.gc.test_finalizers import ring

if TYPE_CHECKING:
    from heapyard import ObjectType

STEP = 30
"""Of so many objects one stays."""

FEW = 9
"""So many more leave a pool nearly empty."""


def thin_out(space: ObjectSpace, node: ObjectType) -> list[int]:
    """Few objects in many pools, which two full collections have seen so."""
    objects = space.new_many(node, 3000)
    kept = objects[::STEP]
    for one in sorted(set(objects) - set(kept)):
        space.decref(one)
    for _ in range(2):
        assert space.collect() == 0
    return kept


def test_only_what_was_seen_is_looked_at_again(space: ObjectSpace) -> None:
    kept = thin_out(space, space.node_type("node", FIELDS))
    for one in kept[::2]:
        space.decref(one)
    before = counters(space).candidates
    assert space.collect() == 0
    assert counters(space).candidates - before == len(kept[1::2])
    assert space.containers() == sorted(kept[1::2])


@pytest.mark.parametrize("generations", [[2], [0, 2], [1, 2], [0, 1, 2, 2], [2, 2]])
def test_garbage_in_the_gaps_is_found(space: ObjectSpace, generations: list[int]) -> None:
    node = space.node_type("node", FIELDS)
    kept = thin_out(space, node)
    garbage = ring(space, node, FEW)
    space.incref(garbage[0])
    for generation in generations[:-1]:
        assert space.collect(generation) == 0
    space.decref(garbage[0])
    assert space.collect(generations[-1]) == FEW
    assert space.containers() == sorted(kept)


@pytest.mark.parametrize("collections", [0, 1, 3])
def test_what_was_frozen_is_found_again(space: ObjectSpace, collections: int) -> None:
    node = space.node_type("node", FIELDS)
    kept = thin_out(space, node)
    ring(space, node, FEW)
    space.freeze()
    for _ in range(collections):
        assert space.collect() == 0
    space.unfreeze()
    assert space.collect() == FEW
    assert space.containers() == sorted(kept)


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_what_a_finalizer_kept_is_found_again(space: ObjectSpace, generation: int) -> None:
    kept = thin_out(space, space.node_type("node", FIELDS))
    risen = space.node_type("risen", FIELDS, kind=Kind.FINALIZE, finalize=space.incref)
    garbage = ring(space, risen, FEW)
    assert space.collect(generation) == 0
    assert space.collect() == 0
    for one in garbage:
        space.decref(one)
    assert space.collect() == FEW
    assert space.containers() == sorted(kept)


def lives_after(engine: str, graph: Graph, generations: list[int]) -> frozenset[int]:
    """The nodes that live when all but the roots were dropped, one part before each collection."""
    with space_of(engine) as space:
        node = space.node_type("node", FIELDS)
        kept = thin_out(space, node)
        objects = build(space, node, graph)
        waiting = sorted(set(range(graph.size)) - graph.roots)
        for generation in generations:
            half = len(waiting) // 2
            drop(space, objects, waiting[half:])
            waiting = waiting[:half]
            space.collect(generation)
        drop(space, objects, waiting)
        space.collect()
        live = set(space.containers())
        assert set(kept) <= live
        space.check()
        return frozenset(number for number, one in enumerate(objects) if one in live)


@given(graphs(most=FEW), st.lists(st.integers(0, 2), max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_lives_is_what_the_roots_reach(graph: Graph, generations: list[int]) -> None:
    expected = reachable(graph, graph.roots)
    for engine in ENGINES:
        assert lives_after(engine, graph, generations) == expected, engine
