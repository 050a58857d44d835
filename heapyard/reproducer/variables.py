"""The short form: one variable a block, the calls one after the other."""

import re
from dataclasses import dataclass

from heapyard.reproducer.calls import WRITERS, write_end_of_round
from heapyard.reproducer.writer import Site, Writer
from heapyard.trial.operations import Call, Expect

__all__ = ["fits_in_variables", "write_with_variables"]

_MOST_CALLS = 40
_MOST_SLOTS = 12


@dataclass
class _Block:
    size: str
    number: int


class _Variables:
    """Blocks in variables p0, p1...; where each is, how large, and filled with what, is known."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._declared: set[int | str] = set()
        self._live: dict[int | str, _Block] = {}
        self._fills = 0

    def pointer(self, slot: int | str) -> str:
        return f"p{slot}"

    def value(self, slot: int | str | None) -> str:
        return "NULL" if slot is None or slot not in self._declared else f"p{slot}"

    def assign(self, slot: int | str) -> str:
        if slot in self._declared:
            return f"p{slot}"
        self._declared.add(slot)
        return f"void *p{slot}"

    def size(self, slot: int | str) -> str:
        return self._live[slot].size

    def entered(self, site: Site, size: str, *, moved: bool) -> None:  # noqa: ARG002
        slot = site.slot
        assert slot is not None
        if self._writer.wants("overlap", site):
            for other, block in self._live.items():
                if other != slot:
                    apart = self._writer.helper("apart")
                    self._writer.say(f"{apart}(p{slot}, {size}, p{other}, {block.size});")
        self._live[slot] = _Block(size, self._fills)
        is_last = self._writer.failure.is_known and site.index == self._writer.failure.op
        if not is_last:
            self._fill(slot, self._fills)
        self._fills += 1

    def _fill(self, slot: int | str, number: int) -> None:
        block = self._live[slot]
        block.number = number
        if self._writer.fills and block.size != "0":
            fill = self._writer.helper("fill")
            self._writer.say(f"{fill}(p{slot}, {block.size}, {number});")

    def verify(self, slot: int | str) -> None:
        self.verify_kept(slot, f"p{slot}", self._live[slot].size)

    def verify_kept(self, slot: int | str, block: str, size: str) -> None:
        mine = self._live[slot]
        shown = size if size == mine.size else _least(self._writer, size, mine.size)
        if shown != "0":
            self._writer.say(f"{self._writer.helper('same')}({block}, {shown}, {mine.number});")

    def refill(self, slot: int | str, size: str | None) -> None:
        if size is not None:
            kept = f"n{slot}"
            self._writer.local("size_t", kept)
            self._writer.say(f"{kept} = {size};")
            self._live[slot].size = kept
        self._fill(slot, self._fills)
        self._fills += 1

    def taken(self, slot: int | str) -> str:
        self._live.pop(slot, None)
        return self.value(slot)

    def every(self) -> list[int | str]:
        return sorted(self._live, key=int)

    def may_be_live(self, slot: int | str) -> bool:
        return slot in self._live


def _least(writer: Writer, one: str, other: str) -> str:
    if one.isdigit() and other.isdigit():
        return str(min(int(one), int(other)))
    return f"{writer.helper('least')}({one}, {other})"


def fits_in_variables(calls: tuple[Call, ...], *, repeat: int) -> bool:
    """Whether this form is short, and all that it must know of a block is known beforehand."""
    slots = {call.slot for call in calls if call.slot is not None and not call.operation.points}
    return (
        repeat == 1
        and len(calls) <= _MOST_CALLS
        and len(slots) <= _MOST_SLOTS
        and all(_is_certain(call) for call in calls)
    )


def _is_certain(call: Call) -> bool:
    """Not a realloc that may fail, or free: what is in the slot after it is seen at run time.

    Nor one for many calls: their slots are elements of an array.
    """
    if call.operation.many:
        return False
    frees = call.operation.resizes and call.size * (1 if call.arg is None else call.arg) == 0
    return not call.operation.resizes or not (call.expect & Expect.EITHER or frees)


def _unnamed(lines: list[str]) -> list[str]:
    """Without the variables that are never looked at again."""
    text = "\n".join(lines)
    return [
        re.sub(r"void \*p[0-9]+ = (?!NULL)", "(void)", line)
        if (found := re.search(r"void \*(p[0-9]+) = ", line))
        and len(re.findall(rf"\b{found[1]}\b", text)) == 1
        else line
        for line in lines
    ]


def write_with_variables(writer: Writer, calls: tuple[Call, ...]) -> None:
    """Write the calls, one after the other."""
    writer.blocks = _Variables(writer)
    failure = writer.failure
    for index, call in enumerate(calls):
        is_it = index == failure.op and bool(failure.status)
        if is_it:
            writer.say("/* Here: */")
        WRITERS[call.name](writer, Site.of(call, index))
    if failure.op is None or not failure.status:
        end = Site.of(Call(19), None)
        write_end_of_round(writer, end)
    writer.lines = _unnamed(writer.lines)
