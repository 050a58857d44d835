"""The trace of a run: the blocks that came and went, and memory over time, after a crash too."""

import struct

import pytest

from heapyard.trial import Check, Event, Plan, Room, Target, Trace, resolve_target, run_plan

ROOM = Room()


def traced(target: Target, plan: Plan, room: Room = ROOM) -> Trace:
    trace = run_plan(target, plan, trace=room).trace
    assert trace is not None
    return trace


def shape(trace: Trace) -> list[tuple[int, int, int, bool]]:
    return [(each.step, each.slot, each.size, each.has_come) for each in trace.events]


def test_a_run_that_nobody_draws_has_no_trace(libc: Target) -> None:
    plan = Plan()
    plan.malloc(1)
    assert run_plan(libc, plan).trace is None


def test_each_block_comes_and_goes_at_its_call(libc: Target) -> None:
    plan = Plan()
    first = plan.malloc(100)
    second = plan.calloc(2, 25)
    plan.check_all()
    plan.realloc(first, 300)
    plan.free(second)
    trace = traced(libc, plan)
    assert shape(trace) == [
        (0, 0, 100, True),
        (1, 1, 50, True),
        (3, 0, 100, False),
        (3, 0, 300, True),
        (4, 1, 50, False),
        (5, 0, 300, False),  # the end of the round
    ]
    assert trace.ops == 5
    assert trace.events[0].address == trace.events[2].address != 0


def test_blocks_that_are_freed_all_at_once_go_one_by_one(libc: Target) -> None:
    plan = Plan()
    for size in (1, 2, 3):
        plan.malloc(size)
    plan.free_all()
    assert shape(traced(libc, plan))[3:] == [(3, n, n + 1, False) for n in range(3)]


def test_a_call_that_fails_makes_no_block(libc: Target) -> None:
    plan = Plan()
    plan.malloc(1 << 63, fails=True)
    assert shape(traced(libc, plan)) == []


def test_steps_go_on_over_rounds(libc: Target) -> None:
    plan = Plan(repeat=3)
    plan.malloc(8)
    assert [each.step for each in traced(libc, plan).events if each.has_come] == [0, 2, 4]


def test_the_last_events_are_kept(libc: Target) -> None:
    plan = Plan()
    for _ in range(10):
        plan.free(plan.malloc(8))
    trace = traced(libc, plan, Room(events=3))
    assert [each.step for each in trace.events] == [17, 18, 19]
    assert trace.dropped == 17


def test_samples_follow_what_is_live_and_resident(libc: Target) -> None:
    plan = Plan(checks=Check.OVERLAP)
    mib = 1 << 20
    for _ in range(64):
        plan.malloc(mib)
    plan.measure("rss")
    plan.free_all()
    plan.measure("rss")
    samples = traced(libc, plan).samples
    most = max(samples, key=lambda each: each.live)
    assert most.live == 64 * mib
    assert 64 * mib <= most.resident < 70 * mib
    assert most.mapped >= 64 * mib
    assert samples[-1].resident < 8 * mib
    assert samples[-1].live == 0


def test_there_are_no_more_samples_than_asked_for(libc: Target) -> None:
    plan = Plan()
    for _ in range(1000):
        plan.free(plan.malloc(8))
        plan.measure("rss")
    assert 100 <= len(traced(libc, plan, Room(samples=200)).samples) <= 200
    assert traced(libc, plan, Room(samples=0)).samples == ()


@pytest.mark.death
def test_what_led_to_a_crash_is_there(hostile: Target) -> None:
    plan = Plan()
    for size in (10, 20):
        plan.malloc(size)
    plan.free(plan.malloc(1))
    crashing = hostile.with_environment({"HEAPYARD_HOSTILE": "free:segv"})
    outcome = run_plan(crashing, plan, trace=ROOM)
    assert outcome.status == "crash"
    assert outcome.trace is not None
    assert shape(outcome.trace) == [(0, 0, 10, True), (1, 1, 20, True), (2, 2, 1, True)]


def test_a_violation_leaves_the_blocks_as_they_were(libc: Target) -> None:
    plan = Plan()
    plan.malloc(24)
    plan.malloc(8, fails=True)
    outcome = run_plan(libc, plan, trace=ROOM)
    assert outcome.status == "violation"
    assert outcome.trace is not None
    assert shape(outcome.trace) == [(0, 0, 24, True)]


def test_an_interpreter_is_not_traced() -> None:
    plan = Plan()
    plan.malloc(1)
    outcome = run_plan(resolve_target("python:raw"), plan, trace=ROOM)
    assert (outcome.held, outcome.trace) == (True, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 63,
        b"\xff" * 4096,
        struct.pack("<5Q24x", 0, 0, 0, 0, 0),
        struct.pack("<5Q24x", 1, 9, 0, 0, 0) + bytes(32),
        struct.pack("<5Q24x", 1, 0, 0, 9, 0) + bytes(32),
    ],
)
def test_a_trace_that_was_written_over_is_empty(data: bytes) -> None:
    assert Trace.read(data) == Trace()


def test_the_room_is_the_files_size() -> None:
    assert len(Room(events=2, samples=3).empty()) == 64 + 5 * 32


def test_events_read_back_in_order_of_time() -> None:
    ring = b"".join(struct.pack("<3Q2I", n, 16 * n, 8, 0, 1) for n in (4, 2, 3))
    trace = Trace.read(struct.pack("<5Q24x", 3, 0, 4 + 0, 0, 9) + ring)
    assert trace.events == tuple(Event(n, 16 * n, 8, 0, has_come=True) for n in (2, 3, 4))


def test_of_another_thread_what_is_left_is_seen(libc: Target) -> None:
    plan = Plan()
    first = plan.malloc(10)
    plan.on_thread(1)
    plan.free(plan.malloc(20))
    second = plan.malloc(30)
    plan.join(1)
    plan.free(first)
    plan.free(second)
    trace = traced(libc, plan)
    assert [(each.size, each.has_come) for each in trace.events] == [
        (10, True),
        (30, True),
        (10, False),
        (30, False),
    ]
