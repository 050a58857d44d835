"""Plans for rules about memory that runs out: a piece of work, and failures at each point of it.

The work asks for blocks by every entry point, from size classes to mappings, and grows one block
over all of them. How many system calls it makes is counted first, in a process of its own; then
each of them is made to fail, in as many processes.
"""

from collections.abc import Callable, Iterator
from errno import ENOMEM

from heapyard.contract.grids import KIB, MIB, entry_paths
from heapyard.rules import Trial
from heapyard.trial import Check, OsCalls, Plan

__all__ = ["ANSWERS", "GROWTH", "PLACES", "Work", "failures", "grow", "reached", "request"]

ANSWERS = Check.ERRNO | Check.RETURN_CODE | Check.MEMPTR
"""What a call that fails says, and leaves alone."""

PLACES = Check.OVERLAP | Check.MAPPED | Check.CONTENT
"""That blocks are whole, and stay as they are."""

SIZES = (24, 40 * KIB, 600 * KIB)
GROWTH = (2000, 30 * KIB, 200 * KIB, MIB, 3 * MIB)

Work = Callable[[Trial, Plan, bool], None]
"""Adds calls to a plan; told whether they may fail."""

MOST_FAILURES = 100
"""Of more system calls than that, the first half of them fail in turn, then each n-th."""


def request(trial: Trial, plan: Plan, may_fail: bool) -> None:
    """Blocks of each size by each entry point, then enough small ones to need more memory."""
    for size in SIZES:
        for path in entry_paths(trial):
            path.ask(plan, size, may_fail=may_fail, fails=_errno(trial, may_fail))
    for _ in range(40):
        plan.malloc(30_000, may_fail=may_fail, fails=_errno(trial, may_fail))


def grow(trial: Trial, plan: Plan, may_fail: bool) -> None:
    """One block that realloc grows from a size class to a large mapping."""
    block = plan.malloc(24, may_fail=may_fail, fails=_errno(trial, may_fail))
    for size in GROWTH:
        plan.realloc(block, size, may_fail=may_fail, fails=_errno(trial, may_fail))
    plan.check(block)


def _errno(trial: Trial, may_fail: bool) -> int | None:
    """How a call says that it failed, where it says so."""
    return ENOMEM if may_fail and trial.target.capabilities.has("errno") else None


def reached(trial: Trial, plan: Plan) -> int:
    """How many system calls were counted in a plan that ends with that figure."""
    plan.measure("os_calls")
    return trial.holds(plan).values("os_calls")[-1]


def failures(trial: Trial, kinds: OsCalls, prepare: Work, work: Work) -> Iterator[int]:
    """Which system calls of these kinds the work makes, from 1: all of them, of many some."""
    plan = trial.plan(Check.NONE)
    prepare(trial, plan, False)
    plan.count_os(kinds)
    work(trial, plan, False)
    count = reached(trial, plan)
    half = MOST_FAILURES // 2
    yield from range(1, min(count, half) + 1)
    yield from range(half + 1, count + 1, -(-max(1, count - half) // half))
