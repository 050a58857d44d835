"""Arenas that are verified when their test ends: sound, accounted for, and given back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard import Bump, FaultyPages
from heapyard._native.build import current_build
from pytests.bump.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MakeBump = Callable[..., Bump]


@pytest.fixture
def source() -> FaultyPages:
    """The kernel's pages, counted."""
    return FaultyPages()


@pytest.fixture
def make_bump(source: FaultyPages) -> Iterator[MakeBump]:
    """Makes arenas over `source`; takes what Bump takes."""
    made: list[Bump] = []

    def make(**config: int) -> Bump:
        made.append(Bump(source=source, **config))
        return made[-1]

    yield make
    source.fail_from(0)
    for bump in made:
        verify(bump)
        bump.close()
    assert source.counts.mapped_bytes == 0


@pytest.fixture
def bump(make_bump: MakeBump) -> Bump:
    """An arena with the default configuration."""
    return make_bump()


@pytest.fixture(scope="session")
def redzone() -> int:
    """Bytes behind each block that nobody may touch, in this build."""
    return 16 if current_build().has_sanitizer("address") else 0
