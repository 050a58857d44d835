"""The sizes and alignments that the rules ask for, and the entry points by which they ask.

Sizes lie where allocators change their mind: each small size, both sides of powers of two and of
the borders between size classes, pages and mappings. What is too large for any address space of 64
bits is in TOO_LARGE; no call may answer it with a block.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Unpack

from heapyard.rules import NotApplicable, Trial
from heapyard.trial import Plan, Slot
from heapyard.trial.plan import Expected

__all__ = [
    "BORDERS",
    "GIB",
    "KIB",
    "LARGEST_PROMISED",
    "MIB",
    "PAGE",
    "PTRDIFF_MAX",
    "SIZE_MAX",
    "SMALL",
    "STEPS",
    "TOO_LARGE",
    "AskAligned",
    "Path",
    "around",
    "ask_aligned",
    "entry_paths",
    "powers",
]

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
PAGE = 4 * KIB
SIZE_MAX = (1 << 64) - 1
PTRDIFF_MAX = (1 << 63) - 1

LARGEST_PROMISED = 65_535
"""What C17 5.2.4.1p1 has every hosted implementation serve; a larger request may fail."""

SMALL = tuple(range(1, 1025))
"""Each size that any allocator keeps in size classes."""

TOO_LARGE = (
    SIZE_MAX,
    SIZE_MAX - 1,
    SIZE_MAX - 7,
    SIZE_MAX - 15,
    SIZE_MAX - 63,
    SIZE_MAX - PAGE + 1,
    SIZE_MAX - PAGE,
    SIZE_MAX - 64 * KIB,
    SIZE_MAX - MIB,
    PTRDIFF_MAX + 2,
    PTRDIFF_MAX + 1,
    PTRDIFF_MAX,
    PTRDIFF_MAX - 1,
    1 << 62,
    1 << 60,
)
"""Sizes that no block can have: more than any 64-bit processor of today can address."""


def powers(first: int, last: int) -> tuple[int, ...]:
    """The powers of two from `first` to `last`, both powers of two."""
    return tuple(1 << bit for bit in range(first.bit_length() - 1, last.bit_length()))


def around(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Each size with its neighbours on both sides."""
    return tuple(near for size in sizes for near in (size - 1, size, size + 1))


BORDERS = around(powers(2 * KIB, 4 * MIB))
"""Both sides of the borders that lie above the small sizes, up to 4 MiB."""


STEPS = tuple(
    near
    for octave in powers(KIB, 32 * KIB)
    for eighth in range(8)
    for near in (octave + eighth * octave // 8, octave + eighth * octave // 8 + 1)
)
"""Both sides of each eighth of an octave, 1 KiB to 64 KiB: where larger size classes end."""


class Ask(Protocol):
    """How a plan asks an entry point for `size` bytes."""

    def __call__(self, plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
        """Add the call; what is expected of it as for any call of a plan."""
        ...


@dataclass(frozen=True, slots=True)
class Path:
    """One way to get a block: the entry point, and how a plan asks it."""

    name: str
    ask: Ask


def _malloc(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.malloc(size, **expected)


def _calloc(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.calloc(1, size, **expected)


def _realloc(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.realloc(None, size, **expected)


def _reallocarray(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.reallocarray(None, 1, size, **expected)


def _aligned_alloc(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.aligned_alloc(64, (size + 63) & ~63, **expected)


def _posix_memalign(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.posix_memalign(64, size, **expected)


def _memalign(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.memalign(64, size, **expected)


def _valloc(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.valloc(size, **expected)


def _pvalloc(plan: Plan, size: int, **expected: Unpack[Expected]) -> Slot:
    return plan.pvalloc(size, **expected)


_PATHS = (
    Path("malloc", _malloc),
    Path("calloc", _calloc),
    Path("realloc", _realloc),
    Path("reallocarray", _reallocarray),
    Path("aligned_alloc", _aligned_alloc),
    Path("posix_memalign", _posix_memalign),
    Path("memalign", _memalign),
    Path("valloc", _valloc),
    Path("pvalloc", _pvalloc),
)


def entry_paths(trial: Trial) -> Iterator[Path]:
    """The ways that the target has, in an order that never changes."""
    return (path for path in _PATHS if trial.target.capabilities.has(path.name))


class AskAligned(Protocol):
    """How a plan asks for `size` bytes at a multiple of `alignment`."""

    def __call__(self, plan: Plan, alignment: int, size: int, /) -> Slot:
        """Add the call, which must succeed."""
        ...


_ALIGNED: dict[str, AskAligned] = {
    "memalign": Plan.memalign,
    "posix_memalign": Plan.posix_memalign,
    "aligned_alloc": Plan.aligned_alloc,
}


def ask_aligned(trial: Trial) -> AskAligned:
    """The first of memalign, posix_memalign and aligned_alloc that the target has."""
    for name, ask in _ALIGNED.items():
        if trial.target.capabilities.has(name):
            return ask
    raise NotApplicable(f"needs one of {', '.join(_ALIGNED)}")
