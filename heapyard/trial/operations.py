"""The one table of a plan's operations: codes, names, fields; that of <heapyard/plan.h>.

Everything else (builder, JSON, packed bytes, texts, shrinking) is driven by this table, and a test
holds it against the names that the native library exports.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

__all__ = [
    "ARGUMENTS",
    "BY_CODE",
    "BY_NAME",
    "CHOICES",
    "COSTS",
    "EARLY_SIZES",
    "ENTRY_POINTS",
    "FIGURES",
    "FOREIGN",
    "OPERATIONS",
    "Call",
    "Expect",
    "Operation",
    "OsCalls",
    "read_kinds",
    "write_kinds",
]

FIGURES = (
    *("rss", "live_bytes", "usable_bytes", "extent", "mapped", "shared_lines"),
    *("os_calls", "os_failures", "page_faults", "cost_median", "cost_p90", "cost_p99", "cost_max"),
    *("lazily_free", "mappings", "residue", "shown", "trimmed"),
    *("open_files", "blocked_signals", "handled_signals"),
)
"""What `measure` can answer; the index is the packed operation's size field."""

COSTS = ("instructions", "nanoseconds")
"""What `count_cost` counts; the index is the packed operation's size field."""

ARGUMENTS = ("count", "alignment", "growth", "kind", "kinds", "forks")
"""The fields that are packed as an operand; no operation has two of them."""


class OsCalls(IntFlag):
    """Kinds of system calls, for `count_os` and `fail_os`; ONWARD is for the latter only."""

    MMAP = 0x01
    MUNMAP = 0x02
    MREMAP = 0x04
    BRK = 0x08
    MADVISE = 0x10
    MPROTECT = 0x20
    ONWARD = 0x40
    EVERY = 0x3F
    GET = MMAP | MREMAP | BRK
    """Those that a request for memory hangs on."""
    GIVE = MUNMAP | MADVISE | MPROTECT
    """Those that change or give back memory which is there."""


EARLY_SIZES = (100, 300, 500, 1 << 20)
"""What `early` gives, by number: the sizes in bytes."""

FOREIGN = ("static", "stack", "mapping", "other", "break")
"""Where the memory of `foreign` is; the index is the packed operation's operand."""

_SIGN = 1 << 63


class Expect(IntFlag):
    """What must hold of one call beside the plan's checks (the `expect` byte)."""

    SUCCESS = 0
    FAILURE = 0x01
    EITHER = 0x02
    ERRNO_KEPT = 0x04
    ENOMEM = 0x08
    EINVAL = 0x10
    IN_PLACE = 0x20
    MEMPTR_KEPT = 0x40


class Call(NamedTuple):
    """One operation of a plan. Fields that its operation does not have are None, or 0 for size."""

    code: int
    slot: int | None = None
    size: int = 0
    arg: int | None = None
    expect: int = 0

    @property
    def operation(self) -> "Operation":
        """The row of the table."""
        return BY_CODE[self.code]

    @property
    def name(self) -> str:
        """The operation's name, as in JSON."""
        return BY_CODE[self.code].name

    @property
    def values(self) -> tuple[int | str | None, ...]:
        """The arguments in the order of `Operation.fields`."""
        return tuple(self._value(field) for field in self.operation.fields)

    def _value(self, field: str) -> int | str | None:
        if field in ("slot", "slot?"):
            return self.slot
        if field in CHOICES:
            return CHOICES[field][(self.arg if field == "kind" else self.size) or 0]
        if field == "offset":
            return self.size - 2 * (self.size & _SIGN)
        if field == "kinds":
            return write_kinds(self.arg or 0)
        return self.arg if field in ARGUMENTS else self.size

    @property
    def slots(self) -> range:
        """The slots that the call uses, in order; none where it names none."""
        if self.slot is None:
            return range(0)
        if not self.operation.many:
            return range(self.slot, self.slot + 1)
        step = self.size if self.operation.ends else 1
        return range(self.slot, self.slot + (self.arg or 0) * step, step)

    def __str__(self) -> str:
        """Spell the call as a reader of C expects it: `malloc(24) -> slot 3`, `free(NULL)`."""
        operation = self.operation
        shown = [
            _spell(field, value)
            for field, value in zip(operation.fields, self.values, strict=True)
            if not (operation.fills and field == "slot")
        ]
        text = f"{operation.name}({', '.join(shown)})"
        return f"{text} -> slot {self.slot}" if operation.fills else text


