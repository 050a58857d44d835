"""How many instructions a pair of calls takes, by valgrind's callgrind: slow, but without noise.

The difference of two runs, once and twice through the plan: starting and ending are in both.
"""

import re
import shutil
from dataclasses import dataclass, replace

from heapyard.bench.plans import BenchPlan
from heapyard.bench.settings import Settings
from heapyard.bench.single import read_answer
from heapyard.bench.targets import BenchTarget
from heapyard.errors import HeapyardError
from heapyard.trial.child import Descriptors, Limits, run_child

__all__ = ["find_valgrind", "instructions_of"]

_OPTIONS = ("--tool=callgrind", "--callgrind-out-file=/dev/null")
_LIMITS = Limits(seconds=1200, memory=1 << 40)


def find_valgrind() -> str:
    """Its path. Raises HeapyardError where it is not installed."""
    path = shutil.which("valgrind")
    if path is None:
        raise HeapyardError("no valgrind here: install it, or leave --instructions out")
    return path


def instructions_of(target: BenchTarget, plan: BenchPlan, settings: Settings) -> float | None:
    """Of a malloc, a write and a free, with the loop; None where they can't be counted."""
    if plan.path is not None or target.typed.startswith("python:"):
        return None
    once = _count(target, plan, replace(settings, pairs=1))
    if once is None:
        return None
    twice = _count(target, plan, replace(settings, pairs=once.operations))
    if twice is None or twice.calls <= once.calls:
        return None
    return 2 * (twice.instructions - once.instructions) / (twice.calls - once.calls)


@dataclass(frozen=True)
class _Counted:
    """One run under callgrind."""

    instructions: int
    calls: int
    operations: int


def _count(target: BenchTarget, plan: BenchPlan, settings: Settings) -> _Counted | None:
    valgrind = [find_valgrind(), *_OPTIONS, *target.target.program]

    def command(files: Descriptors) -> list[str]:
        chosen = plan.arguments(settings, files.plan)
        return [*valgrind, *chosen, "--result", str(files.result)]

    ended = run_child(command, target.target.environment, limits=_LIMITS)
    answer = read_answer(ended)
    found = re.search(rb"Collected : (\d+)", ended.stderr)
    if found is None or answer is None or answer["status"] != "done":
        return None
    return _Counted(int(found[1]), answer["calls"], answer["operations"])
