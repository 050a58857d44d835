"""The page source that fails on purpose: exactly when it is told to, and it counts everything."""

from __future__ import annotations

import pytest

from heapyard import BufferPages, FaultyPages, MmapPages, PageSource
from heapyard.errors import BadArgumentError, OutOfMemoryError
from heapyard.pages import PAGE_SIZE

REQUESTS = 12


def outcomes(source: PageSource, requests: int = REQUESTS) -> list[bool]:
    """Which of so many requests were served."""
    served = []
    for _ in range(requests):
        try:
            source.unmap(source.map(PAGE_SIZE), PAGE_SIZE)
        except OutOfMemoryError:
            served.append(False)
        else:
            served.append(True)
    return served


@pytest.mark.parametrize("k", range(1, REQUESTS + 1))
def test_fail_at_refuses_the_kth_request_only(k: int) -> None:
    source = FaultyPages()
    source.fail_at(k)
    assert outcomes(source) == [n != k for n in range(1, REQUESTS + 1)]
    assert source.counts.refused == 1


@pytest.mark.parametrize("k", range(1, REQUESTS + 1))
def test_fail_from_refuses_the_kth_request_and_all_after(k: int) -> None:
    source = FaultyPages()
    source.fail_from(k)
    assert outcomes(source) == [n < k for n in range(1, REQUESTS + 1)]
    assert source.counts.refused == REQUESTS + 1 - k


@pytest.mark.parametrize("before", [0, 1, 7])
def test_k_counts_from_the_call_on(before: int) -> None:
    source = FaultyPages()
    outcomes(source, before)
    source.fail_at(2)
    assert outcomes(source, 3) == [True, False, True]


@pytest.mark.parametrize("arm", [FaultyPages.fail_at, FaultyPages.fail_from])
def test_zero_and_the_unreachable_refuse_nothing(arm: object) -> None:
    source = FaultyPages()
    for k in (0, 2**64 - 1):
        source.fail_from(1)
        arm(source, k)  # type: ignore[operator]
        assert all(outcomes(source))


@pytest.mark.parametrize("k", [-1, 2**64])
def test_a_k_that_c_cannot_hold_is_refused(k: int) -> None:
    with pytest.raises(BadArgumentError, match=f"Invalid k={k}"):
        FaultyPages().fail_at(k)


def test_everything_is_counted() -> None:
    source = FaultyPages()
    big, small = source.map(3 * PAGE_SIZE), source.map(PAGE_SIZE)
    assert source.purge(big, 2 * PAGE_SIZE) == 2 * PAGE_SIZE
    source.unmap(big, 3 * PAGE_SIZE)
    source.fail_at(1)
    assert outcomes(source, 1) == [False]
    counts = source.counts
    assert (counts.requests, counts.maps, counts.unmaps, counts.purges) == (3, 2, 1, 1)
    assert (counts.mapped_bytes, counts.peak_bytes) == (PAGE_SIZE, 4 * PAGE_SIZE)
    assert (counts.total_bytes, counts.unmapped_bytes) == (4 * PAGE_SIZE, 3 * PAGE_SIZE)
    assert (counts.purged_bytes, counts.refused) == (2 * PAGE_SIZE, 1)
    source.unmap(small, PAGE_SIZE)


def test_a_failure_of_the_inner_source_is_passed_on_and_not_counted_as_refused() -> None:
    source = FaultyPages(BufferPages(2 * PAGE_SIZE))
    with pytest.raises(OutOfMemoryError):
        source.map(3 * PAGE_SIZE)
    assert (source.counts.requests, source.counts.maps, source.counts.refused) == (1, 0, 0)


@pytest.mark.parametrize(
    ("inner", "can_purge"), [(MmapPages, True), (lambda: BufferPages(PAGE_SIZE), False)]
)
def test_it_purges_if_the_inner_source_does(inner: object, can_purge: bool) -> None:
    assert FaultyPages(inner()).can_purge is can_purge  # type: ignore[operator]


def test_faulty_sources_nest() -> None:
    inner = FaultyPages()
    outer = FaultyPages(inner)
    inner.fail_at(2)
    outer.fail_at(4)
    assert outcomes(outer, 5) == [True, False, True, False, True]
    assert inner.counts.requests == 4