def write_kinds(kinds: int) -> str:
    """Kinds of system calls as text: "mmap+brk"."""
    return "+".join(str(kind.name).lower() for kind in OsCalls(kinds))


def read_kinds(text: str) -> int | None:
    """The inverse of `write_kinds`; None for what is none."""
    known = {str(kind.name).lower(): kind.value for kind in OsCalls}
    names = text.split("+")
    return sum({known[name] for name in names}) if set(names) <= set(known) else None


def _spell(field: str, value: int | str | None) -> str:
    if field in ("slot", "slot?", "other"):
        return "NULL" if value is None else f"slot {value}"
    return hex(value) if field == "address" and isinstance(value, int) else str(value)


@dataclass(frozen=True)
class Operation:
    """One row: how an operation is written and what it does to its slot."""

    code: int
    name: str
    fields: tuple[str, ...] = ()
    """In order: slot, slot? (may be NULL), count, alignment, growth, kind, kinds (of system calls),
    then one of size, value, pad, figure, at_least, milliseconds, other (a second slot), offset
    (signed), bytes, address, nth, space, unit, step, or what the operations on threads and
    processes take."""
    expects: Expect = Expect.SUCCESS
    """What may be demanded of a call, as a mask."""
    function: str | None = None
    """The target's entry point that it calls, None where the engine does it alone."""
    creates: bool = False
    """A success puts a new block into the slot, which was empty."""
    resizes: bool = False
    """A success replaces the slot's block (realloc); on an empty slot it creates one."""
    ends: bool = False
    """Afterwards the slot is empty."""
    misuses: bool = False
    """No correct program does it."""
    points: bool = False
    """Afterwards the slot, which was empty, stands for a pointer, without a block."""
    opens: bool = False
    """The operations up to the next `end_section` are a section of their own."""
    many: bool = False
    """It stands for a call on each of `count` slots."""

    @property
    def allocates(self) -> bool:
        """Whether the call can fail for want of memory."""
        return (self.creates or self.resizes) and self.name != "early"

    @property
    def structures(self) -> bool:
        """Whether it says who makes the calls, or when, rather than being one."""
        return self.opens or self.name in _STRUCTURE

    @property
    def fills(self) -> bool:
        """Whether the slot that it names stands for something new."""
        return self.creates or self.points

    @property
    def has_other(self) -> bool:
        """Whether the call names a second slot, in its size."""
        return "other" in self.fields

    @property
    def has_slot(self) -> bool:
        """Whether the call names a slot."""
        return self.fields[:1] in (("slot",), ("slot?",))


_STRUCTURE = frozenset({"on_thread", "stack", "join", "end_section", "signals", "atfork"})

_ALLOCATION = Expect.FAILURE | Expect.EITHER | Expect.ERRNO_KEPT | Expect.ENOMEM | Expect.EINVAL
_REALLOC = _ALLOCATION | Expect.IN_PLACE
_MEMALIGN = _ALLOCATION | Expect.MEMPTR_KEPT
_ERRNO = Expect.ERRNO_KEPT
_NOTHING = Expect.SUCCESS


def _creates(
    code: int, name: str, fields: tuple[str, ...], expects: Expect = _ALLOCATION
) -> Operation:
    return Operation(code, name, ("slot", *fields), expects, name, creates=True)


def _resizes(code: int, name: str, fields: tuple[str, ...]) -> Operation:
    return Operation(code, name, ("slot", *fields), _REALLOC, name, resizes=True)


def _frees(code: int, name: str, fields: tuple[str, ...] = ()) -> Operation:
    return Operation(code, name, ("slot?", *fields), _ERRNO, name, ends=True)


def _misuses(
    code: int, name: str, fields: tuple[str, ...], function: str | None = None
) -> Operation:
    return Operation(code, name, fields, _NOTHING, function, misuses=True)


