"""Mappings made longer or shorter where they are, and contents moved without a copy."""

from __future__ import annotations

import pytest

from heapyard import BufferPages, FaultyPages, MmapPages, PageSource
from heapyard.errors import BadArgumentError
from heapyard.pages import PAGE_SIZE
from pytests.support.memory import is_mapped, is_zero, read, write

SOURCES = [MmapPages, FaultyPages]


@pytest.fixture(params=SOURCES, ids=["mmap", "faulty"])
def source(request: pytest.FixtureRequest) -> PageSource:
    made: PageSource = request.param()
    return made


def test_a_mapping_shrinks_at_its_end(source: PageSource) -> None:
    address = source.map(8 * PAGE_SIZE)
    write(address, b"kept")
    assert source.resize(address, 8 * PAGE_SIZE, 3 * PAGE_SIZE)
    assert read(address, 4) == b"kept"
    assert is_mapped(address, 3 * PAGE_SIZE)
    source.unmap(address, 3 * PAGE_SIZE)


def test_a_mapping_grows_into_free_addresses_behind_it(source: PageSource) -> None:
    address = source.map(8 * PAGE_SIZE)
    write(address, b"kept")
    assert source.resize(address, 8 * PAGE_SIZE, 3 * PAGE_SIZE)
    assert source.resize(address, 3 * PAGE_SIZE, 8 * PAGE_SIZE)
    assert read(address, 4) == b"kept"
    assert is_zero(address + 3 * PAGE_SIZE, 5 * PAGE_SIZE)
    source.unmap(address, 8 * PAGE_SIZE)


def test_a_mapping_does_not_grow_over_its_neighbour(source: PageSource) -> None:
    address = source.map(8 * PAGE_SIZE)
    write(address + 4 * PAGE_SIZE, b"mine")
    assert not source.resize(address, 4 * PAGE_SIZE, 5 * PAGE_SIZE)
    assert read(address + 4 * PAGE_SIZE, 4) == b"mine"
    source.unmap(address, 8 * PAGE_SIZE)


def test_contents_move_to_another_mapping_and_the_first_is_given_back(source: PageSource) -> None:
    first, second = source.map(4 * PAGE_SIZE), source.map(9 * PAGE_SIZE)
    write(first + PAGE_SIZE, b"moved")
    source.move(first, 4 * PAGE_SIZE, second)
    assert read(second + PAGE_SIZE, 5) == b"moved"
    assert is_zero(second + 4 * PAGE_SIZE, 5 * PAGE_SIZE)
    assert not is_mapped(first, PAGE_SIZE)
    source.unmap(second, 9 * PAGE_SIZE)


def test_the_faulty_source_counts_both_and_refuses_growth() -> None:
    source = FaultyPages()
    first = source.map(8 * PAGE_SIZE)
    assert source.resize(first, 8 * PAGE_SIZE, 4 * PAGE_SIZE)
    source.fail_at(1)
    assert not source.resize(first, 4 * PAGE_SIZE, 8 * PAGE_SIZE)
    assert source.counts.refused == 1
    second = source.map(4 * PAGE_SIZE)
    source.move(first, 4 * PAGE_SIZE, second)
    counts = source.counts
    assert (counts.resizes, counts.mapped_bytes) == (2, 4 * PAGE_SIZE)
    assert counts.total_bytes - counts.unmapped_bytes == counts.mapped_bytes
    source.unmap(second, 4 * PAGE_SIZE)


def test_a_source_that_can_do_neither_says_so() -> None:
    source = BufferPages(4 * PAGE_SIZE)
    assert (source.can_resize, source.can_move) == (False, False)
    assert (FaultyPages(source).can_resize, FaultyPages(source).can_move) == (False, False)
    assert (MmapPages().can_resize, MmapPages().can_move) == (True, True)
    with pytest.raises(BadArgumentError, match="can't resize; see can_resize"):
        source.resize(source.first, PAGE_SIZE, PAGE_SIZE)
    with pytest.raises(BadArgumentError, match="can't move; see can_move"):
        source.move(source.first, PAGE_SIZE, source.first)


@pytest.mark.parametrize("size", [0, -1, 100])
def test_what_is_not_whole_pages_is_refused_by_name(size: int) -> None:
    source = MmapPages()
    address = source.map(PAGE_SIZE)
    with pytest.raises(BadArgumentError, match=f"Invalid new_size={size}"):
        source.resize(address, PAGE_SIZE, size)
    with pytest.raises(BadArgumentError, match=f"Invalid size={size}"):
        source.move(address, size, address)
    source.unmap(address, PAGE_SIZE)
