"""Benchmarks on the witness of witness.c: what the runner says, and what the witness saw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from heapyard._native.build import current_build
from heapyard.bench import GENERATED
from heapyard.trial import Plan
from pytests.engine.driver import launch

if TYPE_CHECKING:
    from pathlib import Path

RUNNER_PLANS = tuple(name.replace("-", "_") for name in GENERATED)
"""The generated plans by the runner's names for them."""


def library(name: str = "witness") -> str:
    """The path of one of the test's allocators."""
    path: Path = current_build().source.parent / "pytests" / "bench" / f"{name}.so"
    if not path.exists():
        pytest.skip("this build has no test libraries")
    return str(path)


@dataclass(frozen=True)
class Bench:
    """A benchmark that has ended."""

    answer: dict[str, Any]
    seen: dict[str, int]

    def __getattr__(self, name: str) -> int:
        return self.seen[name]


def bench(
    *options: str, plan: Plan | bytes | None = None, target: str = "witness", mode: str = ""
) -> Bench:
    """Run one in the runner; `plan` is packed, else the options say which is generated."""
    packed = plan.to_bytes() if isinstance(plan, Plan) else plan
    chosen = list(options) if plan is None else ["--bench", "plan", *options]
    run = launch(
        ["--library", library(target), *chosen],
        plan=packed,
        environment={"HEAPYARD_BENCH_WITNESS": mode},
    )
    said = re.findall(r"^(\w+)=(\d+)$", run.errors, re.MULTILINE)
    return Bench(run.result, {name: int(value) for name, value in said})


def generated(name: str, *options: str, live: int = 100, target: str = "witness") -> Bench:
    """One of the generated plans, gone through once."""
    return bench("--bench", name, "--live", str(live), "--pairs", "1", *options, target=target)
