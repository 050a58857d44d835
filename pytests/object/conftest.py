"""Spaces that are verified when their test ends: sound, and given back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heapyard import FaultyPages, ObjectSpace
from heapyard._native.build import current_build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MakeSpace = Callable[..., ObjectSpace]


@pytest.fixture
def source() -> FaultyPages:
    """The kernel's pages, counted."""
    return FaultyPages()


@pytest.fixture
def make_space(source: FaultyPages) -> Iterator[MakeSpace]:
    """Makes spaces over `source`; takes what ObjectSpace takes."""
    made: list[ObjectSpace] = []

    def make(**config: Any) -> ObjectSpace:
        made.append(ObjectSpace(source=source, **config))
        return made[-1]

    yield make
    source.fail_from(0)
    for space in made:
        space.check()
        space.close()
    assert source.counts.mapped_bytes == 0


@pytest.fixture
def space(make_space: MakeSpace) -> ObjectSpace:
    """A space with the default configuration."""
    return make_space()


@pytest.fixture(scope="session")
def listed() -> bool:
    """Whether this build uses free lists at all: not where a sanitizer watches each block."""
    return not current_build().has_sanitizer("address")
