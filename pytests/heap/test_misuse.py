"""Misuse is named by a literal line, at the latest by check, and has no effect."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

from heapyard import Heap
from heapyard.errors import CheckFailedError, OutOfMemoryError
from heapyard.heap import Violation
from heapyard.misuse import Misuse, MisuseKind, recorded_misuse
from pytests.heap.verify import counters_of, verify
from pytests.support import dies, runs
from pytests.support.memory import peek, poke

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytests.heap.conftest import MakeHeap

FOREIGN = ctypes.create_string_buffer(4096)
ALIGNED_FOREIGN = (ctypes.addressof(FOREIGN) + 63) // 64 * 64
SIZES = [16, 40, 512, 1000, 30_000, 50_000, 300_000, 900_000, 5_000_000]
SMALL = [16, 40, 512, 1000, 30_000]

MODES = ["strict", "cached"]


@pytest.fixture(params=MODES)
def any_heap(request: pytest.FixtureRequest, make_heap: MakeHeap) -> Heap:
    """A heap with caches and one without."""
    return make_heap(strict=request.param == "strict")


def told(call: Callable[[], object]) -> list[Misuse]:
    """What the call was told, after which the heap must be as if it had not been made."""
    with recorded_misuse() as reports:
        try:
            call()
        except OutOfMemoryError:
            assert reports, "out of memory, without a reason"
    return reports


def kinds(call: Callable[[], object]) -> list[MisuseKind]:
    return [report.kind for report in told(call)]


# --- double free ---


@pytest.mark.parametrize("size", SIZES)
def test_an_immediate_double_free_is_named(any_heap: Heap, size: int) -> None:
    keep = [any_heap.malloc(size) for _ in range(4)]
    block = keep.pop()
    any_heap.free(block)
    reports = told(lambda: any_heap.free(block))
    expected = [MisuseKind.DOUBLE_FREE]
    if size > 4096:  # its pages are of no pool any more, or not mapped
        assert reports[0].kind in (
            MisuseKind.DOUBLE_FREE, MisuseKind.UNUSED_POINTER, MisuseKind.FOREIGN_POINTER,
        )  # fmt: skip
    else:
        assert [report.kind for report in reports] == expected
    assert [(report.part, report.address) for report in reports] == [("heap", block)]
    assert counters_of(any_heap).live_blocks == 3


@pytest.mark.parametrize("size", SMALL)
def test_an_immediate_double_sized_free_is_named(any_heap: Heap, size: int) -> None:
    keep = [any_heap.malloc(size) for _ in range(4)]
    any_heap.free_sized(keep[0], size)
    expected = [[MisuseKind.DOUBLE_FREE]]
    if size > 4096:  # its pages are of no pool any more
        expected.append([MisuseKind.UNUSED_POINTER])
    assert kinds(lambda: any_heap.free_sized(keep[0], size)) in expected


@pytest.mark.parametrize("others", [1, 10, 1000])
@pytest.mark.parametrize("size", [16, 40, 512])
def test_a_double_free_after_other_frees_is_named(any_heap: Heap, size: int, others: int) -> None:
    blocks = [any_heap.malloc(size) for _ in range(others + 2)]
    for block in blocks[:-1]:
        any_heap.free(block)
    # Where its pool was emptied and given back, the pages are of no pool.
    expected = ([MisuseKind.DOUBLE_FREE], [MisuseKind.UNUSED_POINTER])
    assert kinds(lambda: any_heap.free(blocks[0])) in expected
    assert kinds(lambda: any_heap.free_sized(blocks[0], size)) in expected
    assert counters_of(any_heap).live_blocks == 1


@pytest.mark.parametrize("size", [16, 40, 512])
def test_a_double_free_of_a_block_in_its_pool_is_named(heap: Heap, size: int) -> None:
    blocks = [heap.malloc(size) for _ in range(100)]
    heap.free(blocks[50])
    heap.walk()  # empties the caches
    assert kinds(lambda: heap.free(blocks[50])) == [MisuseKind.DOUBLE_FREE]
    assert kinds(lambda: heap.free_sized(blocks[50], size)) == [MisuseKind.DOUBLE_FREE]


@pytest.mark.parametrize("size", [16, 40, 512])
def test_a_double_free_of_a_block_on_a_purged_page_is_named(any_heap: Heap, size: int) -> None:
    blocks = [any_heap.malloc(size) for _ in range(4 * 65536 // size)]
    keep = blocks[:: 65536 // size]
    for block in blocks:
        if block not in keep:
            any_heap.free(block)
    any_heap.trim()
    pool = next(pool for pool in any_heap.walk_pools() if pool.purged)
    live = {block // 4096 for block in keep}
    purged = next(b for b in blocks if pool.address <= b < pool.end
                  and b // 4096 not in live and (b + size - 1) // 4096 not in live)  # fmt: skip

    def free_twice() -> None:
        any_heap.free(purged)
        any_heap.walk()  # empties the caches

    assert kinds(free_twice) == [MisuseKind.DOUBLE_FREE]
    assert counters_of(any_heap).live_blocks == len(keep)


@pytest.mark.parametrize("size", [16, 40])
def test_a_double_free_in_a_full_pool_that_became_used_is_named(strict: Heap, size: int) -> None:
    blocks = [strict.malloc(size) for _ in range(3000)]
    strict.free(blocks[0])
    assert kinds(lambda: strict.free(blocks[0])) == [MisuseKind.DOUBLE_FREE]


def test_a_double_free_beside_an_overwritten_link_does_not_crash_the_reporter() -> None:
    ended = dies(
        """
        from heapyard import Heap
        from pytests.support.memory import poke
        heap = Heap(strict=True)
        blocks = [heap.malloc(64) for _ in range(10)]
        heap.free(blocks[1])
        heap.free(blocks[2])
        poke(blocks[2], b"\\x10" * 8)
        heap.free(blocks[1])
        """,
        match=r"\Aheapyard: heap: write after free of 0x[0-9a-f]+\n",
    )
    assert ended.errors.count("heapyard: heap") == 1


# --- pointers that are no block ---

BAD_POINTERS: dict[str, tuple[Callable[[Heap], int], MisuseKind]] = {
    "foreign": (lambda _: ALIGNED_FOREIGN, MisuseKind.FOREIGN_POINTER),
    "low": (lambda _: 16, MisuseKind.FOREIGN_POINTER),
    "high": (lambda _: 2**64 - 16, MisuseKind.FOREIGN_POINTER),
    "handle": (lambda heap: heap.handle, MisuseKind.FOREIGN_POINTER),
    "arena_header": (lambda heap: arena_of(heap) + 64, MisuseKind.FOREIGN_POINTER),
    "free_page": (lambda heap: arena_of(heap) + (3 << 20), MisuseKind.UNUSED_POINTER),
    "odd": (lambda heap: heap.malloc(64) + 1, MisuseKind.INTERIOR_POINTER),
    "middle": (lambda heap: heap.malloc(64) + 32, MisuseKind.INTERIOR_POINTER),
    "middle_of_medium": (lambda heap: heap.malloc(3000) + 16, MisuseKind.INTERIOR_POINTER),
    "middle_of_run": (lambda heap: heap.malloc(50_000) + 4096, MisuseKind.INTERIOR_POINTER),
    "middle_of_large": (lambda heap: heap.malloc(900_000) + 4096, MisuseKind.INTERIOR_POINTER),
    "end_of_large": (lambda heap: heap.malloc(5_000_000) + 4_999_984, MisuseKind.INTERIOR_POINTER),
}


def arena_of(heap: Heap) -> int:
    heap.malloc(16)
    return next(pool.arena for pool in heap.walk_pools() if pool.arena is not None)


@pytest.mark.parametrize("call", ["free", "realloc", "usable_size"])
@pytest.mark.parametrize("name", BAD_POINTERS)
def test_a_pointer_that_is_no_block_is_named(any_heap: Heap, name: str, call: str) -> None:
    make, kind = BAD_POINTERS[name]
    address = make(any_heap)
    counters = counters_of(any_heap)
    arguments = (address, 100) if call == "realloc" else (address,)
    reports = told(lambda: getattr(any_heap, call)(*arguments))
    assert [(r.kind, r.part, r.address) for r in reports] == [(kind, "heap", address)]
    after = counters_of(any_heap)
    assert (after.live_blocks, after.live_bytes) == (counters.live_blocks, counters.live_bytes)


def test_a_block_of_another_heap_is_foreign(make_heap: MakeHeap) -> None:
    one, two = make_heap(), make_heap()
    for size in SIZES:
        block = two.malloc(size)
        assert kinds(lambda block=block: one.free(block)) == [MisuseKind.FOREIGN_POINTER]  # type: ignore[misc]


def test_a_block_of_an_arena_that_went_back_is_foreign(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=256 << 10, arenas_kept=0)
    keep = heap.malloc(64)
    blocks = [heap.malloc(50_000) for _ in range(20)]
    arenas = counters_of(heap).arenas
    for block in blocks:  # each arena is one that a free found lately
        heap.free(block)
    heap.trim()
    assert counters_of(heap).arenas < arenas
    for block in blocks:
        assert kinds(lambda block=block: heap.free(block)) in (  # type: ignore[misc]
            [MisuseKind.FOREIGN_POINTER], [MisuseKind.UNUSED_POINTER],
        )  # fmt: skip
    heap.free(keep)


@pytest.mark.parametrize("size", [16, 40, 512, 1000])
def test_a_block_that_was_not_carved_is_unused(strict: Heap, size: int) -> None:
    block = strict.malloc(size)
    pool = next(pool for pool in strict.walk_pools() if pool.address <= block < pool.end)
    if pool.carved == pool.capacity:
        pytest.skip("the pool is carved whole")
    address = pool.address + (pool.capacity - 1) * pool.block_size
    assert kinds(lambda: strict.free(address)) == [MisuseKind.UNUSED_POINTER]


# --- wrong sizes ---


@pytest.mark.parametrize(
    ("size", "told_size"),
    [(64, 16), (64, 200), (64, 1000), (16, 512), (1000, 64), (5000, 50_000), (50_000, 5000)],
)
def test_a_wrong_size_is_named_at_once_by_a_strict_heap(
    strict: Heap, size: int, told_size: int
) -> None:
    block = strict.malloc(size)
    reports = told(lambda: strict.free_sized(block, told_size))
    assert [(r.kind, r.part, r.address) for r in reports] == [
        (MisuseKind.WRONG_SIZE, "heap", block)
    ]
    assert counters_of(strict).live_blocks == 1


@pytest.mark.parametrize(
    ("size", "told_size"), [(64, 16), (64, 200), (64, 1000), (16, 512), (1000, 64), (30_000, 64)]
)
def test_a_wrong_size_is_found_at_the_latest_by_check(size: int, told_size: int) -> None:
    with Heap() as heap:  # it is not sound afterwards: not one of the verified fixtures
        heap.free(heap.malloc(told_size))  # the cache that it goes to takes blocks
        block = heap.malloc(size)
        with recorded_misuse() as reports:
            heap.free_sized(block, told_size)
            try:
                heap.check()
            except CheckFailedError as error:
                assert error.code == Violation.CACHE  # noqa: PT017
                return
        assert [report.kind for report in reports] == [MisuseKind.WRONG_SIZE]


@pytest.mark.parametrize("flush", ["walk", "trim", "walk_pools"])
def test_a_wrong_size_is_named_when_the_cache_is_emptied(flush: str, cached: bool) -> None:
    with Heap() as heap:
        heap.free(heap.malloc(200))  # the cache that it goes to takes blocks
        block = heap.malloc(64)
        with recorded_misuse() as reports:
            heap.free_sized(block, 200)
            assert cached != bool(reports)
            getattr(heap, flush)()
        assert [report.kind for report in reports] == [MisuseKind.WRONG_SIZE]


def test_a_wrong_alignment_is_named(strict: Heap) -> None:
    block = strict.aligned_alloc(1024, 100)
    assert kinds(lambda: strict.free_aligned_sized(block, 16, 100)) == [MisuseKind.WRONG_SIZE]


# --- writes ---


@pytest.mark.parametrize("offset", [0, 8])
@pytest.mark.parametrize("size", [16, 40, 512, 1000])
def test_a_write_after_free_into_a_link_is_named(size: int, offset: int) -> None:
    for strict in (False, True):
        with Heap(strict=strict) as heap:
            blocks = [heap.malloc(size) for _ in range(3)]
            heap.free(blocks[1])
            poke(blocks[1] + offset, b"\x55" * 8)
            with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
                heap.malloc(size)
            assert [(r.kind, r.address) for r in reports] == [
                (MisuseKind.WRITE_AFTER_FREE, blocks[1])
            ]


@pytest.mark.parametrize("size", [16, 40, 512])
def test_an_overflow_into_a_free_neighbour_is_named(size: int) -> None:
    with Heap(strict=True) as heap:
        blocks = sorted(heap.malloc(size) for _ in range(8))
        heap.free(blocks[4])
        poke(blocks[4], b"AAAAAAAA")  # the end of the block before it is here
        with pytest.raises(CheckFailedError, match="a free block was overwritten"):
            heap.check()
        with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
            heap.malloc(size)
        assert [r.kind for r in reports] == [MisuseKind.WRITE_AFTER_FREE]


@pytest.mark.parametrize("offset", [0, 8])
def test_check_finds_a_write_after_free(strict: Heap, offset: int) -> None:
    blocks = [strict.malloc(64) for _ in range(10)]
    strict.free(blocks[5])
    sound = peek(blocks[5] + offset, 8)
    poke(blocks[5] + offset, b"\x55" * 8)
    try:
        with pytest.raises(CheckFailedError, match="a free block was overwritten") as caught:
            strict.check()
        assert caught.value.code == Violation.FREE_LIST
    finally:
        poke(blocks[5] + offset, sound)


@pytest.mark.parametrize("bad", [b"\x55" * 8, b"\x08" + bytes(7)], ids=["wild", "small"])
def test_check_finds_each_overwritten_word_of_an_arena_and_does_not_crash(bad: bytes) -> None:
    unseen = runs(
        f"""
        from heapyard import Heap
        from pytests.support.memory import peek, poke
        heap = Heap(arena_size=1 << 20)
        keep = [heap.malloc(size) for size in (16, 1000, 30_000, 30_000, 90_000, 90_000)]
        heap.free(keep[5])
        header = next(run.address for run in heap.walk() if run.state == 3)
        for word in range(19):
            place = header + 8 * word
            sound = peek(place, 8)
            poke(place, {bad!r})
            if sound != {bad!r} and heap._native.hy_heap_check(heap.handle).code == 0:
                print(word)
            poke(place, sound)
        heap.check()
        """
    )
    assert unseen.split() == []


def test_misuse_has_no_effect(any_heap: Heap) -> None:
    blocks = {size: any_heap.malloc(size) for size in SIZES}
    for size, block in blocks.items():
        told(lambda block=block: any_heap.free(block + 16))  # type: ignore[misc]
        told(lambda block=block: any_heap.realloc(block + 16, 10))  # type: ignore[misc]
        assert any_heap.usable_size(block) >= size
    verify(any_heap)
    assert counters_of(any_heap).live_blocks == len(SIZES)


# --- the line ---

LINES = [
    ("heap.free(block); heap.free(block)", "double free"),
    ("heap.free_sized(block, 100); heap.free_sized(block, 100)", "double free"),
    ("heap.free(block); heap.realloc(block, 7)", "double free"),
    ("heap.free(block); heap.usable_size(block)", "double free"),
    ("heap.free(16)", "foreign pointer"),
    ("heap.free(id(heap))", "foreign pointer"),
    ("heap.free(block + 16)", "interior pointer"),
    ("heap.realloc(block + 16, 10)", "interior pointer"),
    ("heap.free_sized(block, 300); heap.walk()", "wrong size"),
    ("Heap(strict=True).free(block)", "foreign pointer"),
    ("heap.free(block); poke(block, bytes(16)); heap.malloc(100)", "write after free"),
]


@pytest.mark.death
@pytest.mark.parametrize(("call", "text"), LINES, ids=[call for call, _ in LINES])
def test_misuse_aborts_with_one_stable_line(call: str, text: str) -> None:
    ended = dies(
        f"""
        from heapyard import Heap
        from pytests.support.memory import poke
        heap = Heap()
        keep = heap.malloc(100)
        block = heap.malloc(100)
        {call}
        """,
        match=rf"\Aheapyard: heap: {text} of 0x[0-9a-f]+",
    )
    assert ended.errors.count("heapyard: heap") == 1


@pytest.mark.death
@pytest.mark.parametrize("alignment", [0, 3, 24, 2 << 20])
def test_a_bad_alignment_in_c_is_a_bad_argument(alignment: int) -> None:
    dies(
        f"""
        from heapyard._native.library import library
        heap = library().hy_heap_new(None)
        library().hy_heap_aligned_alloc(heap, {alignment}, 64)
        """,
        match=r"\Aheapyard: heap: bad argument",
    )


@pytest.mark.death
@pytest.mark.parametrize(
    "fields", ["8", "56, None, 100", "56, None, 0, 100", "56, None, 0, 0, 0, 0, 9"],
    ids=["size", "arena_size", "pool_size", "purge"],
)  # fmt: skip
def test_a_bad_configuration_in_c_is_a_bad_argument(fields: str) -> None:
    dies(
        f"""
        from heapyard._native.library import library
        from heapyard._native.prototypes.heap import HeapConfigStruct
        library().hy_heap_new(HeapConfigStruct({fields}))
        """,
        match=r"\Aheapyard: heap: bad argument",
    )
