"""The short form: one variable a block, the calls one after the other."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from heapyard.reproducer.calls import WRITERS
from heapyard.reproducer.writer import HUGE, Numbered, Site, Writer
from heapyard.trial.operations import Call, Expect
from heapyard.trial.plan import Plan

__all__ = ["Variables", "fits_in_variables", "without_names"]

_MOST_CALLS = 40
_MOST_SLOTS = 12
_MOST_TURNS = 5
"""Of threads: with more, functions are alike in the long form."""
_MOST_TURNS = 5
"""Of threads: with more, functions are alike in the long form."""


@dataclass
class _Block:
    size: str
    number: int
    is_huge: bool = False
    """Too large to be filled."""


class _Variables:
    """Blocks in variables p0, p1...; where each is, how large, and filled with what, is known."""

    def __init__(self, writer: Writer, *, shared: bool) -> None:
        self._writer = writer
        self._shared = shared
        self.declared: dict[int | str, None] = {}
        self.live: dict[int | str, _Block] = {}
        self._fills = 0

    def fresh(self, slot: int | str) -> str:
        return f"p{slot}"

    def pointer(self, slot: int | str) -> str:
        return f"p{slot}"

    def value(self, slot: int | str | None) -> str:
        return "NULL" if slot is None or slot not in self.live else f"p{slot}"

    def assign(self, slot: int | str) -> str:
        is_known = slot in self.declared or self._shared
        self.declared[slot] = None
        return f"p{slot}" if is_known else f"void *p{slot}"

    def size(self, slot: int | str) -> str:
        return self.live[slot].size

    def entered(self, site: Site, size: str, block: str) -> None:  # noqa: ARG002
        slot = site.slot
        assert slot is not None
        if self._writer.wants("overlap", site):
            for other, live in self.live.items():
                if other != slot:
                    apart = self._writer.helper("apart")
                    self._writer.say(f"{apart}(p{slot}, {size}, p{other}, {live.size});")
        is_huge = self._writer.spares_huge and (site.known_total or 0) > HUGE
        self.live[slot] = _Block(size, self._fills, is_huge)
        is_last = self._writer.failure.is_known and site.index == self._writer.failure.op
        if not is_last:
            self._fill(slot, self._fills)
        self._fills += 1

    def _fill(self, slot: int | str, number: int) -> None:
        block = self.live[slot]
        block.number = number
        if self._writer.fills and block.size != "0" and not block.is_huge:
            fill = self._writer.helper("fill")
            self._writer.say(f"{fill}(p{slot}, {block.size}, {number});")

    def verify(self, slot: int | str) -> None:
        self.verify_kept(slot, f"p{slot}", self.live[slot].size)

    def leaving(self, slot: int | str, *, returns: bool) -> str:  # noqa: ARG002
        return self.value(slot)

    def put_back(self, slot: int | str) -> None:
        """A variable holds what it held."""

    def verify_kept(self, slot: int | str, block: str, size: str) -> None:
        mine = self.live[slot]
        shown = size if size == mine.size else _least(self._writer, size, mine.size)
        if shown != "0":
            self._writer.say(f"{self._writer.helper('same')}({block}, {shown}, {mine.number});")

    def refill(self, slot: int | str, size: str | None) -> None:
        if size is not None:
            kept = f"n{slot}"
            self._writer.local("size_t", kept)
            self._writer.say(f"{kept} = {size};")
            self.live[slot].size = kept
        self._fill(slot, self._fills)
        self._fills += 1

    def taken(self, slot: int | str) -> str:
        block = self.value(slot)
        self.live.pop(slot, None)
        return block

    def every(self) -> list[int | str]:
        return sorted(self.live, key=int)

    def may_be_live(self, slot: int | str) -> bool:
        return slot in self.live


def _least(writer: Writer, one: str, other: str) -> str:
    if one.isdigit() and other.isdigit():
        return str(min(int(one), int(other)))
    return f"{writer.helper('least')}({one}, {other})"


class Variables:
    """A program in this form; `shared`: by several functions."""

    def __init__(self, writer: Writer, *, shared: bool) -> None:
        self._writer = writer
        self._shared = shared
        self._blocks = _Variables(writer, shared=shared)
        writer.blocks = self._blocks

    def write(self, calls: Sequence[Numbered]) -> None:
        """A run of calls, one after the other."""
        failure = self._writer.failure
        for index, call in calls:
            if index is not None and index == failure.op and failure.status:
                self._writer.say("/* Here: */")
            WRITERS[call.name](self._writer, Site.of(call, index))

    @contextmanager
    def copied(self) -> Iterator[None]:
        """What is written meanwhile is done to a copy of all blocks."""
        kept = {slot: replace(block) for slot, block in self._blocks.live.items()}
        yield
        self._blocks.live = kept

    def declarations(self) -> list[str]:
        """The variables that functions share, as C text."""
        slots = sorted(self._blocks.declared, key=int)
        if not self._shared or not slots:
            return []
        return [f"static void {', '.join(f'*p{slot}' for slot in slots)};"]


def fits_in_variables(plan: Plan) -> bool:
    """Whether this form is short, and all that it must know of a block is known beforehand."""
    calls = plan.calls
    slots = {call.slot for call in calls if call.slot is not None and not call.operation.points}
    return (
        plan.header.repeat == 1
        and len(calls) <= _MOST_CALLS
        and len(slots) <= _MOST_SLOTS
        and sum(call.name == "on_thread" for call in calls) <= _MOST_TURNS
        and all(_is_certain(call) for call in calls)
    )


def _is_certain(call: Call) -> bool:
    """Not a realloc that may fail, or free: what is in the slot after it is seen at run time.

    Nor calls of which there are many, as one or at the same time: they need an array.
    """
    if call.operation.many or call.name == "parallel":
        return False
    frees = call.operation.resizes and call.size * (1 if call.arg is None else call.arg) == 0
    return not call.operation.resizes or not (call.expect & Expect.EITHER or frees)


def without_names(lines: list[str]) -> list[str]:
    """The same lines, without the variables that are never looked at again."""
    text = "\n".join(lines)
    return [
        re.sub(r"void \*p[0-9]+ = (?!NULL)", "(void)", line)
        if (found := re.search(r"void \*(p[0-9]+) = ", line))
        and len(re.findall(rf"\b{found[1]}\b", text)) == 1
        else line
        for line in lines
    ]
