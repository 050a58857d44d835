"""Random plans of several threads: what they are made of, and what they find."""

from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.fuzz import Campaign, Find, Request
from heapyard.fuzz.saving import save
from heapyard.trial import Check, Plan, Target, resolve_target, run_plan
from heapyard.trial.fewer_threads import threads_of
from heapyard.trial.folding import fold, written_length
from heapyard.trial.structure import sections_of
from pytests.corpus.defects import corpus_target

FUNCTIONS = frozenset({"malloc", "calloc", "realloc", "free", "posix_memalign", "usable_size"})

SAMPLE = (
    ("remote_free_on_two_lists", {"overlap", "SIGSEGV", "content"}),
    ("remote_realloc_frees_first", {"content"}),
    ("first_realloc_crashes", {"SIGSEGV"}),
    ("thread_exit_frees_live", {"overlap", "content", "SIGSEGV"}),
    ("destructor_free_crashes", {"SIGSEGV"}),
    ("errno_of_first_thread", {"errno"}),
    ("interleaved_blocks_overlap", {"overlap", "content"}),
)
"""Defects that one thread alone does not show, and what is seen of them."""


def request_of(threads: int, *, seed: int = 1, functions: frozenset[str] = FUNCTIONS) -> Request:
    return Request(
        seed=seed, first=0, count=1, functions=functions, flags=frozenset({"errno", "threads"}),
        checks=Check.DEFAULT, threads=threads,
    )  # fmt: skip


def drawn(count: int, *, threads: int = 8, seed: int = 1) -> list[Plan]:
    request = request_of(threads, seed=seed)
    return [Plan.from_bytes(request.draw(number).to_bytes()) for number in range(count)]


def names_of(plans: list[Plan]) -> set[str]:
    return {call.name for plan in plans for call in plan.calls}


def test_plans_have_two_threads_to_as_many_as_asked_for() -> None:
    numbers = [len(threads_of(plan.calls)) for plan in drawn(200, threads=5)]
    assert max(numbers) == 5
    assert sum(number >= 2 for number in numbers) > 180


def test_plans_have_sections_ends_of_threads_and_destructors() -> None:
    assert names_of(drawn(30)) >= {"parallel", "on_thread", "join", "in_destructor", "check_all"}


def test_blocks_are_freed_by_threads_that_did_not_make_them() -> None:
    handed_over = 0
    for plan in drawn(20):
        thread, makers = 0, dict[int, int]()
        for call in plan.calls:
            thread = call.size if call.name == "on_thread" else thread
            if call.operation.creates and call.slot is not None:
                makers[call.slot] = thread
            elif call.name == "free" and call.slot is not None:
                handed_over += makers.pop(call.slot, thread) != thread
    assert handed_over > 100


def test_in_some_sections_all_threads_ask_for_one_size_again_and_again() -> None:
    herds = 0
    for plan in drawn(60):
        for start, end in sections_of(plan.calls):
            calls = plan.calls[start + 1 : end]
            asked = [call.size for call in calls if call.operation.creates]
            churns = plan.calls[start].name == "parallel" and plan.calls[start].size > 1
            herds += churns and len(asked) > 4 and len(set(asked)) == 1
    assert herds >= 10


def test_race_on_a_list_is_found_and_told_in_few_calls() -> None:
    """Free without a lock: threads must meet on one size class at one time."""
    if current_build().sanitizer:
        pytest.skip("a sanitizer's runtime wants to be the first malloc of the process")
    find = first_find(corpus_target("dlopen", "free_without_lock"))
    assert find.outcome.kind in {"overlap", "content", "SIGSEGV"}
    assert find.plan is not None
    assert len(find.plan.calls) <= 200, fold(find.plan.calls)


def test_a_number_gives_the_same_plan_again() -> None:
    assert request_of(8).draw(5).to_bytes() == request_of(8).draw(5).to_bytes()
    assert request_of(8).draw(5).to_bytes() != request_of(1).draw(5).to_bytes()


def test_plans_hold_one_by_one_on_a_sound_allocator() -> None:
    libc = resolve_target("libc")
    outcomes = [run_plan(libc, plan) for plan in drawn(20, threads=16, seed=2)]
    assert [str(outcome) for outcome in outcomes if not outcome.held] == []


@pytest.mark.parametrize("name", ["libc", "corpus"])
def test_sound_allocators_hold(name: str) -> None:
    target = corpus_target("dlopen") if name == "corpus" else resolve_target(name)
    campaign = Campaign(target, seed=4, threads=8)
    assert set(campaign.run(plans=128)) == {None}
    assert campaign.tally.plans == 128


def first_find(target: Target, *, plans: int = 1500) -> Find:
    campaign = Campaign(target, seed=1)
    find = next((find for find in campaign.run(plans=plans) if find is not None), None)
    assert find is not None, f"not in {campaign.tally}"
    return find


@pytest.mark.parametrize(("defect", "kinds"), SAMPLE)
def test_defect_of_threads_is_found_and_shortened(defect: str, kinds: set[str]) -> None:
    if current_build().sanitizer:
        pytest.skip("a sanitizer's runtime wants to be the first malloc of the process")
    target = corpus_target("dlopen", defect)
    find = first_find(target)
    assert find.outcome.kind in kinds
    assert find.plan is not None
    assert find.threads > 1
    assert written_length(find.plan.calls) <= 60, fold(find.plan.calls)


def test_saved_find_fails_again(tmp_path: Path) -> None:
    target = corpus_target("dlopen", "first_realloc_crashes")
    saved = save(first_find(target), tmp_path, target)
    assert saved.plan is not None
    plan = Plan.from_json(saved.plan.read_text(encoding="utf-8"))
    assert run_plan(target, plan).signal == "SIGSEGV"
    assert run_plan(corpus_target("dlopen"), plan).held


def test_one_thread_is_all_where_that_is_said() -> None:
    campaign = Campaign(corpus_target("dlopen", "first_realloc_crashes"), seed=1, threads=1)
    assert set(campaign.run(plans=600)) == {None}


def test_targets_that_are_not_for_threads_get_none() -> None:
    campaign = Campaign(resolve_target("region:fast"), seed=1)
    assert set(campaign.run(plans=200)) == {None}
