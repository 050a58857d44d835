"""Any order of calls keeps every promise (plans are drawn here, and run in a child)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytests.region.blocks import SETUPS, Setup
from pytests.support import Executor

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = st.one_of(
    st.integers(0, 64),
    st.integers(0, 700),
    st.integers(900, 5000),
    st.sampled_from([1008, 1023, 1024, 1025, 1040, 16000, 2**31, 2**32, 2**63, 2**64 - 1]),
)
ALIGNMENTS = st.one_of(st.just(1), st.sampled_from([1 << n for n in range(15)]))
CHOICES = st.integers(0, 1000)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("alloc"), SIZES, st.just(1)),
        st.tuples(st.just("alloc"), SIZES, ALIGNMENTS),
        st.tuples(st.just("free"), CHOICES),
        st.tuples(st.just("free"), CHOICES),
        st.tuples(st.just("realloc"), CHOICES, SIZES, st.sampled_from([0, 0, 0, 64, 1024])),
        st.tuples(st.just("extend"), st.integers(0, 9000)),
    ),
    max_size=60,
)
ANY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def run() -> Iterator[Executor]:
    with Executor("pytests.region.model:run_plan") as executor:
        yield executor


def plan_of(setup: Setup, calls: list[Any], *, chained: bool) -> dict[str, Any]:
    how = [setup.engine.name, setup.granule, setup.poison]
    return {"setup": how, "chained": chained, "calls": calls}


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize("chained", [False, True], ids=["one", "chained"])
@settings(ANY, max_examples=60)
@given(calls=CALLS)
def test_any_plan_holds(run: Executor, setup: Setup, chained: bool, calls: list[Any]) -> None:
    run(plan_of(setup, calls, chained=chained))


@pytest.mark.stress
@pytest.mark.parametrize("setup", SETUPS, ids=str)
@settings(ANY, max_examples=3000)
@given(calls=CALLS, chained=st.booleans())
def test_any_of_many_plans_holds(
    run: Executor, setup: Setup, calls: list[Any], chained: bool
) -> None:
    run(plan_of(setup, calls, chained=chained))


@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_reset_gives_everything_back(run: Executor, setup: Setup) -> None:
    calls = [["alloc", n, 64] for n in (1, 100, 2000)] + [["free", 1], ["reset"]]
    run(plan_of(setup, calls * 3, chained=True))
