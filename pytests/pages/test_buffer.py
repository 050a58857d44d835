"""A caller's buffer as a page source: bounded, any alignment, first fit, no system calls."""

from __future__ import annotations

import ctypes
import mmap
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heapyard import BufferPages
from heapyard.errors import BadArgumentError, CheckFailedError, OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.pages import PAGE_SIZE
from pytests.support import dies
from pytests.support.memory import fill, is_zero

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20
PAGES = 16


@pytest.fixture
def make() -> Iterator[Callable[[int], BufferPages]]:
    """Makes buffers of so many pages; at the end each must be sound."""
    made: list[BufferPages] = []

    def make_buffer(pages: int) -> BufferPages:
        made.append(BufferPages(pages * PAGE_SIZE))
        return made[-1]

    yield make_buffer
    for buffer in made:
        buffer.check()


@pytest.fixture
def buffer(make: Callable[[int], BufferPages]) -> BufferPages:
    return make(PAGES)


def take_all(buffer: BufferPages) -> list[int]:
    pages = []
    while buffer.used < buffer.capacity:
        pages.append(buffer.map(PAGE_SIZE))
    return pages


@pytest.mark.parametrize("pages", [1, 2, 3, 16, 255])
def test_every_page_is_handed_out_once_and_no_more(
    make: Callable[[int], BufferPages], pages: int
) -> None:
    buffer = make(pages)
    given_out = take_all(buffer)
    assert sorted(given_out) == [buffer.first + n * PAGE_SIZE for n in range(pages)]
    with pytest.raises(OutOfMemoryError):
        buffer.map(PAGE_SIZE)
    assert buffer.failures == 1


@pytest.mark.parametrize("offset", [0, 1, 16, 4095])
@pytest.mark.parametrize("size", [PAGE_SIZE * 2, PAGE_SIZE * 2 + 1, PAGE_SIZE * 4 - 1])
def test_only_whole_pages_of_an_unaligned_buffer_are_used(offset: int, size: int) -> None:
    memory = mmap.mmap(-1, 8 * PAGE_SIZE)
    memory[:] = b"\xee" * len(memory)
    view = memoryview(memory)[offset : offset + size]
    buffer = BufferPages(view)
    low = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    first = (low + offset + PAGE_SIZE - 1) // PAGE_SIZE * PAGE_SIZE
    last = (low + offset + size) // PAGE_SIZE * PAGE_SIZE
    assert (buffer.first, buffer.capacity) == (first, last - first)
    for page in take_all(buffer):
        fill(page, 0, PAGE_SIZE)
    assert set(memory[: first - low]) <= {0xEE}
    assert set(memory[last - low :]) <= {0xEE}


@pytest.mark.parametrize("size", [0, 1, PAGE_SIZE - 1])
def test_less_than_a_page_is_refused(size: int) -> None:
    with pytest.raises(BadArgumentError, match="Invalid memory"):
        BufferPages(size)


def test_a_buffer_that_holds_no_whole_page_is_refused() -> None:
    memory = memoryview(mmap.mmap(-1, 2 * PAGE_SIZE))[1 : 2 * PAGE_SIZE - 1]
    with pytest.raises(BadArgumentError, match="must hold a whole page"):
        BufferPages(memory)


def test_pages_are_zero_when_they_are_handed_out_again(buffer: BufferPages) -> None:
    for _ in range(3):
        for page in take_all(buffer):
            assert is_zero(page, PAGE_SIZE)
            fill(page, 0xFF, PAGE_SIZE)
        for n in range(PAGES):
            buffer.unmap(buffer.first + n * PAGE_SIZE, PAGE_SIZE)


def test_the_first_run_that_fits_is_taken(buffer: BufferPages) -> None:
    take_all(buffer)
    low, high = buffer.first + 2 * PAGE_SIZE, buffer.first + 9 * PAGE_SIZE
    buffer.unmap(high, 3 * PAGE_SIZE)
    buffer.unmap(low, 2 * PAGE_SIZE)
    assert buffer.map(3 * PAGE_SIZE) == high
    assert buffer.map(PAGE_SIZE) == low
    assert buffer.map(PAGE_SIZE) == low + PAGE_SIZE


@pytest.mark.parametrize(
    "order",
    [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)],
    ids=lambda order: "".join(map(str, order)),
)
def test_neighbours_merge_in_any_order_of_unmaps(
    buffer: BufferPages, order: tuple[int, ...]
) -> None:
    pages = take_all(buffer)
    for n in order:
        buffer.unmap(pages[4 + n], PAGE_SIZE)
        buffer.check()
    assert buffer.map(3 * PAGE_SIZE) == pages[4]


@pytest.mark.parametrize("alignment", [PAGE_SIZE << n for n in range(9)])
def test_any_alignment_is_served_inside_a_run(alignment: int) -> None:
    buffer = BufferPages(4 * MIB)
    buffer.map(PAGE_SIZE)
    address = buffer.map(2 * PAGE_SIZE, alignment=alignment)
    assert address % alignment == 0
    buffer.check()
    buffer.unmap(address, 2 * PAGE_SIZE)
    buffer.check()
    assert buffer.used == PAGE_SIZE


