"""Plans with threads, forks and sections: what the builder keeps apart, and how they shrink."""

import pytest

from heapyard.trial import Outcome, Plan, PlanError, shrink_plan
from heapyard.trial.lifetimes import steps_of, written
from heapyard.trial.structure import closed, sections_of
from pytests.trial.test_shrink import HELD, TARGET


def names(plan: Plan) -> list[str]:
    return [call.name for call in plan.calls]


def test_threads_of_a_section_use_no_slot_of_another() -> None:
    plan = Plan()
    plan.free(plan.malloc(1))
    with plan.parallel(3):
        for thread in (1, 2, 1):
            plan.on_thread(thread)
            plan.free(plan.malloc(8))
    used = [call.slot for call in plan.calls if call.name == "malloc"]
    assert used[1] != used[2]
    assert used[1] == used[3], "its own are used again"
    assert used[0] not in used[1:]


def test_slots_of_calls_that_come_later_are_used_for_nothing_else() -> None:
    plan = Plan()
    first = plan.malloc(1)
    with plan.at_exit():
        plan.free(first)
        plan.free(plan.malloc(2))
    plan.on_thread(1)
    with plan.in_destructor(1):
        plan.free(plan.malloc(3))
    later = {call.slot for call in plan.calls if call.slot is not None}
    assert plan.malloc(4).index not in later


def test_slots_of_a_section_are_used_again_after_it() -> None:
    plan = Plan()
    with plan.parallel():
        plan.on_thread(1)
        plan.free(plan.malloc(8))
    assert plan.malloc(8).index == 0


def test_a_block_that_a_child_freed_is_still_the_parents() -> None:
    plan = Plan()
    block = plan.malloc(100)
    with plan.fork():
        plan.free(block)
        plan.malloc(5)
    plan.realloc(block, 200)
    plan.free_sized(block)
    assert plan.calls[-1].size == 200


def test_a_block_of_a_child_is_not_the_parents() -> None:
    plan = Plan()
    with plan.fork():
        block = plan.malloc(5)
    with pytest.raises(PlanError, match="holds no block"):
        plan.free(block)


def test_a_thread_out_of_range_is_refused_with_the_bound() -> None:
    with pytest.raises(PlanError, match="must be 0 to 255"):
        Plan().on_thread(256)


def test_an_early_block_out_of_range_is_refused_with_the_bound() -> None:
    with pytest.raises(PlanError, match="must be 0 to 3"):
        Plan().early(4)


def test_an_early_block_is_freed_with_its_size() -> None:
    plan = Plan()
    plan.free_sized(plan.early(1))
    assert plan.calls[-1].size == 300
    assert written(steps_of(plan.calls)) == list(plan.calls)


def test_lives_in_a_child_end_there() -> None:
    plan = Plan()
    block = plan.malloc(100)
    with plan.fork():
        plan.realloc(block, 50)
        plan.free(block)
    plan.free_sized(block)
    steps = steps_of(plan.calls)
    assert steps[-1].life == steps[0].life
    assert written(steps) == list(plan.calls)


def test_sections_are_found_and_closed() -> None:
    plan = Plan()
    with plan.parallel():
        plan.on_thread(1)
        with plan.fork():
            plan.free(None)
    assert sections_of(plan.calls) == [(2, 4), (0, 5)]
    assert closed(plan.calls[:4]) == list(plan.calls)


def test_a_failure_that_needs_two_threads_shrinks_to_these() -> None:
    plan = Plan()
    for _ in range(5):
        plan.malloc(100)
    with plan.parallel(1000):
        for thread in range(4):
            plan.on_thread(thread)
            for size in range(1, 20):
                plan.free(plan.malloc(size))
    failure = Outcome(status="crash", kind="x")
    shortest = shrink_plan(TARGET, plan, failure, run=_needs_two_threads)
    two = ["on_thread", "malloc", "on_thread", "malloc"]
    assert names(shortest) == ["parallel", *two, "end_section"]
    assert shortest.calls[0].size == 4


def _needs_two_threads(plan: Plan) -> Outcome:
    """It fails where two threads call malloc in a section that runs four times."""
    calls = plan.calls
    sections = [calls[start:end] for start, end in sections_of(calls)]
    assert closed(calls) == list(calls), "the engine would refuse it"
    for section in sections:
        callers: set[int | None] = set()
        thread = None
        for call in section:
            thread = call.size if call.name == "on_thread" else thread
            callers |= {thread} if call.name == "malloc" else set()
        if len(callers) >= 2 and None not in callers and section[0].size >= 4:
            return Outcome(status="crash", kind="x", op=len(calls) - 1)
    return HELD