OPERATIONS: tuple[Operation, ...] = (
    Operation(0, "nop"),
    _creates(1, "malloc", ("size",)),
    _creates(2, "calloc", ("count", "size")),
    _resizes(3, "realloc", ("size",)),
    _resizes(4, "reallocarray", ("count", "size")),
    _frees(5, "free"),
    _frees(6, "free_sized", ("size",)),
    _frees(7, "free_aligned_sized", ("alignment", "size")),
    _creates(8, "aligned_alloc", ("alignment", "size")),
    _creates(9, "posix_memalign", ("alignment", "size"), _MEMALIGN),
    _creates(10, "memalign", ("alignment", "size")),
    _creates(11, "valloc", ("size",)),
    _creates(12, "pvalloc", ("size",)),
    Operation(13, "usable_size", ("slot?", "at_least"), _ERRNO, "usable_size"),
    Operation(14, "fill_usable", ("slot",), _NOTHING, "usable_size"),
    Operation(15, "write", ("slot",)),
    Operation(16, "check", ("slot",)),
    Operation(17, "check_all"),
    Operation(18, "set_errno", ("value",)),
    Operation(19, "free_all", (), _ERRNO),
    Operation(20, "trim", ("pad",), _ERRNO, "trim"),
    Operation(21, "measure", ("figure",)),
    Operation(22, "forget", ("slot",), ends=True),
    Operation(23, "distinct"),
    Operation(24, "self_check", (), _NOTHING, "check"),
    Operation(25, "on_thread", ("thread",), _ERRNO),
    Operation(26, "join", ("thread",)),
    Operation(27, "parallel", ("times",), opens=True),
    Operation(28, "end_section"),
    Operation(29, "in_destructor", ("round",), opens=True),
    Operation(30, "fork", opens=True),
    Operation(31, "signals", ("forks", "microseconds")),
    Operation(32, "at_exit", opens=True),
    Operation(33, "early", ("slot", "number"), creates=True),
    Operation(34, "atfork", (), _NOTHING, "free"),
    Operation(35, "fail_os", ("kinds", "nth")),
    Operation(36, "end_fail"),
    Operation(37, "limit_space", ("space",)),
    Operation(38, "count_os", ("kinds",)),
    Operation(39, "count_cost", ("unit",)),
    Operation(40, "end_cost"),
    Operation(
        *(41, "malloc_many", ("slot", "count", "size"), _ALLOCATION, "malloc"),
        creates=True,
        many=True,
    ),
    Operation(*(42, "free_many", ("slot", "count", "step"), _ERRNO, "free"), ends=True, many=True),
    Operation(43, "idle", ("milliseconds",)),
    Operation(44, "await", ("growth", "milliseconds")),
    Operation(45, "stir", ("growth", "milliseconds"), _NOTHING, "free"),
    Operation(46, "watch", ("slot",)),
    Operation(47, "trend", ("figure",)),
    Operation(50, "alias", ("slot", "other"), points=True),
    Operation(51, "foreign", ("slot", "kind", "size"), creates=True),
    _misuses(52, "free_stale", ("slot",), "free"),
    _misuses(53, "free_at", ("slot", "offset"), "free"),
    _misuses(54, "free_address", ("address",), "free"),
    _misuses(55, "write_at", ("slot", "offset", "count")),
    _misuses(56, "write_past", ("slot", "bytes")),
    _misuses(57, "write_stale", ("slot", "offset", "count")),
    _misuses(58, "link_stale", ("slot", "other")),
    _misuses(59, "realloc_stale", ("slot", "size"), "realloc"),
    _misuses(60, "usable_stale", ("slot",), "usable_size"),
    _misuses(61, "read_stale", ("slot", "bytes")),
    Operation(62, "untold"),
    Operation(70, "stack", ("bytes",)),
)
"""The table, in the order of codes."""

BY_CODE: dict[int, Operation] = {operation.code: operation for operation in OPERATIONS}
"""The same rows by code; not every number is one."""

CHOICES = {"figure": FIGURES, "kind": FOREIGN, "unit": COSTS}
"""Fields that are one of a list of words; packed as its index, `kind` as the operand."""

ENTRY_POINTS = frozenset(operation.function for operation in OPERATIONS if operation.function)
"""What a target may have."""

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
"""The same rows by name."""