def test_what_lies_before_an_aligned_run_stays_in_use() -> None:
    buffer = BufferPages(2 * MIB + MIB)
    aligned = buffer.map(MIB, alignment=MIB)
    rest = take_all(buffer)
    assert len(rest) * PAGE_SIZE + MIB == buffer.capacity
    assert not {page for page in rest if aligned <= page < aligned + MIB}


def test_peak_is_the_most_that_was_used(buffer: BufferPages) -> None:
    first = buffer.map(6 * PAGE_SIZE)
    buffer.unmap(first, 6 * PAGE_SIZE)
    buffer.map(PAGE_SIZE)
    assert (buffer.peak, buffer.used) == (6 * PAGE_SIZE, PAGE_SIZE)


def test_it_cannot_purge(buffer: BufferPages) -> None:
    page = buffer.map(PAGE_SIZE)
    assert not buffer.can_purge
    with pytest.raises(BadArgumentError, match="can't purge"):
        buffer.purge(page, PAGE_SIZE)


MISUSES = [
    ("foreign_below", -PAGE_SIZE, PAGE_SIZE, MisuseKind.FOREIGN_POINTER),
    ("foreign_above", PAGES * PAGE_SIZE, PAGE_SIZE, MisuseKind.FOREIGN_POINTER),
    ("misaligned", 8, PAGE_SIZE, MisuseKind.MISALIGNED_POINTER),
    ("past_the_end", (PAGES - 1) * PAGE_SIZE, 2 * PAGE_SIZE, MisuseKind.WRONG_SIZE),
    ("free_page", 4 * PAGE_SIZE, PAGE_SIZE, MisuseKind.DOUBLE_FREE),
    ("into_a_free_page", 3 * PAGE_SIZE, 2 * PAGE_SIZE, MisuseKind.DOUBLE_FREE),
    ("inside_a_free_run", 5 * PAGE_SIZE, PAGE_SIZE, MisuseKind.DOUBLE_FREE),
    ("out_of_a_free_run", 5 * PAGE_SIZE, 2 * PAGE_SIZE, MisuseKind.DOUBLE_FREE),
]


@pytest.mark.parametrize(
    ("offset", "size", "kind"), [m[1:] for m in MISUSES], ids=[m[0] for m in MISUSES]
)
def test_bad_unmap_is_named_and_changes_nothing(
    buffer: BufferPages, offset: int, size: int, kind: MisuseKind
) -> None:
    pages = take_all(buffer)
    buffer.unmap(pages[4], 2 * PAGE_SIZE)
    used = buffer.used
    with recorded_misuse() as reports:
        buffer.unmap(buffer.first + offset, size)
    assert [(r.kind, r.part, r.address) for r in reports] == [
        (kind, "pages", buffer.first + offset)
    ]
    assert buffer.used == used
    buffer.check()


@pytest.mark.death
def test_double_unmap_aborts_with_its_name() -> None:
    dies(
        """
        from heapyard import BufferPages
        buffer = BufferPages(65536)
        page = buffer.map(4096)
        buffer.unmap(page, 4096)
        buffer.unmap(page, 4096)
        """,
        match=r"heapyard: pages: double free of 0x[0-9a-f]+\n",
    )


@pytest.mark.parametrize(
    ("field", "code"), [(0, "lies outside|out of order"), (8, "whole pages")], ids=["link", "size"]
)
def test_an_overwritten_free_run_is_found(field: int, code: str) -> None:
    buffer = BufferPages(PAGES * PAGE_SIZE)
    take_all(buffer)
    buffer.unmap(buffer.first, PAGE_SIZE)
    buffer.unmap(buffer.first + 5 * PAGE_SIZE, PAGE_SIZE)
    fill(buffer.first + field, 0x11, 8)
    with pytest.raises(CheckFailedError, match=code):
        buffer.check()


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 6), st.sampled_from([1, 2, 4]), st.integers(0, 99)),
        max_size=60,
    )
)
def test_any_order_of_maps_and_unmaps_agrees_with_a_model(
    plan: list[tuple[bool, int, int, int]],
) -> None:
    buffer = BufferPages(PAGES * PAGE_SIZE)
    live: dict[int, int] = {}
    for wants, pages, alignment, choice in plan:
        if wants:
            try:
                address = buffer.map(pages * PAGE_SIZE, alignment=alignment * PAGE_SIZE)
            except OutOfMemoryError:
                assert not model_fits(buffer, live, pages, alignment)
                continue
            assert address == model_fits(buffer, live, pages, alignment)
            live[address] = pages
        elif live:
            address = sorted(live)[choice % len(live)]
            buffer.unmap(address, live.pop(address) * PAGE_SIZE)
        buffer.check()
        assert buffer.used == sum(live.values()) * PAGE_SIZE


def model_fits(buffer: BufferPages, live: dict[int, int], pages: int, alignment: int) -> int | None:
    """The lowest aligned address where so many pages are free."""
    used = {start + n * PAGE_SIZE for start, count in live.items() for n in range(count)}
    for n in range(PAGES - pages + 1):
        start = buffer.first + n * PAGE_SIZE
        wanted = {start + k * PAGE_SIZE for k in range(pages)}
        if start % (alignment * PAGE_SIZE) == 0 and not wanted & used:
            return start
    return None
