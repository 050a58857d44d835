"""Tables come and go, and allocators written in Python can't hurt the process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from heapyard.debug import debug_hooks
from heapyard.domain import DOMAINS, OBJ, RAW, PythonAllocator
from heapyard.errors import BadArgumentError, OutOfMemoryError
from pytests.support.memory import mapped_bytes

if TYPE_CHECKING:
    from heapyard.domain import Domain
    from pytests.domain.stacks import Reusing


def test_a_table_that_was_set_can_be_got(domain: Domain, below: Reusing) -> None:
    before = domain.allocator
    with domain.using(below.table):
        assert domain.allocator == below.table
        block = domain.malloc(24)
        assert below.first <= block < below.first + (16 << 20)
        domain.free(block)
        assert below.free_blocks == [block]
    assert domain.allocator == before


def test_the_table_comes_back_after_an_exception(domain: Domain, below: Reusing) -> None:
    before = domain.allocator
    with pytest.raises(KeyError), domain.using(below.table):
        raise KeyError
    assert domain.allocator == before


def test_one_domain_s_table_serves_no_other(domain: Domain, below: Reusing) -> None:

    with domain.using(below.table):
        for other in DOMAINS:
            other.free(other.malloc(1))
    assert len(below.free_blocks) == 1


def test_swapping_between_tables_takes_no_memory(below: Reusing) -> None:
    tables = [OBJ.allocator, below.table, debug_hooks(OBJ, below.table)]
    for table in tables:
        OBJ.set_allocator(table)
    before = mapped_bytes()
    for turn in range(100_000):
        OBJ.set_allocator(tables[turn % 3])
    assert mapped_bytes() - before < 4 << 20  # of 6.1 MiB, if each took 64 bytes


def test_many_tables_are_kept_and_found_again() -> None:

    first = OBJ.allocator
    tables = [replace(first, context=first.context + 64 * n) for n in range(3000)]
    try:
        for table in tables + tables:
            OBJ.set_allocator(table)
            assert OBJ.allocator == table
    finally:
        OBJ.set_allocator(first)


class Failing(PythonAllocator):
    """Raises in each of its functions."""

    def malloc(self, size: int) -> int | None:
        raise KeyError(size)

    def calloc(self, count: int, size: int) -> int | None:
        raise KeyError(count * size)

    def realloc(self, address: int, size: int) -> int | None:
        raise KeyError(address, size)

    def free(self, address: int) -> None:
        raise KeyError(address)


def test_an_exception_in_an_allocator_is_a_failed_call_and_kept(domain: Domain) -> None:
    block = domain.malloc(8)
    domain.malloc(8)  # stays: the free that fails counts as one
    failing = Failing(domain.allocator)
    with domain.using(failing.table):
        with pytest.raises(OutOfMemoryError):
            domain.malloc(7)
        with pytest.raises(OutOfMemoryError):
            domain.calloc(3, 7)
        with pytest.raises(OutOfMemoryError):
            domain.realloc(block, 7)
        domain.free(block)
    domain.free(block)
    assert [error.args[0] for error in failing.errors] == [7, 21, block, block]


@pytest.mark.parametrize("value", ["text", -1, 2**64, 1.5])
def test_what_is_no_address_is_no_block(domain: Domain, value: object) -> None:
    class Odd(PythonAllocator):
        def malloc(self, size: int) -> int | None:
            del size
            return cast("int", value)

    odd = Odd(domain.allocator)
    with domain.using(odd.table), pytest.raises(OutOfMemoryError):
        domain.malloc(7)
    assert [type(error) for error in odd.errors] == [BadArgumentError]


def test_an_allocator_may_ask_another_domain_meanwhile(below: Reusing) -> None:

    class Noting(PythonAllocator):
        def malloc(self, size: int) -> int | None:
            RAW.free(RAW.malloc(size))
            return self.below.malloc(size)

    noting = Noting(below.table)
    with RAW.using(debug_hooks(RAW, RAW.allocator)), OBJ.using(debug_hooks(OBJ, noting.table)):
        OBJ.free(OBJ.malloc(10))
    assert noting.errors == []


@pytest.mark.parametrize("size", [-1, 2**64])
def test_sizes_that_c_can_t_take_are_refused_by_name(domain: Domain, size: int) -> None:
    for call in (domain.malloc, lambda n: domain.calloc(n, 1), lambda n: domain.realloc(None, n)):
        with pytest.raises(BadArgumentError, match="must be from 0 to"):
            call(size)
