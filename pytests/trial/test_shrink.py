"""Shrinking, against allocators that are predicates on calls: no child, no time."""

from collections.abc import Callable
from random import Random

import pytest

from heapyard.trial import Capabilities, Outcome, Plan, Target, random_plan, shrink_plan
from heapyard.trial.folding import written_length
from heapyard.trial.lifetimes import steps_of, written
from heapyard.trial.operations import Call, Expect, OsCalls

TARGET = Target(
    typed="none",
    mode="builtin",
    program=("none",),
    capabilities=Capabilities(name="none", functions=frozenset()),
)
HELD = Outcome(status="held")
ALL = ("malloc", "calloc", "realloc", "free", "aligned_alloc", "usable_size", "free_sized")


def first_fault(calls: tuple[Call, ...]) -> str:
    """Why the engine would refuse these calls if all allocations succeeded; empty: it would not."""
    live: set[int | None] = set()
    for number, call in enumerate(calls):
        operation = call.operation
        if operation.creates and call.slot in live:
            return f"call {number}, {call}: the slot holds a block"
        if operation.allocates and not call.expect & Expect.FAILURE:
            live.add(call.slot)
        elif operation.ends:
            live.discard(call.slot)
        elif operation.name == "free_all":
            live.clear()
    return ""


class Bug:
    """A run that goes wrong at the first call for which `wrong` holds, and counts its runs."""

    def __init__(self, wrong: Callable[[tuple[Call, ...], int], bool], **outcome: str) -> None:
        self.wrong = wrong
        self.outcome = {"status": "violation", "kind": "overlap"} | outcome
        self.runs = 0

    def __call__(self, plan: Plan) -> Outcome:
        self.runs += 1
        assert not first_fault(plan.calls), f"an invalid candidate:\n{plan}"
        for op in range(len(plan)):
            if self.wrong(plan.calls, op):
                return Outcome(op=op, operation=str(plan.calls[op]), **self.outcome)  # type: ignore[arg-type]
        return HELD


def shrunk(plan: Plan, bug: Bug, *, runs: int = 2000) -> Plan:
    return shrink_plan(TARGET, plan, bug(plan), runs=runs, run=bug)


def reallocs_to(size: int) -> Callable[[tuple[Call, ...], int], bool]:
    return lambda calls, op: calls[op].name == "realloc" and calls[op].size >= size


def after_frees(count: int) -> Callable[[tuple[Call, ...], int], bool]:
    """Wrong once so many blocks were freed by single frees."""

    def wrong(calls: tuple[Call, ...], op: int) -> bool:
        freed = [call for call in calls[: op + 1] if call.name == "free" and call.slot is not None]
        return len(freed) >= count

    return wrong


def test_one_bad_call_shrinks_to_the_block_that_it_needs() -> None:
    plan = random_plan(Random(1), ALL, calls=1000)
    small = shrunk(plan, Bug(reallocs_to(5000)))
    assert [call.name for call in small.calls] in (["realloc"], ["malloc", "realloc"])


def test_sizes_shrink_to_the_edge() -> None:
    plan = random_plan(Random(1), ALL, calls=300)
    small = shrunk(plan, Bug(reallocs_to(4096)))
    assert small.calls[-1].size == 4096


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_calls_shrink_to_twenty(seed: int) -> None:
    plan = random_plan(Random(seed), ALL, calls=1000)
    small = shrunk(plan, Bug(after_frees(9)))
    assert len(small) <= 20
    assert len(small) == 18


@pytest.mark.parametrize("seed", range(3))
def test_what_takes_many_calls_is_soon_told_as_a_loop(seed: int) -> None:
    """Call by call it would take thousands of runs, and the calls that are left are not alike."""
    plan = random_plan(Random(seed), ALL, calls=2000)
    small = shrunk(plan, Bug(after_frees(120)), runs=60)
    assert len(small) == 240
    assert written_length(small.calls) == 2


@pytest.mark.parametrize("seed", range(5))
def test_every_candidate_is_well_formed(seed: int) -> None:
    plan = random_plan(Random(seed), ALL, calls=200)
    shrunk(plan, Bug(lambda calls, op: calls[op].name == "calloc" and op > 3))


def test_the_answer_is_the_same_each_time() -> None:
    plan = random_plan(Random(3), ALL, calls=400)
    assert shrunk(plan, Bug(after_frees(4))) == shrunk(plan, Bug(after_frees(4)))


def test_runs_are_bounded() -> None:
    bug = Bug(after_frees(9))
    plan = random_plan(Random(1), ALL, calls=1000)
    shrunk(plan, bug, runs=25)
    assert bug.runs <= 26


