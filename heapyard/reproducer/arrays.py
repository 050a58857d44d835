"""The long form: blocks in an array, runs of calls as loops, and else a table of steps."""

from heapyard.reproducer.calls import WRITERS, write_end_of_round
from heapyard.reproducer.numbers import number
from heapyard.reproducer.writer import Site, Writer
from heapyard.trial.encoding import slot_count
from heapyard.trial.folding import Loop, Turning, fold
from heapyard.trial.operations import Call, Expect

__all__ = ["array_declarations", "table_of_steps", "write_with_array"]

_MOST_WRITTEN = 60
"""Calls of a program without a table."""

_STRUCT = """\
/* The blocks: where, how large, and the number of what each is filled with. */
static struct block {
    void *at;
    size_t size;
    unsigned number;
} b[SLOTS];"""


class _Array:
    """Blocks in an array b; what is live is seen when the program runs."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def pointer(self, slot: int | str) -> str:
        return f"b[{slot}].at"

    def value(self, slot: int | str | None) -> str:
        return "NULL" if slot is None else f"b[{slot}].at"

    def assign(self, slot: int | str) -> str:
        return f"b[{slot}].at"

    def size(self, slot: int | str) -> str:
        return f"b[{slot}].size"

    def entered(self, site: Site, size: str, *, moved: bool) -> None:  # noqa: ARG002
        self._writer.say(f"enter({site.slot}, {size});")

    def verify(self, slot: int | str) -> None:
        same = self._writer.helper("same")
        self._writer.say(f"{same}(b[{slot}].at, b[{slot}].size, b[{slot}].number);")

    def verify_kept(self, slot: int | str, block: str, size: str) -> None:
        same, least = self._writer.helper("same"), self._writer.helper("least")
        self._writer.open(f"if (b[{slot}].at != NULL)")
        self._writer.say(f"{same}({block}, {least}({size}, b[{slot}].size), b[{slot}].number);")
        self._writer.close()

    def refill(self, slot: int | str, size: str | None) -> None:
        size = f"b[{slot}].size" if size is None else size
        self._writer.say(f"enter_filled({slot}, {size});")

    def taken(self, slot: int | str) -> str:
        return f"leave({slot})"

    def every(self) -> list[int | str]:
        return ["x"]

    def may_be_live(self, slot: int | str) -> bool:  # noqa: ARG002
        return True


def array_declarations(writer: Writer, calls: tuple[Call, ...]) -> list[str]:
    """The array and the functions that keep it, as C text."""
    text = "\n".join(writer.lines)
    parts = [_STRUCT.replace("SLOTS", str(max(1, slot_count(calls))))]
    if "enter(" in text or "enter_filled(" in text:
        parts.append(_filling(writer))
    if "enter(" in text:
        parts.append(_entering(writer))
    if "leave(" in text:
        parts.append(_LEAVING)
    return parts


def _filling(writer: Writer) -> str:
    fills = (
        "" if not writer.fills else f"    {writer.helper('fill')}(b[x].at, size, b[x].number);\n"
    )
    return (
        "static void enter_filled(size_t x, size_t size)\n{\n"
        "    static unsigned number;\n"
        "    b[x].size = b[x].at != NULL ? size : 0;\n"
        "    b[x].number = number++;\n" + fills + "}"
    )


def _entering(writer: Writer) -> str:
    apart = ""
    if "overlap" in writer.kinds:
        apart = (
            "    for (size_t i = 0; i < sizeof b / sizeof b[0]; i++) {\n"
            "        if (i != x) {\n"
            f"            {writer.helper('apart')}(b[x].at, size, b[i].at, b[i].size);\n"
            "        }\n    }\n"
        )
    return (
        "/* Block x is where b[x].at says now. */\n"
        "static void enter(size_t x, size_t size)\n{\n" + apart + "    enter_filled(x, size);\n}"
    )


_LEAVING = """\
/* Block x is about to end. */
static void *leave(size_t x)
{
    void *const block = b[x].at;
    b[x] = (struct block){0};
    return block;
}"""


def write_with_array(writer: Writer, calls: tuple[Call, ...], *, repeat: int) -> list[str]:
    """Write the calls; answers the table of steps that they go through, where there is one."""
    writer.blocks = _Array(writer)
    failure = writer.failure
    if failure.status and failure.op is not None and repeat == 1:
        calls = calls[: failure.op + 1]
    folded = fold(calls)
    written = sum(len(item.body) if isinstance(item, Loop) else 1 for item in folded)
    table: list[str] = []
    if repeat > 1:
        writer.open(f"for (size_t round = 0; round < {repeat}; round++)")
    if written <= _MOST_WRITTEN:
        _write_folded(writer, folded)
    else:
        table = _write_table(writer, calls)
    if repeat > 1 or failure.op is None or not failure.status:
        write_end_of_round(writer, Site.of(Call(19), None))
    if repeat > 1:
        writer.close()
    return table


# --- loops ---


def _write_folded(writer: Writer, folded: list[Call | Loop]) -> None:
    for item in folded:
        if not isinstance(item, Loop):
            WRITERS[item.name](writer, Site.of(item, None))
            continue
        writer.open(f"for (size_t i = 0; i < {item.times}; i++)")
        for turning in item.body:
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


# --- a table ---


def _write_table(writer: Writer, calls: tuple[Call, ...]) -> list[str]:
    """A switch over the kinds of step that there are; answers their table."""
    kinds = {key: _label(key) for key in dict.fromkeys(_key(call) for call in calls)}
    writer.kept = "kept"
    writer.local("int", "kept = 0")
    writer.open("for (size_t n = 0; n < sizeof steps / sizeof steps[0]; n++)")
    writer.say("const struct step *const s = &steps[n];", "switch (s->kind) {")
    for key, label in kinds.items():
        writer.say(f"case {label}:")
        writer._depth += 1
        WRITERS[key[0].name](writer, _site_in_table(key))
        writer.say("break;")
        writer._depth -= 1
    writer.say("}")
    writer.close()
    return table_of_steps(calls, list(kinds.values()))


_Key = tuple[Call, bool]

_MEASURES = ("measure", "trend")


def _key(call: Call) -> tuple[Call, bool]:
    """Calls that go through the same lines: the same operation and expectations."""
    size = call.size if call.name in _MEASURES else 0
    known = _product_overflows(call)
    return Call(call.code, None if call.slot is None else 0, size, int(known), call.expect), known


def _product_overflows(call: Call) -> bool:
    return "count" in call.operation.fields and call.size * (call.arg or 0) >= 1 << 64


def _site_in_table(key: _Key) -> Site:
    call, overflows = key
    sized = call.name in _MEASURES
    return Site(
        operation=call.operation,
        expect=call.expect,
        slot=None if call.slot is None else "s->slot",
        size="s->size",
        arg="s->arg",
        known_size=(1 << 63 if overflows else call.size if sized else None),
        known_arg=4 if overflows else None,
    )


def _label(key: _Key) -> str:
    call, overflows = key
    words = [call.name.upper()]
    words += ["NULL"] if call.slot is None and call.operation.has_slot else []
    words += ["TOO_MUCH"] if overflows else []
    words += [
        word
        for bit, word in (
            (Expect.FAILURE, "FAILS"),
            (Expect.EITHER, "MAY_FAIL"),
            (Expect.ERRNO_KEPT, "KEEPS_ERRNO"),
            (Expect.ENOMEM, "ENOMEM"),
            (Expect.EINVAL, "EINVAL"),
            (Expect.IN_PLACE, "IN_PLACE"),
        )
        if call.expect & bit
    ]
    words += [f"FIGURE_{call.size}"] if call.name in _MEASURES else []
    return f"DO_{'_'.join(words)}"


def table_of_steps(calls: tuple[Call, ...], labels: list[str]) -> list[str]:
    """The steps as C text: an enumeration of their kinds, and an array."""
    fields = (
        (_label(_key(call)), str(call.slot or 0), number(call.size), number(call.arg or 0))
        for call in calls
    )
    rows = [f"    {{{', '.join(each)}}}," for each in fields]
    return [
        f"enum kind {{ {', '.join(labels)} }};",
        "\n".join(
            [
                "static const struct step {",
                "    enum kind kind;",
                "    unsigned slot;",
                "    size_t size;",
                "    size_t arg; /* a count or an alignment */",
                "} steps[] = {",
                *rows,
                "};",
            ]
        ),
    ]
