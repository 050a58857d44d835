"""The calls of a plan that make memory short, count what a call costs, or make many blocks.

`Plan` inherits them. What they set ends with `end_fail`, `end_cost` or `lift_space`, and at the
latest with the round, before its last blocks are freed.
"""

from abc import abstractmethod
from typing import Literal

from heapyard.trial.header import SIZE_MAX, PlanError
from heapyard.trial.operations import COSTS, Call, Expect, OsCalls
from heapyard.trial.slots import Slot, Slots

__all__ = ["PressureCalls"]


class PressureCalls:
    """What `Plan` gets from here."""

    _owners: list[int | None]

    @abstractmethod
    def _add(
        self,
        name: str,
        slot: int | None = None,
        size: int = 0,
        arg: int | None = None,
        expect: int = 0,
    ) -> Call:
        """Add one call."""

    @abstractmethod
    def _vacate(self, index: int) -> None:
        """A slot is empty again."""

    # --- memory that is short ---

    def fail_os(self, kinds: OsCalls, nth: int = 1, *, onward: bool = False) -> None:
        """Let the nth system call of these kinds from now on fail with ENOMEM.

        `onward`: all of them after it too. The engine's own calls neither count nor fail.
        """
        if nth < 1:
            raise PlanError(f"Invalid nth={nth}: must be at least 1")
        self._add("fail_os", size=nth, arg=_kinds(kinds) | (OsCalls.ONWARD if onward else 0))

    def end_fail(self) -> None:
        """Let no system call fail any more."""
        self._add("end_fail")

    def count_os(self, kinds: OsCalls = OsCalls.EVERY) -> None:
        """Count system calls of these kinds from 0, for the figure `os_calls`."""
        self._add("count_os", arg=_kinds(kinds))

    def limit_space(self, size: int) -> None:
        """Let at most `size` bytes of address space be mapped from now on (RLIMIT_AS)."""
        self._add("limit_space", size=size)

    def lift_space(self) -> None:
        """Take the limit of `limit_space` away."""
        self._add("limit_space", size=SIZE_MAX)

    # --- cost ---

    def count_cost(self, unit: Literal["instructions", "nanoseconds"] = "instructions") -> None:
        """Count what each call costs from now on, for the figures `cost_median`, ..."""
        self._add("count_cost", size=COSTS.index(unit))

    def end_cost(self) -> None:
        """Count no more."""
        self._add("end_cost")

    # --- many blocks ---

    def malloc_many(self, count: int, size: int, *, may_fail: bool = False) -> Slots:
        """Call malloc(size) `count` times; with `may_fail`, some may fail, with ENOMEM."""
        expect = _MAY_FAIL if may_fail else 0
        if count < 1:
            raise PlanError(f"Invalid count={count}: must be at least 1")
        first = len(self._owners)
        call_number = self._serial()
        self._add("malloc_many", first, size, count, expect)
        self._owners.extend([call_number] * count)
        return Slots(first, count, call_number)

    def free_many(self, blocks: Slots, *, step: int = 1, start: int = 0) -> None:
        """Free the block number `start`, and each step-th after it."""
        numbers = range(start, len(blocks), max(step, 1))
        if step < 1 or not numbers:
            raise PlanError(f"Invalid start={start}, step={step}: no block of {len(blocks)} is it")
        wrong = next((n for n in numbers if not self._is_owner(blocks[n])), None)
        if wrong is not None:
            raise PlanError(f"Block {wrong} of {len(blocks)} holds no block any more: it was freed")
        self._add("free_many", blocks.first + start, step, len(numbers))
        for number in numbers:
            self._vacate(blocks.first + number)

    @abstractmethod
    def _serial(self) -> int:
        """The number of the next call."""

    def _is_owner(self, slot: Slot) -> bool:
        return self._owners[slot.index] == slot.serial


_MAY_FAIL = (Expect.EITHER | Expect.ENOMEM).value


def _kinds(kinds: OsCalls) -> int:
    if not kinds & OsCalls.EVERY or kinds & ~OsCalls.EVERY:
        raise PlanError(f"Invalid kinds={kinds.value:#x}: must be some of OsCalls.EVERY")
    return kinds.value
