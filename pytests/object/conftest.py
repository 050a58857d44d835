"""Spaces that are verified when their test ends: sound, and given back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import FaultyPages, ObjectSpace
from heapyard._native.build import current_build
from pytests.support.spaces import verified_spaces

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
    with verified_spaces(source) as make:
        yield make


@pytest.fixture
def space(make_space: MakeSpace) -> ObjectSpace:
    """A space with the default configuration."""
    return make_space()


@pytest.fixture(scope="session")
def listed() -> bool:
    """Whether this build uses free lists at all: not where a sanitizer watches each block."""
    return not current_build().has_sanitizer("address")
