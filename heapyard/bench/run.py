"""All plans on all targets, in turn."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heapyard._version import version
from heapyard.bench.plans import BenchPlan
from heapyard.bench.result import BenchReport, PlanReport, Row
from heapyard.bench.settings import Settings
from heapyard.bench.single import Sample, Trouble, run_once
from heapyard.bench.targets import BenchTarget

__all__ = ["Runner", "Watcher", "order_of", "run_bench"]

Runner = Callable[[BenchTarget, BenchPlan, bytes], Sample | Trouble]
Watcher = Callable[[str, str, int], None]
"""Is told of each run before it begins: plan, target, round."""


@dataclass
class _Collected:
    """A row while it grows."""

    samples: list[Sample] = field(default_factory=list)
    trouble: Trouble | None = None

    def add(self, result: Sample | Trouble) -> None:
        if isinstance(result, Trouble):
            self.trouble = result
        else:
            self.samples.append(result)


def run_bench(
    targets: Sequence[BenchTarget],
    plans: Sequence[BenchPlan],
    settings: Settings,
    *,
    watch: Watcher | None = None,
    runner: Runner | None = None,
) -> BenchReport:
    """Run every plan on every target, `settings.rounds` times, each in a fresh child.

    A target that comes to grief on a plan is not run on it again; that is its row.
    """

    def run_child_of(target: BenchTarget, plan: BenchPlan, packed: bytes) -> Sample | Trouble:
        return run_once(target.target, plan, settings, packed)

    return BenchReport(
        version=version(),
        machine=machine(),
        settings=settings,
        targets=tuple(targets),
        plans=tuple(
            _run_plan(targets, plan, settings, runner or run_child_of, watch) for plan in plans
        ),
    )


def order_of(targets: Sequence[BenchTarget], round_number: int) -> list[BenchTarget]:
    """The targets of one round: each round begins with another one."""
    start = round_number % len(targets)
    return [*targets[start:], *targets[:start]]


def _run_plan(
    targets: Sequence[BenchTarget],
    plan: BenchPlan,
    settings: Settings,
    runner: Runner,
    watch: Watcher | None,
) -> PlanReport:
    rows = {target.name: _Collected() for target in targets}
    packed = plan.load()
    for number in range(settings.rounds):
        for target in order_of(targets, number):
            row = rows[target.name]
            if watch is not None:
                watch(plan.name, target.name, number)
            if row.trouble is None:
                row.add(runner(target, plan, packed))
    return PlanReport(
        name=plan.name,
        title=plan.describe(settings),
        rows=tuple(
            Row(name, () if row.trouble else tuple(row.samples), row.trouble)
            for name, row in rows.items()
        ),
    )


def machine() -> str:
    """The processor, and how many of it there are."""
    count = os.cpu_count() or 1
    for line in _cpuinfo():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return f"{value.strip()}, {count} processors"
    return f"{count} processors"


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