def test_what_can_not_be_reproduced_comes_back_as_it_was() -> None:
    plan = random_plan(Random(1), ALL, calls=50)
    assert shrink_plan(TARGET, plan, Outcome(status="crash"), run=lambda _: HELD) == plan


def test_a_plan_that_held_is_not_touched() -> None:
    plan = random_plan(Random(1), ALL, calls=50)
    assert shrink_plan(TARGET, plan, HELD) is plan


def test_another_failure_is_not_taken_for_this_one() -> None:
    plan = Plan()
    for _ in range(4):
        plan.malloc(100)
    other = Outcome(status="crash", kind="SIGSEGV", op=0)

    def run(candidate: Plan) -> Outcome:
        lost = len(candidate) < 3
        return other if lost else Outcome(status="violation", kind="align", op=len(candidate) - 1)

    assert len(shrink_plan(TARGET, plan, run(plan), run=run)) == 3


def test_repetitions_are_cut() -> None:
    plan = Plan(repeat=1000)
    plan.malloc(1)
    bug = Bug(lambda calls, op: calls[op].name == "malloc")
    assert shrunk(plan, bug).header.repeat == 1


def test_a_sized_free_stays_true_to_a_smaller_block() -> None:
    plan = Plan()
    block = plan.malloc(1000)
    plan.realloc(block, 3000)
    plan.free_sized(block)
    small = shrunk(plan, Bug(lambda calls, op: calls[op].name == "free_sized"))
    assert [str(call) for call in small.calls] == ["malloc(1) -> slot 0", "free_sized(slot 0, 1)"]


def test_a_sized_free_that_lies_goes_on_lying() -> None:
    plan = Plan()
    plan.free_sized(plan.malloc(1000), 7)
    small = shrunk(plan, Bug(lambda calls, op: calls[op].name == "free_sized"))
    assert small.calls[-1].size == 7


def test_the_arguments_of_a_call_that_must_fail_are_kept() -> None:
    plan = Plan()
    plan.malloc(100)
    plan.malloc(1 << 60, fails=True)
    small = shrunk(plan, Bug(lambda calls, op: calls[op].expect & 1 == 1, kind="refuse"))
    assert [call.size for call in small.calls] == [1 << 60]


def test_no_free_is_left_out_where_memory_is_short() -> None:
    plan = Plan()
    for _ in range(20):
        plan.free(plan.malloc(1 << 20))
    plan.malloc(1 << 20)

    def wrong(calls: tuple[Call, ...], op: int) -> bool:
        made = sum(call.operation.creates for call in calls[: op + 1])
        return made > 10

    small = shrunk(plan, Bug(wrong, kind="null"))
    assert sum(call.name == "free" for call in small.calls) == 10


def test_requests_do_not_shrink_to_nothing() -> None:
    plan = Plan()
    plan.calloc(100, 100)
    small = shrunk(plan, Bug(lambda calls, op: calls[op].name == "calloc", kind="null"))
    assert (small.calls[0].arg, small.calls[0].size) == (1, 1)


def test_what_must_stay_in_place_keeps_what_stands_before_it() -> None:
    plan = Plan()
    first, second = plan.malloc(64), plan.malloc(64)
    plan.free(second)
    plan.realloc(first, 100, in_place=True)
    plan.malloc(1)
    bug = Bug(lambda calls, op: calls[op].name == "realloc", kind="in_place")
    assert shrunk(plan, bug).calls == plan.calls[:4]


def test_blocks_of_strict_alignment_do_not_shrink_below_it() -> None:
    plan = Plan(alignment=16)
    plan.malloc(4000)
    bug = Bug(lambda calls, op: calls[op].name == "malloc", kind="align")
    assert shrunk(plan, bug).calls[0].size == 16


def test_alignments_shrink_and_sizes_stay_their_multiples() -> None:
    plan = Plan()
    plan.aligned_alloc(4096, 8192)
    bug = Bug(lambda calls, op: (calls[op].arg or 0) >= 64)
    small = shrunk(plan, bug).calls[0]
    assert (small.arg, small.size) == (64, 64)


def test_calls_after_the_failure_go_without_a_run() -> None:
    plan = Plan()
    plan.malloc(1)
    for _ in range(100):
        plan.malloc(1)
    bug = Bug(lambda calls, op: calls[op].name == "malloc")
    shrunk(plan, bug)
    assert bug.runs < 10


