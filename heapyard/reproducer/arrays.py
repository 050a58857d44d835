"""The long form: blocks in an array, runs of calls as loops, and else a table of steps."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from heapyard.reproducer.calls import WRITERS
from heapyard.reproducer.helpers import with_lock
from heapyard.reproducer.numbers import number
from heapyard.reproducer.tables import Tables
from heapyard.reproducer.writer import HUGE, Numbered, Site, Writer
from heapyard.trial.folding import Loop, Turning, fold

__all__ = ["Arrays"]

_MOST_WRITTEN = 60
"""Calls of a run without a table."""

_STRUCT = """\
/* The blocks: where, how large, and the number of what each is filled with. */
static struct block {
    void *at;
    size_t size;
    unsigned number;
} b[SLOTS];"""

_ENTER = """\
/* Block x is there from now on. */
static void enter(size_t x, void *at, size_t size)
{
    static NUMBER number;
<lock>    b[x] = (struct block){at, at != NULL ? size : 0, number++};
<unlock>}"""

_ALL_APART = """\
    for (size_t i = 0; i < sizeof b / sizeof b[0]; i++) {
        if (i != x) {
            apart(at, size, b[i].at, b[i].size);
        }
    }
"""

_LEAVE = """\
/* Block x is about to end; answers what it was. */
static struct block leave(size_t x)
{
<lock>    const struct block old = b[x];
    b[x] = (struct block){0};
<unlock>    return old;
}"""

_PUT_BACK = """\
static void put_back(size_t x, struct block old)
{
<lock>    b[x] = old;
<unlock>}"""


class _Array:
    """Blocks in an array b; what is live is seen when the program runs."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.uses: set[str] = set()
        """Of the functions that keep the array."""

    def _uses(self, name: str) -> str:
        self.uses.add(name)
        return name

    def fresh(self, slot: int | str) -> str:  # noqa: ARG002
        return self._writer.local("void *", "block")

    def pointer(self, slot: int | str) -> str:
        return f"b[{slot}].at"

    def value(self, slot: int | str | None) -> str:
        return "NULL" if slot is None else f"b[{slot}].at"

    def assign(self, slot: int | str) -> str:
        return self.fresh(slot)

    def size(self, slot: int | str) -> str:
        return f"b[{slot}].size"

    def entered(self, site: Site, size: str, block: str) -> None:
        self._say_entered(site.slot, block, size)

    def _say_entered(self, slot: int | str | None, block: str, size: str) -> None:
        """In one line with the call, where nothing stands between."""
        enter, lines = self._uses("enter"), self._writer.lines
        head = f"{block} = "
        if lines and lines[-1].lstrip().startswith(head):
            block = lines.pop().lstrip().removeprefix(head).removesuffix(";")
        self._writer.say(f"{enter}({slot}, {block}, {size});")

    def verify(self, slot: int | str) -> None:
        same = self._writer.helper("same")
        self._writer.say(f"{same}(b[{slot}].at, b[{slot}].size, b[{slot}].number);")

    def leaving(self, slot: int | str, *, returns: bool) -> str:
        leave = f"{self._uses('leave')}({slot})"
        if not returns:
            return f"{leave}.at"
        self._writer.local("struct block", "old")
        self._writer.say(f"old = {leave};")
        return "old.at"

    def verify_kept(self, slot: int | str, block: str, size: str) -> None:  # noqa: ARG002
        same, least = self._writer.helper("same"), self._writer.helper("least")
        self._writer.say(f"{same}({block}, {least}({size}, old.size), old.number);")

    def put_back(self, slot: int | str) -> None:
        self._writer.say(f"{self._uses('put_back')}({slot}, old);")

    def refill(self, slot: int | str, size: str | None) -> None:
        self._say_entered(slot, f"b[{slot}].at", f"b[{slot}].size" if size is None else size)

    def taken(self, slot: int | str) -> str:
        return f"{self._uses('leave')}({slot}).at"

    def every(self) -> list[int | str]:
        return ["x"]

    def may_be_live(self, slot: int | str) -> bool:  # noqa: ARG002
        return True


class Arrays:
    """A program in this form."""

    def __init__(self, writer: Writer, slots: int) -> None:
        self._writer = writer
        self._slots = max(1, slots)
        self._blocks = _Array(writer)
        self._tables = Tables(writer)
        writer.blocks = self._blocks

    def write(self, calls: Sequence[Numbered]) -> None:
        """A run of calls, one after the other."""
        folded = fold([call for _, call in calls])
        written = sum(len(item.body) if isinstance(item, Loop) else 1 for item in folded)
        if written > _MOST_WRITTEN:
            self._tables.write([call for _, call in calls])
            return
        for item in folded:
            if isinstance(item, Loop):
                _write_loop(self._writer, item)
            else:
                WRITERS[item.name](self._writer, Site.of(item, None))

    def copied(self) -> AbstractContextManager[None]:
        """What is written meanwhile is done to a copy of all blocks: as they are when it runs."""
        return nullcontext()

    def declarations(self) -> list[str]:
        """The array, the functions that keep it, and the tables, as C text."""
        tables = self._tables.declarations()
        uses = self._blocks.uses
        parts = [_STRUCT.replace("SLOTS", str(self._slots))]
        keeping = [self._enter()] if "enter" in uses else []
        keeping += [_LEAVE] if "leave" in uses else []
        keeping += [_PUT_BACK] if "put_back" in uses else []
        locks = self._locks()
        parts += [with_lock(text, locks=locks) for text in keeping]
        return [*parts, *tables]

    def _locks(self) -> bool:
        """Whether one thread looks at the blocks of others."""
        looks = self._writer.is_concurrent and "overlap" in self._writer.kinds
        if looks:
            self._writer.helper("lock")
        return looks

    def _enter(self) -> str:
        kind = "_Atomic unsigned" if self._writer.is_concurrent else "unsigned"
        text = _ENTER.replace("NUMBER", kind)
        if "overlap" in self._writer.kinds:
            text = text.replace("<lock>    b[x]", f"<lock>{_ALL_APART}    b[x]", 1)
            self._writer.helper("apart")
        if self._writer.fills:
            filled = self._filled()
            text = text.replace("<unlock>}", f"<unlock>{filled}}}")
        return text

    def _filled(self) -> str:
        fill = f"    {self._writer.helper('fill')}(b[x].at, b[x].size, b[x].number);\n"
        if not self._writer.spares_huge:
            return fill
        return f"    if (b[x].size <= {number(HUGE)}) {{\n    {fill}    }}\n"


def _write_loop(writer: Writer, loop: Loop) -> None:
    writer.open(f"for (size_t i = 0; i < {loop.times}; i++)")
    for turning in loop.body:
        WRITERS[turning.call.name](writer, _site_in_loop(turning))
    writer.close()


def _site_in_loop(turning: Turning) -> Site:
    call = turning.call
    slot = None if call.slot is None else _stepping(call.slot, turning.slot_step)
    known = turning.size_step == 0
    return Site(
        operation=call.operation,
        expect=call.expect,
        slot=slot,
        size=_stepping(call.size, turning.size_step),
        arg=number(call.arg or 0),
        known_size=call.size if known else None,
        known_arg=call.arg,
    )


def _stepping(first: int, step: int) -> str:
    if step == 0:
        return number(first)
    turn = "i" if abs(step) == 1 else f"i * {abs(step)}"
    if step < 0:
        return f"{number(first)} - {turn}"
    return turn if first == 0 else f"{turn} + {number(first)}"
