"""Many calls without order: tables of steps, and one switch over their kinds."""

from collections.abc import Sequence

from heapyard.reproducer.calls import WRITERS
from heapyard.reproducer.numbers import number
from heapyard.reproducer.writer import Site, Writer
from heapyard.trial.operations import Call, Expect

__all__ = ["Tables"]

_STRUCT = """\
struct step {
    enum kind kind;
    unsigned slot;
    size_t size;
    size_t arg; /* a count or an alignment */
};"""

_MEASURES = ("measure", "trend")
_KINDED = "foreign"
"""Whose argument decides on the lines."""


class Tables:
    """The tables of one program."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._names: dict[tuple[Call, ...], str] = {}
        self._kept = "0"

    def write(self, calls: Sequence[Call]) -> None:
        """A run of calls: the table goes through the switch."""
        if not self._names:
            self._kept = self._writer.kept
        number_of_it = len(self._names) + 1
        fresh = "steps" if number_of_it == 1 else f"steps_{number_of_it}"
        name = self._names.setdefault(tuple(calls), fresh)
        self._writer.say(f"play({name}, sizeof {name} / sizeof {name}[0]);")

    def declarations(self) -> list[str]:
        """The tables and the function that plays them, as C text."""
        if not self._names:
            return []
        keys = dict.fromkeys(_key(call) for calls in self._names for call in calls)
        kinds = {key: _label(key) for key in keys}
        tables = [_table(name, calls) for calls, name in self._names.items()]
        return [
            f"enum kind {{ {', '.join(kinds.values())} }};",
            _STRUCT,
            *tables,
            self._play(kinds),
        ]

    def _play(self, kinds: dict["_Key", str]) -> str:
        writer = self._writer
        writer.kept = "kept"
        with writer.apart() as body:
            writer.local("static int", f"kept = {self._kept}")
            writer.open("for (const struct step *s = steps; s < steps + count; s++)")
            writer.say("switch (s->kind) {")
            for key, label in kinds.items():
                writer.say(f"case {label}:")
                with writer.deeper():
                    WRITERS[key[0].name](writer, _site(key))
                    writer.say("break;")
            writer.say("}")
            writer.close()
        head = ["static void play(const struct step *steps, size_t count)", "{"]
        return "\n".join([*head, *body, "}"])


_Key = tuple[Call, bool]


def _key(call: Call) -> _Key:
    """Calls that go through the same lines: the same operation and expectations."""
    size = call.size if call.name in _MEASURES else 0
    known = _product_overflows(call)
    arg = call.arg if call.name == _KINDED else int(known)
    return Call(call.code, None if call.slot is None else 0, size, arg, call.expect), known


def _product_overflows(call: Call) -> bool:
    return "count" in call.operation.fields and call.size * (call.arg or 0) >= 1 << 64


def _site(key: _Key) -> Site:
    call, overflows = key
    sized = call.name in _MEASURES
    return Site(
        operation=call.operation,
        expect=call.expect,
        slot=None if call.slot is None else "s->slot",
        size="s->size",
        arg="s->arg",
        known_size=(1 << 63 if overflows else call.size if sized else None),
        known_arg=call.arg if call.name == _KINDED else 4 if overflows else None,
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
    words += [f"KIND_{call.arg}"] if call.name == _KINDED else []
    words += [f"FIGURE_{call.size}"] if call.name in _MEASURES else []
    return f"DO_{'_'.join(words)}"


def _table(name: str, calls: tuple[Call, ...]) -> str:
    fields = (
        (_label(_key(call)), str(call.slot or 0), number(call.size), number(call.arg or 0))
        for call in calls
    )
    rows = [f"    {{{', '.join(each)}}}," for each in fields]
    return "\n".join([f"static const struct step {name}[] = {{", *rows, "};"])
