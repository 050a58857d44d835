"""HY-LIFE: what is the process's and not the heap's: open files, blocked and handled signals.

Looked at between calls, so that the step after which something had changed is told.
"""

from collections.abc import Iterator

from heapyard.contract.crews import batch, free_batch
from heapyard.contract.grids import KIB, MIB, TOO_LARGE, entry_paths
from heapyard.contract.mixes import APART
from heapyard.rules import SHOULD, Trial, rule
from heapyard.trial import Plan

ROOM = (1, 24, 700, 5000, 40 * KIB, 300 * KIB, 2 * MIB)
"""One block from each way that allocators keep blocks."""

MOST_OPENED = 4
"""Descriptors that an allocator may keep: /dev/urandom, a log, what it reads of /proc."""


@rule(
    "HY-LIFE-11",
    level=SHOULD,
    source="POSIX.1-2017 XSH 2.14: descriptors are a program's own; it counts on their numbers",
    needs={"free"},
)
def test_open_files_are_left_alone(trial: Trial) -> None:
    """Calls close no file of the program, and leave at most four more open.

    By every entry point, where requests are served and where they fail, while the heap grows by
    130 MiB and shrinks again.
    """
    plan, steps = _life(trial, "open_files")
    first, *figures = trial.holds(plan).values("open_files")
    for step, now in zip(steps, figures, strict=True):
        if not first <= now <= first + MOST_OPENED:
            trial.fail(
                f"{first} to {first + MOST_OPENED} open files", f"{now} after {step}", plan=plan
            )


@rule(
    "HY-LIFE-12",
    level=SHOULD,
    source="POSIX.1-2017 XSH 2.4: mask and handlers are set by the functions that are there for it",
    needs={"free"},
)
def test_signals_are_left_alone(trial: Trial) -> None:
    """Calls leave blocked signals blocked, others free, and no handler of their own behind.

    By every entry point, where requests are served and where they fail. A thread that is left with
    its signals blocked can't be interrupted, nor can the programs that it starts. Handlers that the
    library's constructor set count as there before.
    """
    for figure, what in (("blocked_signals", "blocked"), ("handled_signals", "handled")):
        plan, steps = _life(trial, figure)
        first, *figures = trial.holds(plan).values(figure)
        for step, now in zip(steps, figures, strict=True):
            if now != first:
                trial.fail(f"{first} {what} signals, as before", f"{now} after {step}", plan=plan)


def _life(trial: Trial, figure: str) -> tuple[Plan, list[str]]:
    """A plan that measures before its first step and after each, and what the steps are."""
    plan = trial.plan(APART)
    plan.measure(figure)
    steps = []
    for step in _steps(trial, plan):
        plan.measure(figure)
        steps.append(step)
    return plan, steps


def _steps(trial: Trial, plan: Plan) -> Iterator[str]:
    for path in entry_paths(trial):
        for size in ROOM:
            block = path.ask(plan, size, may_fail=True)
            yield f"{path.name} of {size:,} bytes"
            plan.free(block)
            yield f"free of {size:,} bytes of {path.name}"
        path.ask(plan, TOO_LARGE[-1], may_fail=True)
        yield f"{path.name} of {TOO_LARGE[-1]:,} bytes, which can't be served"
    for size, count in ((100, 3000), (MIB, 130)):
        blocks = batch(plan, [size] * count)
        yield f"{count:,} calls of malloc({size:,})"
        free_batch(plan, blocks)
        yield f"{count:,} calls of free"
