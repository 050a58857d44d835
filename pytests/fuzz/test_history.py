"""Which of the plans before it a failing plan needs."""

from dataclasses import replace

import pytest

from heapyard.fuzz.history import fewest, joined
from heapyard.trial import Plan, resolve_target, run_plan
from heapyard.trial.packed import PackedPlan
from pytests.fuzz.test_drawing import request_of


@pytest.mark.parametrize(
    "needed", [{9}, {8, 9}, {0, 9}, {2, 5, 9}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}], ids=str
)
def test_only_the_needed_plans_are_left(needed: set[int]) -> None:
    assert fewest(range(10), lambda numbers: needed <= set(numbers)) == sorted(needed)


def test_what_does_not_fail_again_has_no_plans() -> None:
    assert fewest(range(10), lambda _: False) is None


def test_joined_plans_run_one_after_the_other() -> None:
    request = request_of()
    plans = [request.draw(number) for number in (3, 4, 5)]
    whole = joined(request, (3, 4, 5))
    rounds = [plan for plan in map(unpacked, plans) for _ in range(plan.header.repeat)]
    assert len(rounds) > 3, "one of them repeats"
    assert len(whole) == sum(len(plan) for plan in rounds) + len(rounds) - 1
    assert run_plan(resolve_target("libc"), whole).held


def test_threads_end_between_joined_plans() -> None:
    request = replace(request_of(), threads=4)
    names = [call.name for call in joined(request, (1, 2)).calls]
    first = len(request.draw(1))
    end = names.index("free_all", first)
    assert set(names[first:end]) == {"join"}
    assert run_plan(resolve_target("libc"), joined(request, (1, 2))).held


def unpacked(plan: PackedPlan) -> Plan:
    return Plan.from_bytes(plan.to_bytes())