def test_a_failure_that_comes_earlier_cuts_the_rest_without_a_run() -> None:
    plan = Plan()
    for _ in range(1000):
        plan.malloc(1)
    runs = 0

    def run(candidate: Plan) -> Outcome:
        nonlocal runs
        runs += 1
        op = len(candidate) - 1 if len(candidate) > 900 else 0
        return Outcome(status="crash", kind="SIGSEGV", op=op) if len(candidate) else HELD

    assert len(shrink_plan(TARGET, plan, run(plan), run=run)) == 1
    assert runs <= 8


@pytest.mark.parametrize("free_all", [False, True], ids=["free", "free_all"])
def test_a_block_in_a_slot_used_again_is_another_life(free_all: bool) -> None:
    plan = Plan()
    block = plan.malloc(8)
    if free_all:
        plan.free_all()
    else:
        plan.free(block)
    assert plan.realloc(None, 16).index == block.index
    rest = written(steps_of(plan.calls)[1:])
    assert str(rest[-1]) == "realloc(slot 0, 16)"


@pytest.mark.parametrize("seed", range(10))
def test_lives_written_back_are_the_same_calls(seed: int) -> None:
    plan = random_plan(Random(seed), ALL, calls=200)
    calls = written(steps_of(plan.calls))
    assert [call.name for call in calls] == [call.name for call in plan.calls]
    assert [call.size for call in calls] == [call.size for call in plan.calls]
    assert not first_fault(tuple(calls))


def test_uses_of_a_block_go_with_the_call_that_made_it() -> None:
    plan = Plan()
    block = plan.malloc(8)
    other = plan.malloc(16)
    plan.write(block)
    plan.free(block)
    plan.free(other)
    rest = written(steps_of(plan.calls)[1:])
    assert [str(call) for call in rest] == ["malloc(16) -> slot 0", "free(slot 0)"]


def double_free() -> Plan:
    plan = Plan()
    for _ in range(20):
        plan.malloc(100)
    block = plan.malloc(24)
    pointer = plan.alias(block)
    plan.free(block)
    plan.free_stale(pointer)
    plan.malloc(24)
    return plan


def frees_again(calls: tuple[Call, ...], op: int) -> bool:
    """Wrong at the last call, wherever a stale pointer was freed before."""
    return op == len(calls) - 1 and "free_stale" in [call.name for call in calls]


def test_a_misuse_keeps_its_calls_and_loses_the_other_blocks() -> None:
    names = [call.name for call in shrunk(double_free(), Bug(frees_again)).calls]
    assert names[:4] == ["malloc", "alias", "free", "free_stale"]
    assert len(names) <= 5


def test_a_misuse_that_must_be_told_keeps_all_that_stands_before_it() -> None:
    plan = double_free()
    left = shrunk(plan, Bug(frees_again, kind="misuse"))
    assert [call.name for call in left.calls] == [call.name for call in plan.calls]


def test_a_pointer_goes_with_the_block_that_it_points_to() -> None:
    rest = written([step for step in steps_of(double_free().calls) if step.life != 20])
    assert {call.name for call in rest} == {"malloc"}


def test_a_pointer_outlives_free_all() -> None:
    plan = Plan()
    pointer = plan.alias(plan.malloc(8))
    plan.free_all()
    plan.malloc(16)
    plan.free_stale(pointer)
    assert [str(call) for call in written(steps_of(plan.calls))] == [
        "malloc(8) -> slot 0",
        "alias(slot 0) -> slot 1",
        "free_all()",
        "malloc(16) -> slot 2",
        "free_stale(slot 1)",
    ]


def test_what_ends_a_shortage_stays() -> None:
    """Without it the NULL would be rightful."""
    plan = Plan()
    plan.fail_os(OsCalls.EVERY)
    for _ in range(20):
        plan.malloc(100, may_fail=True)
    plan.end_fail()
    plan.malloc(7000)
    bug = Bug(lambda calls, op: calls[op].name == "malloc" and not calls[op].expect, kind="null")
    assert [call.name for call in shrunk(plan, bug).calls] == ["end_fail", "malloc"]


def test_a_call_for_many_blocks_is_left_as_it_is() -> None:
    plan = Plan()
    plan.free_many(plan.malloc_many(100, 10), step=2)
    plan.malloc(7000)
    bug = Bug(lambda calls, op: calls[op].size == 7000)
    assert shrunk(plan, bug) == plan


def test_a_product_that_must_be_refused_stays_a_product() -> None:
    plan = Plan()
    plan.calloc(1 << 32, 1 << 32, fails=True)
    bug = Bug(lambda calls, op: bool(calls[op].expect & Expect.FAILURE), kind="refuse")
    assert shrunk(plan, bug).calls == plan.calls
