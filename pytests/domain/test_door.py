"""What every domain promises, with hooks and without."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from heapyard._native.library import library
from heapyard.debug import setup_debug_hooks
from heapyard.domain import OBJ, Allocator, PythonAllocator
from heapyard.errors import OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse
from pytests.support.memory import fill, is_zero, read, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard.domain import Domain
    from pytests.domain.stacks import Reusing

PTRDIFF_MAX = 2**63 - 1
SIZE_MAX = 2**64 - 1
NOTHING = Allocator(0, 0, 0, 0, 0)


@pytest.fixture(autouse=True, params=["plain", "hooks"])
def stack(request: pytest.FixtureRequest) -> None:
    if request.param == "hooks":
        setup_debug_hooks()


def test_no_bytes_are_a_distinct_block(domain: Domain) -> None:
    blocks = [domain.malloc(0), domain.malloc(0), domain.calloc(0, 8), domain.calloc(8, 0)]
    assert len(set(blocks)) == 4
    for block in blocks:
        domain.free(block)


def test_realloc_to_no_bytes_is_not_a_free(domain: Domain) -> None:
    block = domain.realloc(domain.malloc(50), 0)
    other = domain.malloc(50)
    assert block != other
    domain.free(block)
    domain.free(other)


@pytest.mark.parametrize("size", [PTRDIFF_MAX, PTRDIFF_MAX + 1, SIZE_MAX - 16, SIZE_MAX])
def test_what_is_too_large_is_refused(domain: Domain, size: int) -> None:
    block = domain.malloc(8)
    write(block, b"12345678")
    calls: list[tuple[Callable[..., int], tuple[int | None, ...]]] = [
        (domain.malloc, (size,)),
        (domain.calloc, (1, size)),
        (domain.calloc, (size, 1)),
        (domain.realloc, (block, size)),
        (domain.realloc, (None, size)),
    ]
    for call, arguments in calls:
        with pytest.raises(OutOfMemoryError):
            call(*arguments)
    assert read(block, 8) == b"12345678"
    domain.free(block)


@pytest.mark.parametrize(
    ("count", "size"),
    [(2**32, 2**32), (2**33, 2**31), (2, 2**62), (3, SIZE_MAX // 3 + 1), (SIZE_MAX, SIZE_MAX)],
)
def test_product_beyond_the_bound_is_refused(domain: Domain, count: int, size: int) -> None:
    with pytest.raises(OutOfMemoryError):
        domain.calloc(count, size)


def test_the_table_is_not_asked_for_what_is_too_large(domain: Domain) -> None:
    asked: list[int] = []

    class Asked(PythonAllocator):
        def malloc(self, size: int) -> int | None:
            asked.append(size)
            return None

        def calloc(self, count: int, size: int) -> int | None:
            asked.append(count * size)
            return None

    with domain.using(Asked(domain.allocator).table):
        for size in (PTRDIFF_MAX, PTRDIFF_MAX + 1, SIZE_MAX):
            with pytest.raises(OutOfMemoryError):
                domain.malloc(size)
            with pytest.raises(OutOfMemoryError):
                domain.calloc(1, size)
    assert asked == [PTRDIFF_MAX, PTRDIFF_MAX]


def test_realloc_of_nothing_is_malloc_and_free_of_nothing_is_nothing(domain: Domain) -> None:
    domain.free(None)
    block = domain.realloc(None, 20)
    fill(block, 1, 20)
    domain.free(block)


def test_the_table_never_sees_a_null_block(domain: Domain) -> None:
    class Strict(PythonAllocator):
        def realloc(self, address: int | None, size: int) -> int | None:
            assert address is not None
            return self.below.realloc(address, size)

        def free(self, address: int | None) -> None:
            assert address is not None
            self.below.free(address)

    strict = Strict(domain.allocator)
    with domain.using(strict.table):
        domain.free(None)
        domain.free(domain.realloc(None, 20))
    assert strict.errors == []


def test_calloc_gives_zeros_where_a_block_was_dirty(domain: Domain) -> None:
    for size in (1, 24, 500, 5000, 300_000):
        dirty = [domain.malloc(size) for _ in range(4)]
        for block in dirty:
            fill(block, 0xFF, size)
            domain.free(block)
        block = domain.calloc(size, 1)
        assert is_zero(block, size)
        domain.free(block)


@pytest.mark.parametrize("size", [1, 8, 15, 16, 17, 100, 4096, 100_000])
def test_blocks_are_aligned_to_16(domain: Domain, size: int) -> None:
    blocks = [domain.malloc(size), domain.calloc(1, size), domain.realloc(None, size)]
    blocks.append(domain.realloc(domain.malloc(1), size))
    assert [block % 16 for block in blocks] == [0] * 4
    for block in blocks:
        domain.free(block)


@pytest.mark.parametrize("new", [0, 1, 10, 49, 50, 51, 99, 100, 101, 1000, 200_000])
@pytest.mark.parametrize("old", [1, 100, 5000])
def test_realloc_keeps_the_contents(domain: Domain, old: int, new: int) -> None:
    data = os.urandom(old)
    block = domain.malloc(old)
    write(block, data)
    block = domain.realloc(block, new)
    assert read(block, min(old, new)) == data[:new]
    domain.free(block)


def test_out_of_memory_below_is_none_and_changes_nothing(below: Reusing) -> None:
    with OBJ.using(below.table):
        block = OBJ.malloc(20)
        write(block, b"x" * 20)
        below.fails = True
        for call in (OBJ.malloc, lambda n: OBJ.calloc(n, n), lambda n: OBJ.realloc(block, n)):
            with pytest.raises(OutOfMemoryError):
                call(100)
        assert read(block, 20) == b"x" * 20
        OBJ.free(block)


@pytest.mark.parametrize("number", [3, 99, 2**32 - 1])
def test_unknown_domain_has_no_table_and_takes_none(number: int) -> None:
    native = library()
    struct = OBJ.allocator.struct()
    assert not native.hy_domain_set_allocator(number, struct)
    native.hy_domain_get_allocator(number, struct)
    assert Allocator.read(struct) == NOTHING
    assert native.hy_domain_name(number) == b"unknown"


def test_names(domain: Domain) -> None:
    assert domain.name == ("raw", "mem", "obj")[domain.number]


@pytest.mark.parametrize("missing", ["malloc", "calloc", "realloc", "free"])
def test_a_table_without_a_function_is_misuse(domain: Domain, missing: str) -> None:
    before = domain.allocator
    struct = before.struct()
    setattr(struct, missing, type(getattr(struct, missing))(0))
    with recorded_misuse() as reports:
        assert not library().hy_domain_set_allocator(domain.number, struct)
    assert [(r.kind, r.part) for r in reports] == [(MisuseKind.BAD_ARGUMENT, "domain")]
    assert domain.allocator == before
