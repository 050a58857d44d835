"""What the calls of a plan are written with: lines, and a note of everything that they use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from heapyard.reproducer.failure import Failure
from heapyard.reproducer.functions import Functions, body_of
from heapyard.reproducer.numbers import atom, number
from heapyard.reproducer.signatures import SIGNATURES
from heapyard.trial.header import Header
from heapyard.trial.operations import Call, Expect, Operation

__all__ = ["HUGE", "Blocks", "Numbered", "Site", "Used", "Writer"]

HUGE = 1 << 30

Numbered = tuple[int | None, Call]
"""A call and which of the plan it is; None: at the end of a round."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One call as C sees it: its arguments are expressions; their values where they are known."""

    operation: Operation
    expect: int
    slot: int | str | None
    """A number, or an expression (in a loop); None: NULL."""
    size: str
    arg: str
    known_size: int | None = None
    known_arg: int | None = None
    index: int | None = None
    """Which call of the plan; None: of several, or at the end of a round."""

    @classmethod
    def of(cls, call: Call, index: int | None) -> "Site":
        """A call with all its values."""
        return cls(
            operation=call.operation,
            expect=call.expect,
            slot=call.slot,
            size=number(call.size),
            arg=number(call.arg or 0),
            known_size=call.size,
            known_arg=call.arg,
            index=index,
        )

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    @property
    def outcome(self) -> int:
        """SUCCESS, FAILURE or EITHER."""
        return self.expect & (Expect.FAILURE | Expect.EITHER)

    @property
    def multiplies(self) -> bool:
        """Whether it asks for a count times a size."""
        return "count" in self.operation.fields

    @property
    def overflows(self) -> bool:
        """Whether that product is more than a size_t holds, as far as it is known."""
        known = self.multiplies and self.known_size is not None and self.known_arg is not None
        return known and (self.known_size or 0) * (self.known_arg or 0) >= 1 << 64

    @property
    def total(self) -> str:
        """The bytes asked for."""
        if not self.multiplies:
            return self.size
        if self.known_size is not None and self.known_arg is not None:
            return number((self.known_size * self.known_arg) & ((1 << 64) - 1))
        return f"{atom(self.arg)} * {atom(self.size)}"

    @property
    def known_total(self) -> int | None:
        """The same as a number."""
        if not self.multiplies or self.known_size is None:
            return self.known_size
        return None if self.known_arg is None else self.known_size * self.known_arg


class Used:
    """Everything outside the program's own functions that their lines need."""

    def __init__(self) -> None:
        self.helpers: set[str] = set()
        self.functions: set[str] = set()
        """Of the allocator."""
        self.headers: set[str] = set()


class Blocks(Protocol):
    """Where the plan's blocks live in the program: in variables, or in an array."""

    def fresh(self, slot: int | str) -> str:
        """The lvalue for what a call answers, until the slot is `entered`."""

    def pointer(self, slot: int | str) -> str:
        """The lvalue that holds the block."""

    def value(self, slot: int | str | None) -> str:
        """The block, for a call that takes one."""

    def assign(self, slot: int | str) -> str:
        """What stands before `= call(...)` where the slot gets its block."""

    def size(self, slot: int | str) -> str:
        """How many bytes of it are filled."""

    def entered(self, site: Site, size: str, block: str) -> None:
        """The slot holds this block of so many bytes: apart from all others, and filled."""

    def verify(self, slot: int | str) -> None:
        """The contents are as they were written."""

    def leaving(self, slot: int | str, *, returns: bool) -> str:
        """The block, as realloc's argument; `returns`: what was in it is looked at afterwards."""

    def verify_kept(self, slot: int | str, block: str, size: str) -> None:
        """The first bytes of the block that a realloc answered are as they were written."""

    def put_back(self, slot: int | str) -> None:
        """A realloc has failed: the slot holds what it held."""

    def refill(self, slot: int | str, size: str | None) -> None:
        """New contents, over so many bytes (None: as many as before)."""

    def taken(self, slot: int | str) -> str:
        """The block, as the argument of the call that ends it; the slot is empty from then on."""

    def every(self) -> list[int | str]:
        """All live slots, in order."""

    def may_be_live(self, slot: int | str) -> bool:
        """Whether the slot can hold a block here."""


