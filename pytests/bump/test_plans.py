"""Any order of calls keeps every block's contents and every invariant (plans run in a child)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytests.support import Executor

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = st.one_of(
    st.integers(0, 64),
    st.integers(0, 5000),
    st.sampled_from([4095, 4096, 4097, 8200, 65519, 65520, 65535, 65536, 65537, 200_000]),
)
ALIGNMENTS = st.sampled_from([1 << n for n in range(21)])
CHOICES = st.integers(0, 1000)

CALLS = st.one_of(
    st.tuples(st.just("alloc"), SIZES, st.just(16)),
    st.tuples(st.just("alloc"), SIZES, ALIGNMENTS),
    st.tuples(st.just("zeroed"), st.integers(0, 9), SIZES),
    st.tuples(st.just("realloc"), CHOICES, SIZES),
    st.tuples(st.just("mark")),
    st.tuples(st.just("rewind"), CHOICES),
    st.tuples(st.just("reset")),
    st.tuples(st.just("trim")),
    st.tuples(st.just("cleanup")),
    st.tuples(st.just("fail"), st.integers(0, 3)),
)

CONFIGS = st.sampled_from(
    [
        {},
        {"block_size": 4096},
        {"block_size": 8192, "max_block_size": 8192},
        {"block_size": 4096, "max_block_size": 1 << 20},
        {"block_size": 1 << 20},
    ]
)


@pytest.fixture(scope="module")
def run() -> Iterator[Executor]:
    with Executor("pytests.bump.model:run_plan") as executor:
        yield executor


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(config=CONFIGS, calls=st.lists(CALLS, max_size=40))
def test_any_plan_holds(run: Executor, config: dict[str, int], calls: list[Any]) -> None:
    run({"config": config, "calls": calls})


@pytest.mark.stress
@settings(
    max_examples=5000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(config=CONFIGS, calls=st.lists(CALLS, max_size=200))
def test_any_long_plan_holds(run: Executor, config: dict[str, int], calls: list[Any]) -> None:
    run({"config": config, "calls": calls})


def test_a_broken_promise_in_the_child_is_a_failure_here(run: Executor) -> None:
    with pytest.raises(AssertionError, match="no attribute 'do_nonsense'"):
        run({"calls": [["nonsense"]]})


@pytest.mark.death
def test_a_crash_in_the_child_is_a_failure_with_its_signal() -> None:
    with Executor("signal:raise_signal") as run:
        with pytest.raises(AssertionError, match="SIGABRT"):
            run(6)
        with pytest.raises(AssertionError, match="SIGKILL"):
            run(9)
