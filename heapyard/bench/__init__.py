"""Benchmarks: how fast allocators are and how much memory they take, side by side.

targets = find_targets(["libc", "libmimalloc.so.2"])
report = run_bench(targets, [find_plan("churn")], Settings(rounds=5))
"""

from heapyard.bench.figures import Spread
from heapyard.bench.instructions import find_valgrind, instructions_of
from heapyard.bench.plans import GENERATED, BenchPlan, find_plan
from heapyard.bench.result import BenchReport, PlanReport, Row
from heapyard.bench.run import run_bench
from heapyard.bench.settings import Settings
from heapyard.bench.single import Sample, Trouble, run_once
from heapyard.bench.targets import BASELINES, FLOOR, BenchTarget, find_targets

__all__ = [
    "BASELINES",
    "FLOOR",
    "GENERATED",
    "BenchPlan",
    "BenchReport",
    "BenchTarget",
    "PlanReport",
    "Row",
    "Sample",
    "Settings",
    "Spread",
    "Trouble",
    "find_plan",
    "find_targets",
    "find_valgrind",
    "instructions_of",
    "run_bench",
    "run_once",
]
