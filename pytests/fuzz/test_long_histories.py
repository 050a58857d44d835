"""Failures that need many calls become short to read: loops count as their body."""

from pathlib import Path
from random import Random

import pytest

from heapyard._native.build import current_build
from heapyard.fuzz import Campaign
from heapyard.fuzz.find import Find
from heapyard.reproducer import Failure, c_program
from heapyard.trial import Check, Plan, run_plan, shrink_plan
from heapyard.trial.folding import fold, written_length
from pytests.corpus.defects import corpus_path, corpus_target
from pytests.reproducer.programs import Run, compiled, run

COUNTERS = (
    "rare_aligned_twice",
    "thousandth_of_a_class",
    *(
        pytest.param(defect, marks=pytest.mark.stress)
        for defect in (
            "rare_dirty_calloc",
            "rare_realloc_drops",
            "same_block_twice",
            "chunk_end_overrun",
            "free_count_wraps",
            "list_of_512_overflows",
            "split_300_in_a_row",
            "realloc_chain_forgets",
            "generation_wraps",
            "neighbours_merge_late",
            "clean_mark_outlives_frees",
        )
    ),
)
"""What only certain calls show, after 32 to a thousand of them, or with 4,096 live blocks."""


def find_of(defect: str) -> Find:
    campaign = Campaign(corpus_target("dlopen", defect), seed=7)
    return next(find for find in campaign.run(plans=20_000) if find is not None)


@pytest.mark.parametrize("defect", COUNTERS)
def test_what_a_counter_triggers_is_told_in_twenty_calls(defect: str, tmp_path: Path) -> None:
    if current_build().sanitizer:
        pytest.skip("a sanitizer's runtime wants to be the first malloc of the process")
    find = find_of(defect)
    assert find.plan is not None
    told = fold(find.plan.calls)
    assert written_length(find.plan.calls) <= 20, told
    program = compiled(
        c_program(find.plan, Failure.of(find.outcome), corpus_target("dlopen", defect)), tmp_path
    )
    preloaded = {"LD_PRELOAD": str(corpus_path())}
    assert run(program, environment={**preloaded, "HEAPYARD_DEFECT": defect}).code == 1
    assert run(program, environment=preloaded) == Run(0, "")
    assert run(program) == Run(0, "")


def test_a_border_that_many_sizes_meet_is_told_by_one_size() -> None:
    """Blocks of all sizes until one runs over the end of a chunk, into the next one's first."""
    target, random = corpus_target("dlopen", "chunk_end_overrun"), Random(5)
    plan = Plan("border", checks=Check.CONTENT)
    for _ in range(3000):
        plan.malloc(random.randrange(1, 1000))
    outcome = run_plan(target, plan)
    assert outcome.status == "violation"
    shortest = shrink_plan(target, plan, outcome)
    assert written_length(shortest.calls) == 1
    assert run_plan(target, shortest).signature == outcome.signature
    assert run_plan(corpus_target("dlopen"), shortest).held


@pytest.mark.stress
def test_list_of_blocks_that_others_freed_is_told_in_twenty_calls() -> None:
    find = find_of("remote_list_overflows")
    assert find.plan is not None
    assert find.threads > 1
    assert written_length(find.plan.calls) <= 20, fold(find.plan.calls)
