"""Plans as they are built: slots, what calls may expect, bounds."""

import errno

import pytest

from heapyard.trial import (
    OPERATIONS,
    PTRDIFF_MAX,
    SIZE_MAX,
    Call,
    Check,
    Operation,
    Plan,
    PlanError,
)
from heapyard.trial.operations import BY_CODE


def test_a_call_reads_like_c() -> None:
    plan = Plan()
    block = plan.calloc(3, 8)
    plan.realloc(block, 48)
    plan.free(block)
    plan.free(None)
    assert [str(call) for call in plan.calls] == [
        "calloc(3, 8) -> slot 0",
        "realloc(slot 0, 48)",
        "free(slot 0)",
        "free(NULL)",
    ]


def test_a_freed_slot_is_used_again() -> None:
    plan = Plan()
    first = plan.malloc(1)
    plan.free(first)
    assert plan.malloc(2).index == first.index


def test_slots_are_not_used_again_where_the_plan_says_so() -> None:
    plan = Plan(reuse_slots=False)
    first = plan.malloc(1)
    plan.free(first)
    assert plan.malloc(2).index == first.index + 1


def test_the_slot_of_a_freed_block_is_refused() -> None:
    plan = Plan()
    block = plan.malloc(1)
    plan.free(block)
    with pytest.raises(PlanError, match="Slot 0 of call 0 holds no block any more"):
        plan.check(block)


def test_the_old_owner_of_a_slot_used_again_is_refused() -> None:
    plan = Plan()
    old = plan.malloc(1)
    plan.free(old)
    plan.malloc(1)
    with pytest.raises(PlanError, match="holds no block any more"):
        plan.free(old)


def test_free_all_empties_every_slot() -> None:
    plan = Plan()
    blocks = [plan.malloc(size) for size in (1, 2, 3)]
    plan.free_all()
    with pytest.raises(PlanError):
        plan.write(blocks[1])
    assert plan.malloc(4).index in (0, 1, 2)


def test_a_forgotten_block_leaves_its_slot_to_others() -> None:
    plan = Plan()
    plan.forget(plan.malloc(1))
    assert plan.malloc(1).index == 0


def test_the_slot_of_a_call_that_must_fail_is_kept() -> None:
    plan = Plan()
    failed = plan.malloc(SIZE_MAX, fails=errno.ENOMEM)
    assert plan.malloc(1).index == 1
    plan.free(failed)


def test_realloc_of_none_takes_a_new_slot() -> None:
    plan = Plan()
    plan.malloc(1)
    assert plan.realloc(None, 10).index == 1


def test_realloc_keeps_its_slot() -> None:
    plan = Plan()
    block = plan.malloc(1)
    assert plan.realloc(block, 10) == block


@pytest.mark.parametrize(
    ("size", "expected"), [(None, 240), (7, 7)], ids=["as asked", "as the plan says"]
)
def test_free_sized_passes_the_size(size: int | None, expected: int) -> None:
    plan = Plan()
    block = plan.malloc(1)
    plan.reallocarray(block, 24, 10)
    plan.free_sized(block, size)
    assert plan.calls[-1].size == expected


def test_free_sized_ignores_a_realloc_that_must_fail() -> None:
    plan = Plan()
    block = plan.malloc(5)
    plan.realloc(block, SIZE_MAX, fails=True)
    plan.free_sized(block)
    assert plan.calls[-1].size == 5


def test_free_aligned_sized_passes_what_was_asked() -> None:
    plan = Plan()
    plan.free_aligned_sized(plan.aligned_alloc(64, 128))
    assert (plan.calls[-1].arg, plan.calls[-1].size) == (64, 128)


def test_free_aligned_sized_of_a_plain_block_needs_an_alignment() -> None:
    plan = Plan()
    block = plan.malloc(8)
    with pytest.raises(PlanError, match="asked for no alignment; name one"):
        plan.free_aligned_sized(block)


@pytest.mark.parametrize("size", [-1, SIZE_MAX + 1])
def test_a_size_that_no_size_t_holds_is_refused(size: int) -> None:
    with pytest.raises(PlanError, match="sizes must be 0 to SIZE_MAX"):
        Plan().malloc(size)


