"""Any order of calls keeps every block's contents and every identity (plans run in a child)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytests.support import Executor

if TYPE_CHECKING:
    from collections.abc import Iterator

EDGES = [
    511,
    512,
    513,
    1024,
    1025,
    4096,
    4097,
    32_768,
    32_769,
    65_535,
    65_536,
    65_537,
    70_000,
    262_144,
    600_000,
]
SIZES = st.one_of(st.integers(0, 64), st.integers(0, 5000), st.sampled_from(EDGES))
ALIGNMENTS = st.sampled_from([1 << n for n in range(21)])
CHOICES = st.integers(0, 1000)

CALLS = st.one_of(
    st.tuples(st.just("malloc"), SIZES),
    st.tuples(st.just("calloc"), st.integers(0, 9), SIZES),
    st.tuples(st.just("aligned"), ALIGNMENTS, SIZES),
    st.tuples(st.just("realloc"), CHOICES, SIZES),
    st.tuples(st.just("free"), CHOICES),
    st.tuples(st.just("free_sized"), CHOICES),
    st.tuples(st.just("burst"), st.integers(1, 300), st.integers(0, 700)),
    st.tuples(st.just("drop"), CHOICES, st.integers(1, 4)),
    st.tuples(st.just("trim")),
    st.tuples(st.just("fail"), st.integers(0, 3)),
)

PURGES = st.sampled_from(["THRESHOLD", "AT_ONCE", "ON_TRIM"])
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "arena_size": st.sampled_from([256 << 10, 1 << 20]),
        "pool_size": st.sampled_from([4096, 8192, 65536]),
        "purge": PURGES,
        "purge_threshold": st.sampled_from([4096, 100_000]),
        "arenas_kept": st.integers(0, 2),
        "strict": st.booleans(),
    },
)


@pytest.fixture(scope="module")
def run() -> Iterator[Executor]:
    with Executor("pytests.heap.model:run_plan") as executor:
        yield executor


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(config=CONFIGS, calls=st.lists(CALLS, max_size=30))
def test_any_plan_holds(run: Executor, config: dict[str, Any], calls: list[Any]) -> None:
    run({"config": config, "calls": calls})


@pytest.mark.stress
@settings(
    max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(config=CONFIGS, calls=st.lists(CALLS, max_size=150))
def test_any_long_plan_holds(run: Executor, config: dict[str, Any], calls: list[Any]) -> None:
    run({"config": config, "calls": calls})


def test_a_broken_promise_in_the_child_is_a_failure_here(run: Executor) -> None:
    with pytest.raises(AssertionError, match="no attribute 'do_nonsense'"):
        run({"calls": [["nonsense"]]})
