"""What bench_lists says of a recording: counts by hand on a plan that is small enough."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from heapyard._native.build import current_build
from heapyard.trial import Plan

if TYPE_CHECKING:
    from pathlib import Path

Counts = dict[int, tuple[int, int, int]]


@pytest.fixture
def program() -> Path:
    build = current_build()
    path = build.source.parent / "bin" / "bench_lists"
    if build.sanitizer or not build.counters or not path.is_file():
        pytest.skip("needs bench_lists, in a build with counters and without a sanitizer")
    return path


def replay(program: Path, folder: Path, plan: Plan, limit: int) -> Counts:
    """Hits, misses and overflows of each list that did anything; 0: what is larger."""
    path = folder / "plan"
    path.write_bytes(plan.to_bytes())
    done = subprocess.run([program, path, str(limit)], check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        row["size"]: (row["hits"], row["misses"], row["overflows"])
        for row in rows
        if row["hits"] or row["misses"]
    }


@pytest.mark.parametrize(("limit", "hits", "overflows"), [(0, 0, 5), (1, 1, 3), (4, 2, 0)])
def test_hits_misses_and_overflows_of_a_plan(
    program: Path, tmp_path: Path, limit: int, hits: int, overflows: int
) -> None:
    """Three blocks of one list, all freed; then two more; and one that no list holds."""
    plan = Plan()
    first = [plan.malloc(size) for size in (33, 40, 48)]
    for slot in first:
        plan.free(slot)
    for slot in [plan.malloc(48), plan.calloc(4, 10)]:
        plan.free(slot)
    plan.malloc(513)
    assert replay(program, tmp_path, plan, limit) == {48: (hits, 5 - hits, overflows), 0: (0, 1, 0)}


def test_a_block_that_realloc_moves_is_a_new_object(program: Path, tmp_path: Path) -> None:
    plan = Plan()
    slot = plan.malloc(100)
    plan.realloc(slot, 110)
    plan.realloc(slot, 113)
    plan.realloc(slot, 100)
    assert replay(program, tmp_path, plan, 10) == {112: (1, 1, 0), 128: (0, 1, 0)}


def test_what_is_no_plain_recording_is_refused(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_bytes(b"x" * 100)
    done = subprocess.run([program, path, "1"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"bench_lists: {path} is no packed plan\n")
