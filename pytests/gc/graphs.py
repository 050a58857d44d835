"""Graphs as data, a model that says what of them lives, and the same graph in a space."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heapyard import ObjectSpace, ObjectType

__all__ = ["FIELDS", "Graph", "build", "drop", "graphs", "reachable", "scattered"]

FIELDS = 4


@dataclass(frozen=True)
class Graph:
    """`edges`: (from, field, to), each field once. `roots` are referred to from outside."""

    size: int
    edges: tuple[tuple[int, int, int], ...]
    roots: frozenset[int]


@st.composite
def graphs(draw: st.DrawFn, *, most: int = 40) -> Graph:
    """A graph of up to `most` nodes, any fields of which refer to any of them."""
    size = draw(st.integers(1, most))
    node = st.integers(0, size - 1)
    edges = draw(
        st.dictionaries(st.tuples(node, st.integers(0, FIELDS - 1)), node, max_size=3 * size)
    )
    rows = tuple((origin, field, target) for (origin, field), target in sorted(edges.items()))
    return Graph(size, rows, draw(st.frozensets(node)))


def scattered(size: int, seed: str) -> Graph:
    """A graph of so many nodes, drawn at once: edge by edge would take Hypothesis far longer.

    Up to three references a node; none, one, a tenth or half of the nodes are roots.
    """
    draw = random.Random(seed)
    fields = [(node, field) for node in range(size) for field in range(FIELDS)]
    used = sorted(draw.sample(fields, draw.randint(0, 3 * size)))
    edges = tuple((node, field, draw.randrange(size)) for node, field in used)
    roots = draw.sample(range(size), draw.choice([0, 1, size // 10, size // 2]))
    return Graph(size, edges, frozenset(roots))


def reachable(graph: Graph, start: Iterable[int]) -> frozenset[int]:
    """What `start` reaches, itself included."""
    targets: dict[int, list[int]] = defaultdict(list)
    for origin, _, target in graph.edges:
        targets[origin].append(target)
    found: set[int] = set()
    waiting = list(start)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += targets[node]
    return frozenset(found)


def build(space: ObjectSpace, kind: ObjectType, graph: Graph) -> list[int]:
    """The graph's objects, by node. Each has one reference from outside."""
    objects = space.new_many(kind, graph.size)
    space.link(objects, graph.edges)
    return objects


def drop(space: ObjectSpace, objects: list[int], nodes: Iterable[int]) -> None:
    """Drop the references from outside."""
    for node in nodes:
        space.decref(objects[node])
