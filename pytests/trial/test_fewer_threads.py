"""Plans with threads become plans with fewer, where those still fail."""

from heapyard.trial import Outcome, Plan
from heapyard.trial.fewer_threads import fewer_threads, has_threads, threads_of
from heapyard.trial.lifetimes import steps_of, written
from heapyard.trial.operations import Call
from heapyard.trial.shrink import shrink_plan
from pytests.corpus.defects import corpus_target


def plan_of_three() -> Plan:
    plan = Plan("three")
    block = plan.malloc(10)
    with plan.parallel(times=1):
        plan.on_thread(2)
        plan.free(block)
        plan.on_thread(5)
        plan.free(plan.malloc(20))
        plan.on_thread(7)
        plan.free(plan.malloc(30))
    plan.join(5)
    return plan


def candidates() -> list[list[Call]]:
    return [written(steps) for steps in fewer_threads(steps_of(plan_of_three().calls))]


def test_main_can_do_it_all() -> None:
    assert not has_threads(candidates()[0])
    assert [call.name for call in candidates()[0]].count("free") == 3


def test_main_can_do_again_what_a_section_does_several_times() -> None:
    plan = Plan("churn")
    with plan.parallel(times=5):
        plan.on_thread(0)
        plan.free(plan.malloc(10))
    unrolled = written(list(fewer_threads(steps_of(plan.calls)))[1])
    assert [call.name for call in unrolled] == ["malloc", "free"] * 5


def test_threads_can_go_one_after_the_other() -> None:
    names = [call.name for call in candidates()[2]]
    assert "parallel" not in names
    assert names.count("on_thread") == 3


def test_what_one_thread_does_can_go() -> None:
    assert threads_of(candidates()[3]) == [2, 5]
    assert 30 not in {call.size for call in candidates()[3]}


def test_one_thread_can_do_what_another_does() -> None:
    merged = [threads_of(calls) for calls in candidates()[6:-1]]
    assert [2, 5] in merged
    assert [2, 7] in merged


def test_numbers_have_no_holes() -> None:
    assert threads_of(candidates()[-1]) == [1, 2, 3]


def test_shortest_plan_keeps_the_threads_that_it_takes() -> None:
    target = corpus_target("dlopen")

    def run(plan: Plan) -> Outcome:
        makers = {call.size for call in plan.calls if call.name == "on_thread"}
        sizes = {call.size for call in plan.calls if call.name == "malloc"}
        broken = {20, 30} <= sizes and len(makers - {0}) >= 2
        return Outcome(status="violation", kind="overlap") if broken else Outcome(status="held")

    plan = plan_of_three()
    shortest = shrink_plan(target, plan, run(plan), run=run)
    assert len(threads_of(shortest.calls)) == 2
    assert "free" not in {call.name for call in shortest.calls}
