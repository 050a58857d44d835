"""Plans: a serialisable list of allocator calls with what must hold after each.

A plan is built call by call, in Python, and run somewhere else:

    plan = Plan("grow", checks=Check.CONTENT)
    block = plan.malloc(100)
    plan.realloc(block, 1 << 20)
    plan.free(block)

After each success the engine fills the requested bytes with a pattern, and verifies it at realloc
(what was kept, at the new place), free, check and the end. Names, arguments and meanings follow
<heapyard/plan.h>.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypedDict, Unpack

from heapyard.trial import encoding
from heapyard.trial.checks import Check
from heapyard.trial.header import SIZE_MAX, Header, PlanError
from heapyard.trial.misuse import MisuseCalls
from heapyard.trial.operations import BY_CODE, BY_NAME, EARLY_SIZES, FIGURES, Call, Expect
from heapyard.trial.pressure import PressureCalls
from heapyard.trial.slots import Slot
from heapyard.trial.structure import StructureCalls

__all__ = ["Expected", "Plan", "Resized", "Slot"]

MAX_MILLISECONDS = 60_000
"""Of one wait."""

Fails = bool | int | str | tuple[int | str, ...] | None
"""None: must succeed. True: must fail. ENOMEM, EINVAL (number or name) or a tuple: with errno."""


class Expected(TypedDict, total=False):
    """What may be said of any call that allocates, as keyword arguments."""

    fails: Fails
    may_fail: bool
    """Success and failure are both right; with `fails`, that errno when it fails."""
    errno_kept: bool
    """The call must leave errno as it was."""


class Resized(Expected, total=False):
    """What may be said of realloc and reallocarray."""

    in_place: bool
    """The block must stay where it is."""


class Plan(MisuseCalls, PressureCalls, StructureCalls):
    """A list of calls, and the settings of `Header`.

    Methods that allocate return the Slot of the new block. Sizes and alignments are in bytes and
    may be anything that a size_t holds: a plan is there to ask for what can't be. A Slot whose
    block was freed can't be used again: PlanError. The slot of a call that failed is empty; freeing
    it is free(NULL).
    """

    def __init__(  # noqa: PLR0913
        self,
        name: str = "",
        *,
        checks: Check = Check.DEFAULT,
        seed: int = 0,
        alignment: int = 0,
        weak_alignment: bool = False,
        repeat: int = 1,
        reuse_slots: bool = True,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        self.header = Header(
            name=name,
            checks=checks,
            seed=seed,
            alignment=alignment,
            weak_alignment=weak_alignment,
            repeat=repeat,
            origin=dict(origin or {}),
        )
        self._reuse_slots = reuse_slots
        self._calls: list[Call] = []
        self._owners: list[int | None] = []
        self._vacant: list[int] = []
        self._late_vacant = {}
        self._pointers: set[int] = set()
        self._asked: dict[int, Call] = {}

    # --- calls that allocate ---

    def malloc(self, size: int, **expected: Unpack[Expected]) -> Slot:
        """malloc(size)."""
        return self._create("malloc", size, None, _expect(**expected))

    def calloc(self, count: int, size: int, **expected: Unpack[Expected]) -> Slot:
        """calloc(count, size): every requested byte must be zero."""
        return self._create("calloc", size, count, _expect(**expected))

    def aligned_alloc(self, alignment: int, size: int, **expected: Unpack[Expected]) -> Slot:
        """aligned_alloc(alignment, size) of C11."""
        return self._create("aligned_alloc", size, alignment, _expect(**expected))

    def posix_memalign(self, alignment: int, size: int, **expected: Unpack[Expected]) -> Slot:
        """posix_memalign(&p, alignment, size): errors are its result, and *memptr stays."""
        return self._create("posix_memalign", size, alignment, _expect(**expected))

    def memalign(self, alignment: int, size: int, **expected: Unpack[Expected]) -> Slot:
        """memalign(alignment, size)."""
        return self._create("memalign", size, alignment, _expect(**expected))

    def valloc(self, size: int, **expected: Unpack[Expected]) -> Slot:
        """valloc(size): aligned to a page."""
        return self._create("valloc", size, None, _expect(**expected))

    def pvalloc(self, size: int, **expected: Unpack[Expected]) -> Slot:
        """pvalloc(size): aligned to a page, and rounded up to whole pages."""
        return self._create("pvalloc", size, None, _expect(**expected))

    def realloc(self, slot: Slot | None, size: int, **expected: Unpack[Resized]) -> Slot:
        """realloc(block, size): the same slot, or a new one for None (realloc(NULL, size))."""
        return self._resize("realloc", slot, size, None, _expect(**expected))

    def reallocarray(
        self, slot: Slot | None, count: int, size: int, **expected: Unpack[Resized]
    ) -> Slot:
        """reallocarray(block, count, size): the same slot, or a new one for None."""
        return self._resize("reallocarray", slot, size, count, _expect(**expected))

    # --- calls that free ---

    def free(self, slot: Slot | None, *, errno_kept: bool = False) -> None:
        """free(block), or free(NULL) for None."""
        self._end("free", slot, 0, None, errno_kept=errno_kept)

    def free_sized(
        self, slot: Slot | None, size: int | None = None, *, errno_kept: bool = False
    ) -> None:
        """free_sized(block, size) of C23; without a size, the one that the block was asked with."""
        asked = (self._asked_size(slot) if slot else 0) if size is None else size
        self._end("free_sized", slot, asked, None, errno_kept=errno_kept)

    def free_aligned_sized(
        self,
        slot: Slot,
        alignment: int | None = None,
        size: int | None = None,
        *,
        errno_kept: bool = False,
    ) -> None:
        """free_aligned_sized(block, alignment, size) of C23; None: as the block was asked for."""
        asked = self._asked_size(slot) if size is None else size
        aligned = self._asked_alignment(slot) if alignment is None else alignment
        self._end("free_aligned_sized", slot, asked, aligned, errno_kept=errno_kept)

    def free_all(self, *, errno_kept: bool = False) -> None:
        """Free every live slot, in the order of slot numbers (in bulk, where that is all)."""
        self._add("free_all", expect=_kept(errno_kept))
        for index, owner in enumerate(self._owners):
            if owner is not None and index not in self._pointers:
                self._vacate(index)

    def forget(self, slot: Slot) -> None:
        """Drop the block from the model without freeing it: a leak on purpose."""
        self._end("forget", slot, 0, None)

    # --- calls that look ---

    def usable_size(
        self, slot: Slot | None, *, at_least: int = 0, errno_kept: bool = False
    ) -> None:
        """malloc_usable_size(block): at least what was asked for, and `at_least`; NULL gives 0."""
        index = None if slot is None else self._index(slot)
        self._add("usable_size", index, at_least, expect=_kept(errno_kept))

    def fill_usable(self, slot: Slot) -> None:
        """Write all usable bytes; from then on all of them are verified."""
        self._add("fill_usable", self._index(slot))

    def write(self, slot: Slot) -> None:
        """Write a new pattern over the requested bytes."""
        self._add("write", self._index(slot))

    def check(self, slot: Slot) -> None:
        """Verify the contents of one block."""
        self._add("check", self._index(slot))

    def check_all(self) -> None:
        """Verify the contents of every live block."""
        self._add("check_all")

    def self_check(self) -> None:
        """Let the target verify its own structure (needs its `check`, and Check.SELF_CHECK)."""
        self._add("self_check")

    def set_errno(self, value: int) -> None:
        """Set errno before each call from now on, for what `errno_kept` compares with."""
        self._add("set_errno", size=value)

    def trim(self, pad: int = 0, *, errno_kept: bool = False) -> None:
        """malloc_trim(pad)."""
        self._add("trim", size=pad, expect=_kept(errno_kept))

    def measure(self, figure: str) -> None:
        """Note a figure: one of FIGURES, in bytes or by number."""
        self._add("measure", size=_number_of(figure))

    def trend(self, figure: str) -> None:
        """Note a figure in the 1st, 2nd, 4th, 8th ... round of the plan, and in the last."""
        self._add("trend", size=_number_of(figure))

    # --- calls that wait ---

    def idle(self, milliseconds: int) -> None:
        """Let time pass without a call."""
        self._wait("idle", None, milliseconds)

    def await_rss(self, growth: int, milliseconds: int) -> None:
        """Wait until rss is at most `growth` bytes above its first figure, and note it.

        No call is made meanwhile. When the time is over, rss is noted as it is.
        """
        self._wait("await", growth, milliseconds)

    def stir(self, growth: int, milliseconds: int) -> None:
        """As `await_rss`, with short-lived blocks of 64 B to 64 KiB made and freed meanwhile."""
        self._wait("stir", growth, milliseconds)

    def watch(self, slot: Slot) -> None:
        """Count the whole pages inside the block in `residue` from now on, whoever owns them."""
        self._add("watch", self._index(slot))

    # --- what it is ---

    @property
    def name(self) -> str:
        """The name given at construction."""
        return self.header.name

    @property
    def checks(self) -> Check:
        """The kinds of violation that are looked for."""
        return self.header.checks

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls so far, in order."""
        return tuple(self._calls)

    @property
    def codes(self) -> frozenset[int]:
        """Which operations it has."""
        return frozenset(call.code for call in self._calls)

    @property
    def functions(self) -> frozenset[str]:
        """The entry points that the target must have for this plan."""
        functions = (BY_CODE[code].function for code in self.codes)
        return frozenset(function for function in functions if function)

    @property
    def misuses(self) -> bool:
        """Whether any call is one that no correct program makes."""
        return any(BY_CODE[code].misuses for code in self.codes)

    def __len__(self) -> int:
        """How many calls."""
        return len(self._calls)

    def __bool__(self) -> bool:
        """A plan without calls is still a plan."""
        return True

    def __eq__(self, other: object) -> bool:
        """Equal settings and calls."""
        if not isinstance(other, Plan):
            return NotImplemented
        return self.header == other.header and self._calls == other._calls

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Name, number of calls and checks."""
        return f"<Plan {self.name!r}: {len(self)} calls, {'|'.join(self.checks.kinds) or 'none'}>"

    def __str__(self) -> str:
        """One call a line, numbered as outcomes number them."""
        return "\n".join(f"{number:>4}  {call}" for number, call in enumerate(self._calls))

    # --- other forms ---

    @classmethod
    def of(cls, header: Header, calls: Iterable[Call]) -> "Plan":
        """A plan of given calls. More can be added: they use slot numbers of their own."""
        plan = cls()
        plan.header = header
        plan._calls = list(calls)
        plan._owners = [None] * encoding.slot_count(plan._calls)
        return plan

    def with_calls(self, calls: Iterable[Call]) -> "Plan":
        """The same settings with other calls."""
        return Plan.of(self.header, calls)

    def with_settings(self, **settings: object) -> "Plan":
        """The same calls with other settings (the names of `Header`)."""
        return Plan.of(replace(self.header, **settings), self._calls)  # type: ignore[arg-type]

    def to_json(self) -> str:
        """JSON text of schema heapyard.plan/1, one call a line."""
        return encoding.write_json(self.header, self._calls)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Plan":
        """The inverse of `to_json`. Raises PlanError that names the line or the field."""
        return cls.of(*encoding.read_json(text))

    def to_bytes(self) -> bytes:
        """The packed form that the runner reads (<heapyard/plan.h>)."""
        return encoding.pack(self.header, self._calls)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Plan":
        """The inverse of `to_bytes`, but for the name and the origin, which are not packed."""
        return cls.of(*encoding.unpack(data))

    # --- slots ---

    def _wait(self, name: str, growth: int | None, milliseconds: int) -> None:
        if not 0 <= milliseconds <= MAX_MILLISECONDS:
            raise PlanError(f"Invalid milliseconds={milliseconds}: must be 0 to {MAX_MILLISECONDS}")
        self._add(name, size=milliseconds, arg=growth)

    def _add(
        self,
        name: str,
        slot: int | None = None,
        size: int = 0,
        arg: int | None = None,
        expect: int = 0,
    ) -> Call:
        if not 0 <= size <= SIZE_MAX or not 0 <= (arg or 0) <= SIZE_MAX:
            raise PlanError(f"Invalid {name}({arg}, {size}): sizes must be 0 to SIZE_MAX")
        call = Call(_CODES[name], slot, size, arg, expect)
        self._calls.append(call)
        return call

    def _create(self, name: str, size: int, arg: int | None, expect: int) -> Slot:
        slot = self._claim()
        self._asked[slot.index] = self._add(name, slot.index, size, arg, expect)
        return slot

    def _copy_of_slots(self) -> "Plan":
        """What is known of the slots now: a child of fork changes its own."""
        copy = Plan()
        copy._back_to(self)
        return copy

    def _back_to(self, kept: StructureCalls) -> None:
        assert isinstance(kept, Plan)
        self._owners = [*kept._owners, *[None] * (len(self._owners) - len(kept._owners))]
        self._vacant = list(kept._vacant)
        self._asked = dict(kept._asked)

    def _resize(
        self, name: str, slot: Slot | None, size: int, arg: int | None, expect: int
    ) -> Slot:
        owner = self._claim() if slot is None else slot
        call = self._add(name, self._index(owner), size, arg, expect)
        if slot is None or not expect & Expect.FAILURE:
            self._asked[owner.index] = call
        return owner

    def _end(
        self, name: str, slot: Slot | None, size: int, arg: int | None, *, errno_kept: bool = False
    ) -> None:
        index = None if slot is None else self._index(slot)
        self._add(name, index, size, arg, _kept(errno_kept))
        if index is not None:
            self._vacate(index)

    def _serial(self) -> int:
        return len(self._calls)

    def _claim(self) -> Slot:
        serial = self._serial()
        if self._vacant:
            index = self._vacant.pop()
            self._owners[index] = serial
        else:
            index = len(self._owners)
            self._owners.append(serial)
        return Slot(index, serial)

    def _vacate(self, index: int) -> None:
        self._owners[index] = None
        if self._reuse_slots:
            self._vacant.append(index)

    def _index(self, slot: Slot) -> int:
        if slot.index >= len(self._owners) or self._owners[slot.index] != slot.serial:
            raise PlanError(
                f"Slot {slot.index} of call {slot.serial} holds no block any more: it was freed or"
                " forgotten, or belongs to another plan"
            )
        return slot.index

    def _asked_size(self, slot: Slot) -> int:
        call = self._asked[self._index(slot)]
        if call.name == "early":
            return EARLY_SIZES[call.size]
        return (call.size * (call.arg or 0)) & SIZE_MAX if _multiplies(call) else call.size

    def _asked_alignment(self, slot: Slot) -> int:
        call = self._asked[self._index(slot)]
        if call.arg is None or _multiplies(call):
            raise PlanError(f"Invalid alignment=None: {call} asked for no alignment; name one")
        return call.arg


def _number_of(figure: str) -> int:
    if figure not in FIGURES:
        raise PlanError(f"Invalid figure={figure!r}: must be one of {', '.join(FIGURES)}")
    return FIGURES.index(figure)


def _multiplies(call: Call) -> bool:
    return "count" in call.operation.fields


_CODES = {name: operation.code for name, operation in BY_NAME.items()}


def _kept(errno_kept: bool) -> int:
    return Expect.ERRNO_KEPT.value if errno_kept else 0


def _expect(
    fails: Fails = None, may_fail: bool = False, errno_kept: bool = False, in_place: bool = False
) -> int:
    expect = encoding.expect_of(fails) | _kept(errno_kept)
    if may_fail:
        expect = (expect & ~Expect.FAILURE.value) | Expect.EITHER.value
    return expect | (Expect.IN_PLACE.value if in_place else 0)
