"""Spaces of both engines, verified when their test ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heapyard import CollectorCounters, FaultyPages, ObjectSpace
from pytests.support.spaces import verified_spaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MakeSpace = Callable[..., ObjectSpace]

CONFIGS: dict[str, dict[str, Any]] = {
    "walk": {"engine": "walk", "few": 0},
    "listed": {"engine": "walk"},
    "linked": {"engine": "linked"},
    "pools": {"engine": "pools"},
}
"""The walk engine twice: the graphs of tests are small, and it would keep a list of all."""

ENGINES = tuple(CONFIGS)

OF_OBJECTS = ("walk", "listed", "linked")
"""The engines whose generations are of objects."""


def space_of(engine: str, **config: Any) -> ObjectSpace:
    """A space with the engine of that name."""
    return ObjectSpace(**CONFIGS[engine], **config)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs on both."""
    return str(request.param)


@pytest.fixture
def source() -> FaultyPages:
    """The kernel's pages, counted."""
    return FaultyPages()


@pytest.fixture
def make_space(source: FaultyPages, engine: str) -> Iterator[MakeSpace]:
    """Makes spaces over `source`; takes what ObjectSpace takes."""
    with verified_spaces(source, **CONFIGS[engine]) as make:
        yield make


@pytest.fixture
def space(make_space: MakeSpace) -> ObjectSpace:
    """A space with the default configuration."""
    return make_space()


def counters(space: ObjectSpace) -> CollectorCounters:
    """What its collector has done, in a build that counts."""
    found = space.collector_counters()
    if found is None:
        pytest.skip("a build without counters")
    return found
