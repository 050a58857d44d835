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

__all__ = ["Counter", "Runner", "Watcher", "order_of", "run_bench"]

Runner = Callable[[BenchTarget, BenchPlan, bytes], Sample | Trouble]
Counter = Callable[[BenchTarget, BenchPlan, Settings], float | None]
"""Counts the instructions of a pair."""
Watcher = Callable[[str], None]
"""Is told of each run before it begins."""


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


def run_bench(  # noqa: PLR0913 - what differs between the command and a test
    targets: Sequence[BenchTarget],
    plans: Sequence[BenchPlan],
    settings: Settings,
    *,
    watch: Watcher | None = None,
    show: Callable[[PlanReport], None] | None = None,
    runner: Runner | None = None,
    counter: Counter | None = None,
) -> BenchReport:
    """Run every plan on every target, `settings.rounds` times, each in a fresh child.

    A target that comes to grief on a plan is not run on it again; that is its row. `show` is given
    each plan's report as soon as it is there.
    """

    def run_child_of(target: BenchTarget, plan: BenchPlan, packed: bytes) -> Sample | Trouble:
        return run_once(target.target, plan, settings, packed)

    work = _Work(targets, settings, runner or run_child_of, counter, watch)
    reports = []
    for plan in plans:
        reports.append(work.report_on(plan))
        if show is not None:
            show(reports[-1])
    return BenchReport(
        version=version(),
        machine=machine(),
        settings=settings,
        targets=tuple(targets),
        plans=tuple(reports),
    )


def order_of(targets: Sequence[BenchTarget], round_number: int) -> list[BenchTarget]:
    """The targets of one round: each round begins with another one."""
    start = round_number % len(targets)
    return [*targets[start:], *targets[:start]]


@dataclass(frozen=True)
class _Work:
    """What is done with each plan."""

    targets: Sequence[BenchTarget]
    settings: Settings
    runner: Runner
    counter: Counter | None
    watch: Watcher | None

    def report_on(self, plan: BenchPlan) -> PlanReport:
        rows = {target.name: _Collected() for target in self.targets}
        packed = plan.load()
        for number in range(self.settings.rounds):
            for target in order_of(self.targets, number):
                self._step(plan, target, f"round {number + 1} of {self.settings.rounds}")
                row = rows[target.name]
                if row.trouble is None:
                    row.add(self.runner(target, plan, packed))
        return PlanReport(
            name=plan.name,
            title=plan.describe(self.settings),
            rows=tuple(self._row(plan, target, rows[target.name]) for target in self.targets),
        )

    def _row(self, plan: BenchPlan, target: BenchTarget, row: _Collected) -> Row:
        if row.trouble is not None:
            return Row(target.name, (), row.trouble)
        count = None
        if self.counter is not None:
            self._step(plan, target, "instructions")
            count = self.counter(target, plan, self.settings)
        return Row(target.name, tuple(row.samples), None, count)

    def _step(self, plan: BenchPlan, target: BenchTarget, text: str) -> None:
        if self.watch is not None:
            self.watch(f"{plan.name} on {target.name}, {text}")


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
