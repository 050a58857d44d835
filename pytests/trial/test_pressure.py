"""The calls of a plan that make memory short, count costs, and stand for many."""

import pytest

from heapyard.trial import OsCalls, Plan, PlanError


def test_kinds_of_system_calls_read_as_a_sum() -> None:
    plan = Plan()
    plan.fail_os(OsCalls.MMAP | OsCalls.BRK, 3, onward=True)
    plan.count_os(OsCalls.GIVE)
    assert str(plan) == (
        "   0  fail_os(mmap+brk+onward, 3)\n   1  count_os(munmap+madvise+mprotect)"
    )


def test_json_names_the_kinds_and_the_unit() -> None:
    plan = Plan()
    plan.fail_os(OsCalls.MREMAP, 2)
    plan.count_cost("nanoseconds")
    text = plan.to_json()
    assert '["fail_os", "mremap", 2]' in text
    assert '["count_cost", "nanoseconds"]' in text


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('["fail_os", "mmap+open", 1]', "names of system calls"),
        ('["fail_os", 3, 1]', "names of system calls"),
        ('["count_cost", "cycles"]', "one of instructions, nanoseconds"),
    ],
)
def test_words_that_are_none_are_refused(row: str, reason: str) -> None:
    text = f'{{"schema": "heapyard.plan/1", "ops": [{row}]}}'
    with pytest.raises(PlanError, match=reason):
        Plan.from_json(text)


@pytest.mark.parametrize("kinds", [OsCalls(0), OsCalls.ONWARD, OsCalls.MMAP | OsCalls.ONWARD])
def test_kinds_that_are_none_are_refused(kinds: OsCalls) -> None:
    with pytest.raises(PlanError, match="Invalid kinds"):
        Plan().count_os(kinds)


def test_the_call_that_fails_is_numbered_from_1() -> None:
    with pytest.raises(PlanError, match="Invalid nth=0: must be at least 1"):
        Plan().fail_os(OsCalls.MMAP, 0)


def test_blocks_made_at_once_are_blocks_like_others() -> None:
    plan = Plan()
    plan.malloc(1)
    blocks = plan.malloc_many(10, 100)
    plan.realloc(blocks[3], 200)
    plan.free(blocks[3])
    assert [call.slot for call in plan.calls] == [0, 1, 4, 4]
    with pytest.raises(PlanError, match="holds no block any more"):
        plan.free(blocks[3])


def test_blocks_freed_at_once_are_free() -> None:
    plan = Plan()
    blocks = plan.malloc_many(10, 100)
    plan.free_many(blocks, step=2)
    plan.free(blocks[1])
    with pytest.raises(PlanError, match="holds no block any more"):
        plan.free(blocks[4])
    with pytest.raises(PlanError, match="Block 1 of 10 holds no block any more"):
        plan.free_many(blocks, start=1)


@pytest.mark.parametrize(("start", "step"), [(10, 1), (0, 0), (0, -1)])
def test_no_blocks_can_not_be_freed(start: int, step: int) -> None:
    plan = Plan()
    blocks = plan.malloc_many(10, 100)
    with pytest.raises(PlanError, match=f"Invalid start={start}, step={step}"):
        plan.free_many(blocks, start=start, step=step)


def test_a_number_past_the_last_block_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        Plan().malloc_many(10, 100)[10]


def test_no_blocks_can_not_be_made() -> None:
    with pytest.raises(PlanError, match="Invalid count=0"):
        Plan().malloc_many(0, 100)


def test_new_blocks_never_share_a_slot_with_others() -> None:
    plan = Plan()
    plan.free(plan.malloc(1))
    blocks = plan.malloc_many(3, 10)
    others = [plan.malloc(1) for _ in range(3)]
    slots = [blocks[number].index for number in range(3)] + [other.index for other in others]
    assert len(set(slots)) == 6
