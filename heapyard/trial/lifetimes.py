"""A plan's calls tied to the blocks that they are about, so that any of them can be left out.

Slot numbers are used again and again; what a call means is a *life*: one block, from the call that
made it to the one that ended it. In this form calls can be dropped or changed freely:
`written` drops the uses of a block that nobody makes any more, numbers the slots afresh and keeps
sized frees true to what was asked for. What a forked child does to a block is not done to the
parent's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from heapyard.trial.header import SIZE_MAX
from heapyard.trial.operations import BY_NAME, EARLY_SIZES, Call, Expect

__all__ = ["Step", "steps_of", "written"]

_SIZED = {BY_NAME["free_sized"].code, BY_NAME["free_aligned_sized"].code}
_FREE_ALL = BY_NAME["free_all"].code
_FORK = BY_NAME["fork"].code
_END = BY_NAME["end_section"].code
_FAILURE = Expect.FAILURE.value
_EARLY = BY_NAME["early"].code
_PLAIN = {BY_NAME[name].code for name in ("free", "check", "write", "forget", "fill_usable")}
"""Calls on one block that say nothing of its size."""


@dataclass(frozen=True)
class Step:
    """One call, and the life that its slot stands for."""

    call: Call
    life: int | None = None
    """Numbered from 0 in the order of birth; None: no block (no slot, or an empty one)."""
    births: bool = False
    """Whether this call makes the life."""
    true_size: bool = False
    """A sized free that passes what was asked for."""
    other: int | None = None
    """The life that a second slot of the call stands for."""

    def with_call(self, call: Call) -> "Step":
        """The same step with another call."""
        return replace(self, call=call)


class Sections:
    """The sections that are open, and what a parent goes on with after its child's."""

    def __init__(self) -> None:
        self._open: list[list[dict[int, Any]] | None] = []

    def pass_by(self, call: Call, *states: dict[int, Any]) -> None:
        """Keep the states where a fork opens; set them back where it ends."""
        if call.operation.opens:
            self._open.append([dict(state) for state in states] if call.code == _FORK else None)
        elif call.code == _END and self._open:
            for state, kept in zip(states, self._open.pop() or (), strict=False):
                state.clear()
                state.update(kept)


class _Tracker:
    """Which life each slot holds, and what it was last asked with."""

    def __init__(self) -> None:
        self.lives = 0
        self.owner: dict[int, int] = {}
        self.asked: dict[int, tuple[int, int | None]] = {}
        self._sections = Sections()
        self.pointers: set[int] = set()

    def step(self, call: Call) -> Step:
        self._sections.pass_by(call, self.owner, self.asked)
        operation, slot = call.operation, call.slot
        births = operation.fills or (operation.resizes and slot not in self.owner)
        other = self.owner.get(call.size) if operation.has_other else None
        if slot is not None and births:
            self.owner[slot] = self.lives
            self.lives += 1
        life = None if slot is None else self.owner.get(slot)
        if life is not None:
            note_asked(self.asked, life, call)
        true_size = (
            call.code in _SIZED and life is not None and call == _truthful(call, self.asked[life])
        )
        if slot is not None and operation.ends:
            self.owner.pop(slot, None)
        if operation.points and life is not None:
            self.pointers.add(life)
        if call.code == _FREE_ALL:
            self.owner = {s: each for s, each in self.owner.items() if each in self.pointers}
        return Step(call, life, births, true_size, other)


def steps_of(calls: Iterable[Call]) -> list[Step]:
    """The calls with their lives."""
    tracker = _Tracker()
    return [tracker.step(call) for call in calls]


def note_asked(asked: dict[int, tuple[int, int | None]], life: int, call: Call) -> None:
    """Remember size and alignment of a call that gave the life its present block."""
    if call.code == _EARLY:
        asked[life] = EARLY_SIZES[call.size], None
    if not call.operation.allocates or (call.expect & _FAILURE and life in asked):
        return
    if "count" in call.operation.fields:
        asked[life] = (call.size * (call.arg or 0)) & SIZE_MAX, None
    else:
        asked[life] = call.size, call.arg


def _truthful(call: Call, asked: tuple[int, int | None]) -> Call:
    size, alignment = asked
    return call._replace(size=size, arg=call.arg if call.arg is None else alignment)


def written(steps: Sequence[Step]) -> list[Call]:
    """The calls of these steps, made valid; each life has a slot of its own."""
    slots: dict[int, int] = {}
    asked: dict[int, tuple[int, int | None]] = {}
    calls: list[Call] = []
    sections = Sections()
    for step in steps:
        sections.pass_by(step.call, asked)
        call = _numbered(step, slots, asked)
        if call is not None:
            calls.append(call)
    return calls


def _numbered(
    step: Step, slots: dict[int, int], asked: dict[int, tuple[int, int | None]]
) -> Call | None:
    """The step's call with the slots that its lives have now; None: it is about none."""
    call = step.call
    if call.code in _PLAIN and step.life in slots:
        slot = slots[step.life]
        return call if call.slot == slot else call._replace(slot=slot)
    if call.operation.has_other:
        if step.other not in slots:
            return None
        call = call._replace(size=slots[step.other])
    if step.life is None:
        needs_one = call.slot is not None and call.operation.fields[0] == "slot"
        return None if needs_one else call._replace(slot=None)
    if step.births:
        slots[step.life] = len(slots)
    if step.life not in slots:
        return None
    slot = slots[step.life]
    call = call if call.slot == slot else call._replace(slot=slot)
    note_asked(asked, step.life, call)
    return _truthful(call, asked[step.life]) if step.true_size else call
