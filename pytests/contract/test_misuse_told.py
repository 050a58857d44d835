"""HY-MISUSE: an allocator that promises to tell misuse does so: the process ends, and says why.

Who promises is bound: a target whose table has the flags HEAPYARD_TARGET_TELLS_..., and a library
that the user vouches for with `--tells`. Everybody else is graded only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.contract.grades import last_line, names_misuse
from heapyard.contract.misuse_plans import LARGE, SMALL_CLASSES, WILD, begin, neighbours
from heapyard.rules import MUST, Trial, rule
from heapyard.trial import Check

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard.trial import Plan, Slot

SOURCE = "heapyard/target.h(3): what a table declares"
TELLING = Check.MISUSE | Check.SELF_CHECK


def _tells(trial: Trial, plan: Plan, *, later: bool = False) -> None:
    """The plan ends at its misuse, with a message; or, where `later` counts, when it is asked."""
    if later:
        _ask(trial, plan)
    plan.untold()
    outcome = trial.run(plan)
    ended = outcome.status in ("crash", "exit")
    if (ended and names_misuse(outcome.stderr)) or outcome.kind == "self_check":
        return
    if ended:
        said = last_line(outcome) or "nothing"
        trial.fail(
            "a message that names the misuse",
            f"{outcome.seen}; it said: {said}",
            plan=plan,
            outcome=outcome,
        )
    trial.fail(outcome.expected, outcome.seen, plan=plan, outcome=outcome)


def _ask(trial: Trial, plan: Plan) -> None:
    for name, ask in (("trim", plan.trim), ("check", plan.self_check)):
        if trial.target.capabilities.has(name):
            ask()


def _freed(plan: Plan, size: int) -> Slot:
    """A stale pointer to a block that was freed among its neighbours."""
    block = neighbours(plan, size)[2]
    stale = plan.alias(block)
    plan.free(block)
    return stale


@rule("HY-MISUSE-17", level=MUST, source=SOURCE, needs={"free", "tells_bad_free"})
def test_double_free_is_told(trial: Trial) -> None:
    """A second free of a block ends the process with a message, at once or after other frees."""
    for size in (*SMALL_CLASSES, LARGE, 3 << 20):
        for between in (0, 1, 40):
            plan = begin(trial, TELLING)
            others = neighbours(plan, size, between)
            stale = _freed(plan, size)
            for other in others:
                plan.free(other)
            plan.free_stale(stale)
            _tells(trial, plan)


@rule("HY-MISUSE-18", level=MUST, source=SOURCE, needs={"free", "tells_bad_free"})
def test_foreign_pointer_is_told(trial: Trial) -> None:
    """free of what was never the allocator's ends the process with a message.

    A wild number, a variable, a page of mmap, a block of another allocator.
    """
    for address in WILD.values():
        plan = begin(trial, TELLING)
        neighbours(plan, 100)
        plan.free_address(address)
        _tells(trial, plan)
    for kind in ("static", "stack", "mapping", "other"):
        plan = begin(trial, TELLING)
        neighbours(plan, 100)
        plan.free_at(plan.foreign(kind, 256))
        _tells(trial, plan)


@rule("HY-MISUSE-19", level=MUST, source=SOURCE, needs={"free", "tells_bad_free"})
def test_pointer_into_a_block_is_told(trial: Trial) -> None:
    """free of a pointer into a live block ends the process with a message, aligned or not."""
    for size in (104, 1000, LARGE, 3 << 20):
        for offset in (1, 8, 16, 64):
            plan = begin(trial, TELLING)
            plan.free_at(neighbours(plan, size)[2], offset)
            _tells(trial, plan)


@rule("HY-MISUSE-20", level=MUST, source=SOURCE, needs={"free", "realloc", "tells_bad_free"})
def test_realloc_of_a_freed_block_is_told(trial: Trial) -> None:
    """realloc of a freed block ends the process with a message, growing or shrinking."""
    for size in (*SMALL_CLASSES, LARGE, 3 << 20):
        for asked in (size // 2, 2 * size):
            plan = begin(trial, TELLING)
            plan.realloc_stale(_freed(plan, size), asked)
            _tells(trial, plan)


def _beside(trial: Trial, write: Callable[[Plan, Slot, int], None]) -> None:
    for size in (24, 104, 1000, 4000):
        for count in (1, 8, 16):
            plan = begin(trial, TELLING)
            blocks = neighbours(plan, size)
            write(plan, blocks[2], count)
            for block in (blocks[2], blocks[3]):
                plan.free(block)
            _tells(trial, plan, later=True)


@rule("HY-MISUSE-21", level=MUST, source=SOURCE, needs={"free", "tells_bad_write"})
def test_overflow_is_told(trial: Trial) -> None:
    """Bytes written behind a block end the process with a message, at its free or a check."""
    _beside(trial, lambda plan, slot, count: plan.write_past(slot, count))


@rule("HY-MISUSE-22", level=MUST, source=SOURCE, needs={"free", "tells_bad_write"})
def test_underflow_is_told(trial: Trial) -> None:
    """Bytes written in front of a block end the process with a message, at its free or a check."""
    _beside(trial, lambda plan, slot, count: plan.write_at(slot, -count, count))


@rule("HY-MISUSE-23", level=MUST, source=SOURCE, needs={"free", "tells_bad_write"})
def test_write_after_free_is_told(trial: Trial) -> None:
    """A write into a freed block ends the process with a message, by the next use or a check."""
    for size in (24, 104, 1000):
        plan = begin(trial, TELLING)
        plan.write_stale(_freed(plan, size), 16)
        neighbours(plan, size, 40)
        _tells(trial, plan, later=True)


@rule("HY-MISUSE-24", level=MUST, source=SOURCE, needs={"free", "free_sized", "tells_wrong_size"})
def test_wrong_size_is_told(trial: Trial) -> None:
    """A sized free with a size of another class ends the process with a message.

    At once, or at the latest when trim or check is asked.
    """
    for size in (24, 104, 1000, LARGE):
        for told in (size // 4, 8 * size):
            plan = begin(trial, TELLING)
            plan.free_sized(neighbours(plan, size)[2], told)
            _tells(trial, plan, later=True)
