"""What is counted of each domain, and that it goes on under any stack of hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.debug import GUARD_BYTE, DebugOptions
from heapyard.domain import PythonAllocator
from heapyard.errors import OutOfMemoryError
from heapyard.misuse import recorded_misuse
from pytests.domain.stacks import STACKS, Reusing, stack_on
from pytests.support.memory import poke

if TYPE_CHECKING:
    from heapyard.counters import DomainCounters
    from heapyard.domain import Domain

pytestmark = pytest.mark.usefixtures("counting")


def counters(domain: Domain) -> DomainCounters:
    values = domain.counters()
    assert values is not None
    return values


class Since:
    """By how much the counters have grown."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._before = counters(domain)

    def __getattr__(self, name: str) -> int:
        return int(getattr(counters(self._domain), name) - getattr(self._before, name))


@pytest.mark.parametrize("stack", ["plain", *STACKS])
def test_calls_are_counted_as_they_enter(domain: Domain, stack: str) -> None:
    with domain.using(stack_on(domain.allocator, domain, stack)):
        since = Since(domain)
        blocks = [domain.malloc(10), domain.calloc(2, 10), domain.realloc(None, 10)]
        blocks[0] = domain.realloc(blocks[0], 100)
        domain.free(blocks.pop())
        domain.free(None)
        with pytest.raises(OutOfMemoryError):
            domain.malloc(2**63)
        with pytest.raises(OutOfMemoryError):
            domain.realloc(blocks[0], 2**63)
        assert (since.allocs, since.frees, since.reallocs, since.failures) == (3, 1, 1, 2)
        assert since.live_blocks == 2
        for block in blocks:
            domain.free(block)
        assert since.live_blocks == 0


@pytest.mark.parametrize("stack", STACKS)
def test_live_bytes_are_those_asked_for_under_any_stack(domain: Domain, stack: str) -> None:
    with domain.using(stack_on(domain.allocator, domain, stack)):
        since = Since(domain)
        block = domain.malloc(100)
        other = domain.calloc(10, 20)
        assert since.live_bytes == 300
        block = domain.realloc(block, 70)
        assert since.live_bytes == 270
        block = domain.realloc(block, 1000)
        assert since.live_bytes == 1200
        domain.free(block)
        domain.free(other)
        assert since.live_bytes == 0


@pytest.mark.parametrize("stack", STACKS)
def test_the_peak_is_the_most_that_was_live(domain: Domain, stack: str) -> None:
    with domain.using(stack_on(domain.allocator, domain, stack)):
        top = counters(domain).peak_live_bytes
        base = counters(domain).live_bytes
        blocks = [domain.malloc(top + 1000), domain.malloc(500)]
        for block in blocks:
            domain.free(block)
        domain.free(domain.malloc(1))
        assert counters(domain).peak_live_bytes == base + top + 1500


@pytest.mark.parametrize("stack", ["plain", *STACKS])
def test_held_bytes_are_counted_where_they_are_held(domain: Domain, stack: str) -> None:
    options = DebugOptions(quarantine=False)
    with domain.using(stack_on(domain.allocator, domain, stack, options)):
        since = Since(domain)
        block = domain.malloc(10_000)
        assert 10_000 <= since.held_bytes <= 12_800
        block = domain.realloc(block, 50_000)
        assert 50_000 <= since.held_bytes <= 60_000
        assert counters(domain).peak_held_bytes >= counters(domain).held_bytes
        domain.free(block)
        assert since.held_bytes == 0


def test_quarantine_is_counted(domain: Domain) -> None:
    with domain.using(stack_on(Reusing().table, domain, "hooks")):
        since = Since(domain)
        for block in [domain.malloc(100) for _ in range(3)]:
            domain.free(block)
        assert (since.quarantined_blocks, since.quarantined_bytes) == (3, 3 * 148)


def test_a_request_that_the_table_refuses_is_a_failure(domain: Domain) -> None:
    class Full(PythonAllocator):
        def malloc(self, size: int) -> int | None:
            return None if size else self.below.malloc(size)

    since = Since(domain)
    with domain.using(Full(domain.allocator).table), pytest.raises(OutOfMemoryError):
        domain.malloc(1)
    assert (since.allocs, since.failures) == (0, 1)


@pytest.mark.parametrize("stack", STACKS)
def test_a_free_that_hooks_refuse_is_none(domain: Domain, stack: str) -> None:
    with domain.using(stack_on(domain.allocator, domain, stack)):
        since = Since(domain)
        block = domain.malloc(10)
        with recorded_misuse() as reports:
            domain.free(block + 1)
            domain.free(16)
            poke(block + 10, b"x")
            domain.free(block)
            poke(block + 10, bytes([GUARD_BYTE]))
        assert (len(reports), since.frees, since.live_blocks) == (3, 0, 1)
        domain.free(block)
        assert (since.frees, since.live_blocks) == (1, 0)
