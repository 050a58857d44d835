"""Hypothesis: what is drawn is a valid plan, survives both written forms, and shrinks well."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import configuration, find, given, settings

from heapyard.trial import OPERATIONS, Plan, random_plan
from heapyard.trial.drawing import DRAWN_FUNCTIONS
from heapyard.trial.strategies import leaving_no_folder, plans, sizes

from .test_shrink import first_fault

EVERYTHING = frozenset(op.function for op in OPERATIONS if op.function)
QUIET = settings(database=None, deadline=None)
THOROUGH = settings(QUIET, max_examples=5000, derandomize=True)


@QUIET
@given(plans(EVERYTHING))
def test_a_drawn_plan_is_well_formed(plan: Plan) -> None:
    assert not first_fault(plan.calls)


@QUIET
@given(plans(EVERYTHING))
def test_a_drawn_plan_survives_json(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan


@QUIET
@given(plans(EVERYTHING))
def test_a_drawn_plan_survives_packing(plan: Plan) -> None:
    assert Plan.from_bytes(plan.to_bytes()).calls == plan.calls


@QUIET
@given(plans({"malloc", "free"}))
def test_a_drawn_plan_calls_what_the_target_has(plan: Plan) -> None:
    assert plan.functions <= {"malloc", "free"}


@QUIET
@given(plans(largest=100))
def test_blocks_are_no_larger_than_asked(plan: Plan) -> None:
    plain = [call for call in plan.calls if call.name in ("malloc", "realloc")]
    assert all(call.size <= 100 for call in plain)


@pytest.mark.parametrize("wanted", [0, 63, 64, 65, 4095, 4096, 4097, 1 << 18])
def test_sizes_reach_the_edges(wanted: int) -> None:
    assert find(sizes(), lambda size: size == wanted, settings=THOROUGH) == wanted


def test_a_failing_plan_shrinks_to_the_calls_that_matter() -> None:
    def wrong(plan: Plan) -> bool:
        return any(call.name == "realloc" and call.size > 3000 for call in plan.calls)

    small = find(plans(calls=24), wrong, settings=THOROUGH)
    assert (small.calls[-1].name, small.calls[-1].size) == ("realloc", 3001)
    assert len(small) <= 12


def test_the_same_seed_draws_the_same_plan() -> None:
    assert random_plan(Random(7)) == random_plan(Random(7))
    assert random_plan(Random(7)) != random_plan(Random(8))


@pytest.mark.parametrize("seed", range(20))
def test_a_random_plan_is_well_formed_and_calls_what_is_there(seed: int) -> None:
    plan = random_plan(Random(seed))
    assert not first_fault(plan.calls)
    assert plan.functions <= DRAWN_FUNCTIONS
    assert len(plan) > 700


def test_a_search_leaves_no_folder(tmp_path: Path) -> None:
    """In a process of its own: Hypothesis looks for local constants once."""
    code = (
        "from hypothesis import find, settings\n"
        "from heapyard.trial.strategies import leaving_no_folder, sizes\n"
        "with leaving_no_folder():\n"
        "    find(sizes(), lambda size: size > 50, settings=settings(database=None))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    assert list(tmp_path.iterdir()) == []


def test_after_a_search_hypothesis_has_its_own_folder_again() -> None:
    before = configuration.storage_directory("x").path
    with leaving_no_folder():
        assert configuration.storage_directory("x").path != before
    assert configuration.storage_directory("x").path == before