class Writer:
    """Lines of C, and what they use."""

    def __init__(
        self, header: Header, failure: Failure, *, alignment: int, everywhere: bool
    ) -> None:
        self.header = header
        self.failure = failure
        self.kinds = failure.kinds(header.checks)
        self.fills = failure.needs_contents
        self.alignment = header.alignment or alignment
        self.used = Used()
        self.lines: list[str] = []
        """Of the function that is being written: at first main."""
        self.locals: dict[str, str] = {}
        """Its variables: their types, by name."""
        self.own = Functions()
        """Those of the program beside main."""
        self.kept = "0"
        """What errno is set to before a call, as an expression."""
        self.spares_huge = False
        """Whether blocks above HUGE bytes, of which there are some, are not filled."""
        self.is_concurrent = False
        """Whether threads run at the same time."""
        self.takes_break = False
        """Whether some blocks are the program's, from the break."""
        self.is_bulk = False
        """Whether the target frees everything at once only."""
        self.blocks: Blocks
        self._everywhere = everywhere
        self._depth = 1

    # --- lines ---

    def say(self, *lines: str) -> None:
        """Add lines, indented as deep as the blocks that are open."""
        self.lines += [f"{'    ' * self._depth}{line}" if line else "" for line in lines]

    def open(self, head: str) -> None:
        """A line that opens a block."""
        self.say(f"{head} {{")
        self._depth += 1

    def close(self, tail: str = "}") -> None:
        """The end of the innermost block."""
        self._depth -= 1
        self.say(tail)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One step further in, without braces."""
        self._depth += 1
        yield
        self._depth -= 1

    # --- what they use ---

    def helper(self, name: str) -> str:
        """The name of a helper function, which will be printed."""
        self.used.helpers.add(name)
        return name

    def local(self, kind: str, name: str) -> str:
        """The name of a variable of the function, which will be declared."""
        self.locals[name] = kind
        return name

    @contextmanager
    def apart(self) -> Iterator[list[str]]:
        """What is written meanwhile is the body of another function; it is there at the end."""
        body: list[str] = []
        kept = self.lines, self.locals, self._depth
        self.lines, self.locals, self._depth = [], {}, 1
        yield body
        body += body_of(self.lines, self.locals)
        self.lines, self.locals, self._depth = kept

    @contextmanager
    def function(self, token: str) -> Iterator[None]:
        """The same, for a function of a name that `own` gave out."""
        with self.apart() as body:
            yield
        self.own.add(token, body)

    def call(self, name: str, *arguments: str) -> str:
        """A call of the allocator."""
        self.used.functions.add(name)
        self.used.headers.add(SIGNATURES[name].header)
        return f"call_{name}({', '.join(arguments)})"

    # --- what is verified ---

    def wants(self, kind: str, site: Site) -> bool:
        """Whether this check is made at this call."""
        if kind not in self.kinds:
            return False
        return self._everywhere or not self.failure.is_known or site.index == self.failure.op

    def fail_if(self, condition: str, expected: str, seen: str, *values: str) -> None:
        """A check: the texts are a format, the values its arguments."""
        self.helper("failed")
        arguments = "".join(f", {value}" for value in values)
        self.open(f"if ({condition})")
        self.say(f'failed("expected: {expected}; seen: {seen}\\n"{arguments});')
        self.close()

    def arm_errno(self, site: Site) -> None:
        """Give errno a known value before the call, where it is looked at afterwards."""
        if self.wants("errno", site):
            self.used.headers.add("errno.h")
            self.say(f"errno = {self.kept};")

    def errno_is_kept(self, site: Site) -> None:
        """Check errno after a call that must leave it alone."""
        if site.expect & Expect.ERRNO_KEPT and self.wants("errno", site):
            self.fail_if(
                f"errno != {self.kept}",
                "errno left at %d",
                "errno is %d after the call",
                self.kept,
                "errno",
            )
