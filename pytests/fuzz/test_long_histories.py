"""Failures that need many calls become short to read: loops count as their body."""

from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.fuzz import Campaign
from heapyard.fuzz.find import Find
from heapyard.reproducer import Failure, c_program
from heapyard.trial.folding import fold, written_length
from pytests.corpus.defects import corpus_path, corpus_target
from pytests.reproducer.programs import Run, compiled, run

COUNTERS = (
    "rare_aligned_twice",
    "thousandth_of_a_class",
    "chunk_end_overrun",
    *(
        pytest.param(defect, marks=pytest.mark.stress)
        for defect in (
            "rare_dirty_calloc",
            "rare_realloc_drops",
            "same_block_twice",
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


@pytest.mark.stress
def test_list_of_blocks_that_others_freed_is_told_in_twenty_calls() -> None:
    find = find_of("remote_list_overflows")
    assert find.plan is not None
    assert find.threads > 1
    assert written_length(find.plan.calls) <= 20, fold(find.plan.calls)
