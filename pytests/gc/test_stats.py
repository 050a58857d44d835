"""What each generation holds, and what its collections did."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from heapyard import GenerationStats
from pytests.gc.conftest import counters
from pytests.gc.test_finalizers import ring

if TYPE_CHECKING:
    from heapyard import ObjectSpace

TOTALS = ("candidates", "collected", "resurrected", "uncollectable")


def containers(space: ObjectSpace) -> list[int]:
    """How many are in each generation, as the containers tell one by one; the last: frozen."""
    found = Counter(space.generation(one) for one in space.containers())
    return [found[generation] for generation in range(4)]


def test_a_new_space_has_three_empty_generations(space: ObjectSpace) -> None:
    assert space.generations() == (GenerationStats(0, 0, 0, 0, 0, 0),) * 3


def test_containers_stand_in_the_generation_that_they_tell(space: ObjectSpace) -> None:
    node = space.node_type("node", 2)
    space.new_many(node, 7)
    space.collect(0)
    space.new_many(node, 5)
    space.collect(0)
    space.new_many(node, 3)
    told = [row.containers for row in space.generations()]
    assert told == containers(space)[:3]
    assert sum(told) == 15


def test_frozen_containers_are_in_no_generation(space: ObjectSpace) -> None:
    node = space.node_type("node", 2)
    space.new_many(node, 4)
    space.freeze()
    held = space.new_many(node, 2)
    assert containers(space)[3] == 4
    assert sum(row.containers for row in space.generations()) == len(held)


def test_a_collection_counts_for_its_own_generation(space: ObjectSpace) -> None:
    node = space.node_type("node", 2)
    space.collect()
    before = space.generations()[2]
    for generation, lost in enumerate((2, 3, 4)):
        ring(space, node, lost)
        assert space.collect(generation) == lost
    rows = space.generations()
    assert [row.collections for row in rows] == [1, 1, 1 + before.collections]
    assert [row.collected for row in rows] == [2, 3, 4]
    assert rows[2].candidates - before.candidates == 4


def test_the_sums_are_the_counters(space: ObjectSpace) -> None:
    node = space.node_type("node", 2)
    for generation in (2, 0, 1, 0, 2):
        ring(space, node, 3)
        space.collect(generation)
    rows, found = space.generations(), counters(space)
    for name in TOTALS:
        assert sum(getattr(row, name) for row in rows) == getattr(found, name)
    assert tuple(row.collections for row in rows) == (
        found.young_collections,
        found.middle_collections,
        found.full_collections,
    )
