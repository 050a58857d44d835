"""Both engines and a model agree on every graph: what dies, what stays, what finalizers see."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heapyard import Kind
from pytests.gc.conftest import ENGINES, space_of
from pytests.gc.graphs import FIELDS, Graph, build, drop, graphs, reachable, scattered

PASSED_LATE = Graph(5, ((0, 1, 3), (0, 0, 1), (1, 0, 2), (2, 0, 0), (3, 0, 4)), frozenset([1]))
"""Node 0 is reached when the walk has passed it, and what it refers to is further on."""

WIDE = 100
"""References of nodes of which a few make a pool."""

GRAPHS, SHARDS = 100_000, 20
"""Those of one night, and the tests that they are spread over."""

RING = Graph(3, ((0, 0, 1), (1, 0, 2), (2, 0, 0)), frozenset())


def lives_after(engine: str, graph: Graph) -> tuple[frozenset[int], list[int]]:
    """The nodes that live after a full collection, and what it and a second one answered."""
    with space_of(engine) as space:
        objects = build(space, space.node_type("node", FIELDS), graph)
        drop(space, objects, set(range(graph.size)) - graph.roots)
        counts = [space.collect(), space.collect()]
        live = frozenset(space.containers())
        space.check()
        return frozenset(node for node, one in enumerate(objects) if one in live), counts


@given(graphs())
@example(RING)
@example(PASSED_LATE)
@example(Graph(1, ((0, 0, 0),), frozenset()))
@settings(max_examples=150)
def test_what_lives_is_what_the_roots_reach(graph: Graph) -> None:
    expected = reachable(graph, graph.roots)
    for engine in ENGINES:
        live, counts = lives_after(engine, graph)
        assert live == expected, engine
        assert counts[1] == 0, "nothing is left for a second collection"


@pytest.mark.stress
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("shard", range(SHARDS))
@given(size=st.integers(1, 300), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=GRAPHS // SHARDS)
def test_what_lives_is_what_the_roots_reach_on_many_graphs(
    shard: int, size: int, seed: int
) -> None:
    graph = scattered(size, f"{shard}, {seed}")
    expected = reachable(graph, graph.roots)
    for engine in ENGINES:
        assert lives_after(engine, graph)[0] == expected


def finalized(engine: str, graph: Graph, keep: frozenset[int]) -> tuple[list[int], frozenset[int]]:
    """The nodes whose finalizers ran, in order, and those that live; `keep` keep themselves."""
    ran: list[int] = []
    with space_of(engine) as space:

        def finalize(address: int) -> None:
            node = objects.index(address)
            ran.append(node)
            live = set(space.containers())
            assert all(one in live for one in space.references(address)), "whole when it runs"
            if node in keep:
                space.incref(address)

        kind = space.node_type("node", FIELDS, kind=Kind.FINALIZE, finalize=finalize)
        objects = build(space, kind, graph)
        drop(space, objects, set(range(graph.size)) - graph.roots)
        space.collect()
        live = frozenset(space.containers())
        space.check()
        return ran, frozenset(node for node, one in enumerate(objects) if one in live)


@given(graphs(most=12), st.data())
@settings(max_examples=100)
def test_finalizers_run_once_and_what_they_keep_lives(graph: Graph, data: st.DataObject) -> None:
    rings = [(node, 0, _next_in_ring(node, graph.size)) for node in range(graph.size)]
    others = [edge for edge in graph.edges if edge[1] != 0]
    ringed = Graph(graph.size, (*rings, *others), graph.roots)
    garbage = frozenset(range(graph.size)) - reachable(ringed, ringed.roots)
    keep = data.draw(st.frozensets(st.sampled_from(sorted(garbage)))) if garbage else frozenset()
    for engine in ENGINES:
        ran, live = finalized(engine, ringed, keep)
        assert sorted(ran) == sorted(garbage), engine
        assert live == reachable(ringed, ringed.roots | keep), engine


def _next_in_ring(node: int, size: int) -> int:
    """Each node is in a ring with at most two others: nothing goes by its count alone."""
    first = node // 3 * 3
    return first + (node - first + 1) % min(3, size - first)


@given(graphs(most=20), st.lists(st.integers(0, 2), max_size=6), st.data())
@settings(max_examples=100)
def test_young_collections_free_nothing_that_a_full_one_would_keep(
    graph: Graph, generations: list[int], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(graph.size)))
    outcomes = [drop_and_collect(engine, graph, order, generations) for engine in ENGINES]
    assert outcomes[0] == outcomes[1], "both with generations of objects"


def drop_and_collect(
    engine: str, graph: Graph, order: list[int], generations: list[int]
) -> list[frozenset[int]]:
    """What lives after each collection, while the references from outside go one by one."""
    seen: list[frozenset[int]] = []
    with space_of(engine) as space:
        space.collect(0)
        fields = WIDE if engine == "pools" else FIELDS
        objects = build(space, space.node_type("node", fields), graph)
        held = set(range(graph.size))
        for generation in [*generations, 2]:
            step = order[: max(1, len(order) // (len(generations) + 1))]
            order = order[len(step) :]
            drop(space, objects, step)
            held -= set(step)
            space.collect(generation)
            live = frozenset(space.containers())
            now = frozenset(node for node, one in enumerate(objects) if one in live)
            assert reachable(graph, held) <= now
            seen.append(now)
        assert seen[-1] == reachable(graph, held)
        space.check()
    return seen