@pytest.mark.parametrize("size", [0, PTRDIFF_MAX, PTRDIFF_MAX + 1, SIZE_MAX])
def test_any_size_t_may_be_asked_for(size: int) -> None:
    plan = Plan()
    plan.malloc(size, may_fail=True)
    assert plan.calls[0].size == size


@pytest.mark.parametrize(
    ("options", "bits"),
    [
        ({}, 0x00),
        ({"fails": True}, 0x01),
        ({"may_fail": True}, 0x02),
        ({"errno_kept": True}, 0x04),
        ({"fails": errno.ENOMEM}, 0x09),
        ({"fails": "EINVAL"}, 0x11),
        ({"fails": (errno.ENOMEM, errno.EINVAL)}, 0x19),
        ({"fails": errno.ENOMEM, "may_fail": True}, 0x0A),
        ({"in_place": True}, 0x20),
    ],
    ids=str,
)
def test_expectations_become_the_bits_of_the_format(options: dict[str, object], bits: int) -> None:
    plan = Plan()
    plan.realloc(None, 1, **options)  # type: ignore[arg-type]
    assert plan.calls[0].expect == bits


def test_an_errno_that_no_allocator_gives_is_refused() -> None:
    with pytest.raises(PlanError, match=r"Invalid fails=1: must be True, ENOMEM, EINVAL or both"):
        Plan().malloc(1, fails=errno.EPERM)


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(TypeError, match="must_fail"):
        Plan().malloc(1, must_fail=True)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alignment": 24}, "Invalid alignment=24: must be 0 or a power of two up to 1048576"),
        ({"alignment": 1 << 21}, "Invalid alignment=2097152: must be 0 or a power of two"),
        ({"repeat": 0}, "Invalid repeat=0: must be at least 1"),
        ({"seed": -1}, "Invalid seed=-1: must be 0 to 2"),
    ],
    ids=["alignment", "large alignment", "repeat", "seed"],
)
def test_settings_out_of_bounds_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Plan(**settings)  # type: ignore[arg-type]


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(PlanError, match="must be one of rss, live_bytes"):
        Plan().measure("speed")


def test_a_wait_of_more_than_a_minute_is_refused() -> None:
    with pytest.raises(PlanError, match="milliseconds=60001: must be 0 to 60000"):
        Plan().idle(60_001)


def test_functions_are_the_entry_points_that_the_calls_need() -> None:
    plan = Plan()
    plan.fill_usable(plan.memalign(64, 1))
    plan.check_all()
    plan.trim()
    assert plan.functions == {"memalign", "usable_size", "trim"}


def test_the_default_checks_are_those_that_any_target_can_meet() -> None:
    assert Plan().checks == Check.ALL & ~Check.SELF_CHECK & ~Check.MISUSE


def test_kinds_of_checks_go_to_names_and_back() -> None:
    assert Check.of(Check.DEFAULT.kinds) == Check.DEFAULT


def test_more_calls_on_a_loaded_plan_take_new_slots() -> None:
    plan = Plan().with_calls([Call(1, slot=4, size=8)])
    assert plan.malloc(1).index == 5


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_found_by_its_code(operation: Operation) -> None:
    assert BY_CODE[operation.code] is operation
    assert Call(operation.code).name == operation.name


def test_operations_stand_in_the_order_of_their_codes() -> None:
    codes = [operation.code for operation in OPERATIONS]
    assert codes == sorted(set(codes))


def test_an_empty_plan_is_true() -> None:
    assert Plan()
    assert len(Plan()) == 0


def test_a_stray_write_too_far_away_is_refused() -> None:
    plan = Plan()
    block = plan.malloc(8)
    for write in (plan.write_at, lambda slot, offset, _: plan.free_at(slot, offset)):
        with pytest.raises(PlanError, match="must be -4096 to 4096"):
            write(block, -4097, 1)
    with pytest.raises(PlanError, match="must be 0 to 4096"):
        plan.write_past(block, 4097)


def test_foreign_memory_of_no_kind_is_refused() -> None:
    with pytest.raises(PlanError, match="must be one of static, stack, mapping, other"):
        Plan().foreign("heap", 8)
