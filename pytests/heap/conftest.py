"""Heaps that are verified when their test ends: sound, accounted for, and given back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from heapyard import FaultyPages, Heap
from heapyard._native.build import current_build
from pytests.heap.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MakeHeap = Callable[..., Heap]


@pytest.fixture
def source() -> FaultyPages:
    """The kernel's pages, counted."""
    return FaultyPages()


@pytest.fixture
def make_heap(source: FaultyPages) -> Iterator[MakeHeap]:
    """Makes heaps over `source`; takes what Heap takes."""
    made: list[Heap] = []

    def make(**config: Any) -> Heap:
        made.append(Heap(source=source, **config))
        return made[-1]

    yield make
    source.fail_from(0)
    for heap in made:
        if heap._handle is not None:
            verify(heap)
            heap.close()
    assert source.counts.mapped_bytes == 0


@pytest.fixture
def heap(make_heap: MakeHeap) -> Heap:
    """A heap with the default configuration."""
    return make_heap()


@pytest.fixture
def strict(make_heap: MakeHeap) -> Heap:
    """A heap without caches: what is freed is in its pool at once."""
    return make_heap(strict=True)


@pytest.fixture(scope="session")
def cached() -> bool:
    """Whether this build uses caches at all."""
    build = current_build()
    return build.assertions not in ("internal", "full") and not build.has_sanitizer("address")


@pytest.fixture(scope="session")
def exact(annotated: bool) -> None:
    """Skips where blocks are larger for redzones, and resident memory is not only ours."""
    if annotated:
        pytest.skip("blocks have redzones in this build")


@pytest.fixture(scope="session")
def annotated() -> bool:
    """Whether blocks have redzones in this build, and no cache is used."""
    return current_build().has_sanitizer("address")
