"""The kernel as a page source.

Residence is measured with mincore on exactly the range in question: pages are written first, and
nothing else can touch them between the call and the question.
"""

from __future__ import annotations

import pytest

from heapyard import MmapPages
from heapyard.errors import BadArgumentError, OutOfMemoryError
from heapyard.pages import PAGE_SIZE
from pytests.support import runs
from pytests.support.memory import fill, is_mapped, is_zero, read, resident_pages

KIB, MIB = 1 << 10, 1 << 20
ALIGNMENTS = [PAGE_SIZE << n for n in range(13)]
SIZES = [PAGE_SIZE, 3 * PAGE_SIZE, 64 * KIB, MIB, MIB + PAGE_SIZE, 8 * MIB]


@pytest.fixture
def source() -> MmapPages:
    return MmapPages()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("size", SIZES)
def test_pages_are_aligned_zero_writable_and_go_back(
    source: MmapPages, size: int, alignment: int
) -> None:
    address = source.map(size, alignment=alignment)
    assert address % alignment == 0
    assert is_zero(address, size)
    fill(address, 0xA5, size)
    assert resident_pages(address, size) == size // PAGE_SIZE
    source.unmap(address, size)
    assert not is_mapped(address, PAGE_SIZE)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_alignment_costs_no_mapped_pages(alignment: int) -> None:
    # In a child of its own; Python itself maps at most an arena (1 MiB) or two between the
    # readings, where a page lost to each alignment would be 4 MB or more.
    runs(f"""
        from heapyard import MmapPages
        from pytests.support.memory import mapped_bytes
        source = MmapPages()
        before = mapped_bytes()
        blocks = [source.map(12288, alignment={alignment}) for _ in range(1000)]
        assert all(block % {alignment} == 0 for block in blocks)
        taken = mapped_bytes() - before
        assert abs(taken - 1000 * 12288) <= 2 << 20, taken
        for block in blocks:
            source.unmap(block, 12288)
        assert abs(mapped_bytes() - before) <= 2 << 20
    """)


@pytest.mark.parametrize("pages", [1, 2, 16, 1000])
def test_purge_reads_as_zero_and_gives_the_pages_back(source: MmapPages, pages: int) -> None:
    size = pages * PAGE_SIZE
    address = source.map(size)
    fill(address, 0xFF, size)
    assert resident_pages(address, size) == pages
    assert source.purge(address, size) == size
    assert resident_pages(address, size) == 0
    assert is_zero(address, size)
    source.unmap(address, size)


def test_purge_of_a_part_leaves_the_rest(source: MmapPages) -> None:
    address = source.map(8 * PAGE_SIZE)
    fill(address, 0x5A, 8 * PAGE_SIZE)
    source.purge(address + 2 * PAGE_SIZE, 3 * PAGE_SIZE)
    assert resident_pages(address, 8 * PAGE_SIZE) == 5
    assert is_zero(address + 2 * PAGE_SIZE, 3 * PAGE_SIZE)
    assert read(address, 2 * PAGE_SIZE) == b"\x5a" * (2 * PAGE_SIZE)
    assert read(address + 5 * PAGE_SIZE, 3 * PAGE_SIZE) == b"\x5a" * (3 * PAGE_SIZE)
    source.unmap(address, 8 * PAGE_SIZE)


def test_purge_of_locked_pages_reads_as_zero_and_says_that_nothing_went() -> None:
    runs("""
        import ctypes
        from heapyard import MmapPages
        from pytests.support.memory import fill, is_zero
        source = MmapPages()
        address = source.map(4096)
        fill(address, 0xFF, 4096)
        libc = ctypes.CDLL("libc.so.6")  # by name: a sanitizer's mlock does nothing
        if libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(4096)) == 0:
            assert source.purge(address, 4096) == 0
        else:
            assert source.purge(address, 4096) == 4096
        assert is_zero(address, 4096)
    """)


def test_a_part_of_a_mapping_can_be_unmapped(source: MmapPages) -> None:
    address = source.map(4 * PAGE_SIZE)
    source.unmap(address + PAGE_SIZE, PAGE_SIZE)
    assert is_mapped(address, PAGE_SIZE)
    assert not is_mapped(address + PAGE_SIZE, PAGE_SIZE)
    assert is_mapped(address + 2 * PAGE_SIZE, 2 * PAGE_SIZE)
    source.unmap(address, 4 * PAGE_SIZE)


@pytest.mark.parametrize("alignment", [PAGE_SIZE, MIB])
@pytest.mark.parametrize("size", [2**47, 2**62, 2**64 - PAGE_SIZE, 2**64 - MIB])
def test_what_the_address_space_cannot_hold_is_refused(
    source: MmapPages, size: int, alignment: int
) -> None:
    with pytest.raises(OutOfMemoryError):
        source.map(size, alignment=alignment)


@pytest.mark.parametrize("size", [-PAGE_SIZE, 0, 1, PAGE_SIZE - 1, PAGE_SIZE + 1, 2**64])
def test_bad_size_is_refused_by_name(source: MmapPages, size: int) -> None:
    with pytest.raises(BadArgumentError, match=f"Invalid size={size}: must be"):
        source.map(size)


@pytest.mark.parametrize("alignment", [-1, 0, 1, PAGE_SIZE // 2, PAGE_SIZE * 3, 2**63])
def test_bad_alignment_is_refused_by_name(source: MmapPages, alignment: int) -> None:
    with pytest.raises(BadArgumentError, match=f"Invalid alignment={alignment}: must be a power"):
        source.map(PAGE_SIZE, alignment=alignment)
