"""Campaigns: they find what is broken, tell finds apart, and say the same for the same seed."""

import subprocess
from pathlib import Path

import pytest

from heapyard.fuzz import Campaign, Find
from heapyard.trial import Target, resolve_target, run_plan
from pytests.corpus.defects import corpus_target
from pytests.support.compilers import COMPILER

SAMPLE = (
    ("rare_realloc_drops", "content"),
    ("calloc_after_realloc_overlaps", "overlap"),
    ("realloc_null_fails", "null"),
    ("rare_aligned_twice", "overlap"),
    ("rare_dirty_calloc", "zero"),
    ("same_block_twice", "overlap"),
    ("mapping_short", "mapped"),
    ("malloc_wraps", "refuse"),
)


def finds_of(target: Target, *, plans: int, seed: int = 1) -> list[Find]:
    campaign = Campaign(target, seed=seed, threads=1)
    return [find for find in campaign.run(plans=plans) if find is not None]


@pytest.fixture(autouse=True)
def _little_shrinking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heapyard.fuzz.find.SHRINK_SECONDS", 2.0)


@pytest.mark.parametrize(("defect", "kind"), SAMPLE)
def test_defect_is_found_and_its_plan_fails_again(defect: str, kind: str) -> None:
    target = corpus_target("dlopen", defect)
    campaign = Campaign(target, seed=1)
    find = next((find for find in campaign.run(plans=20_000) if find is not None), None)
    assert find is not None, f"not in {campaign.tally}"
    assert find.outcome.kind == kind
    assert find.plan is not None
    assert run_plan(target, find.plan).signature == ("violation", kind)


def test_sound_allocators_hold() -> None:
    campaign = Campaign(corpus_target("dlopen"), seed=5)
    assert set(campaign.run(plans=1000)) == {None}
    assert campaign.tally.plans == 1000
    assert campaign.tally.operations > 1_000_000


@pytest.mark.parametrize("name", ["libc", "heap", "region:fast", "bump", "domain:obj+debug"])
def test_allocators_of_this_project_hold(name: str) -> None:
    assert finds_of(resolve_target(name), plans=150) == []


def test_same_seed_gives_the_same_finds() -> None:
    target = corpus_target("dlopen", "calloc_trusts_reused")

    def finds() -> list[tuple[int, tuple[str, str]]]:
        return [(find.number, find.outcome.signature) for find in finds_of(target, plans=6)]

    assert finds() == finds() != []


def test_same_failure_is_one_find() -> None:
    campaign = Campaign(corpus_target("dlopen", "usable_null_is_16"), seed=1)
    campaign.target = corpus_target("dlopen", "malloc_no_errno")
    finds = [find for find in campaign.run(plans=200) if find is not None]
    assert len(finds) == 1
    assert campaign.tally.failures > 1
    assert campaign.tally.dropped == ["errno"]
    assert campaign.tally.plans == 200, "it goes on without that check"


LIBRARY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
extern void *__libc_malloc(size_t); extern void __libc_free(void *);
static unsigned calls;
void *malloc(size_t n) { if (++calls == 30000) { %s } return __libc_malloc(n); }
void free(void *p) { __libc_free(p); }
"""


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [("abort();", "crash", "SIGABRT"), ("for (;;) usleep(1000);", "hang", ""),
     ("_exit(0);", "exit", "")],
)  # fmt: skip
def test_death_late_in_a_session_is_a_find(
    body: str, status: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heapyard.fuzz.campaign.STILL", 3.0)
    monkeypatch.setattr("heapyard.fuzz.find.HANG_SECONDS", 1.0)
    library = tmp_path / "libdies.so"
    (tmp_path / "dies.c").write_text(LIBRARY % body, encoding="utf-8")
    subprocess.run(
        [
            COMPILER,
            "-shared",
            "-fPIC",
            "-fno-builtin",
            str(tmp_path / "dies.c"),
            "-o",
            str(library),
        ],
        check=True,
    )
    campaign = Campaign(resolve_target(str(library), mode="dlopen"), seed=1)
    find = next(find for find in campaign.run(plans=600) if find is not None)
    assert find.outcome.signature == (status, kind)
    assert find.plans_before > 0, "it takes 30,000 calls"
    assert find.plan is not None
    assert sum(call.name == "malloc" for call in find.plan.calls) >= 1
