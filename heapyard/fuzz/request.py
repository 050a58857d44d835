"""A request for random plans (<heapyard/trial.h>), and the plans that it gives."""

import ctypes
from dataclasses import dataclass

from heapyard._native.library import library
from heapyard._native.prototypes.trial import TrialFuzzStruct
from heapyard.trial.checks import Check
from heapyard.trial.packed import PackedPlan
from heapyard.trial.targets import Target

__all__ = ["MOST_THREADS", "OMIT_ENDINGS", "OMIT_NO_BYTES", "OMIT_REFUSED", "Request"]

MOST_THREADS = 16
"""Of one plan, beside main's."""

OMIT_NO_BYTES = 1
"""posix_memalign of zero bytes, which else must succeed."""

OMIT_ENDINGS = 2
"""Calls in destructors of threads."""

OMIT_REFUSED = 4
"""What can't be served."""

_MAGIC = int.from_bytes(b"HYFUZZ1\0", "little")
_FLAGS = {"errno": 1, "bulk_free_only": 2, "threads": 4}
_FIRST_GUESS = 1 << 17
_ROOM_AT_MOST = 1 << 26


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which plans: `count` of them from number `first`.

    A number's plan follows from the seed and what the target can do, and from nothing else.
    """

    seed: int
    first: int
    count: int
    functions: frozenset[str]
    flags: frozenset[str]
    checks: Check = Check.DEFAULT
    threads: int = 1
    """1: each plan has one; else two to so many, and each plan has some."""
    omits: int = 0
    """What plans don't ask for: OMIT_..."""

    @classmethod
    def of(  # noqa: PLR0913
        cls,
        target: Target,
        *,
        seed: int,
        first: int,
        count: int,
        checks: Check,
        threads: int = 1,
        omits: int = 0,
    ) -> "Request":
        """For what this target can do."""
        return cls(
            seed=seed,
            first=first,
            count=count,
            functions=target.capabilities.functions - {"check"},
            flags=target.capabilities.flags,
            checks=checks,
            threads=threads,
            omits=omits,
        )

    def to_bytes(self) -> bytes:
        """As the runner reads it in place of a plan."""
        return bytes(self._struct())

    def _struct(self) -> TrialFuzzStruct:
        return TrialFuzzStruct(
            magic=_MAGIC,
            size=ctypes.sizeof(TrialFuzzStruct),
            functions=_mask(self.functions),
            flags=sum(_FLAGS.get(flag, 0) for flag in self.flags),
            seed=self.seed,
            first=self.first,
            count=self.count,
            checks=self.checks.value,
            threads=self.threads,
            omits=self.omits,
        )

    def draw(self, number: int) -> PackedPlan:
        """The plan of this number."""
        room = _FIRST_GUESS
        while room <= _ROOM_AT_MOST:
            buffer = ctypes.create_string_buffer(room)
            draw = library("libheapyard_trial").hy_trial_draw
            size = draw(ctypes.byref(self._struct()), number, buffer, room)
            if size <= room:
                return PackedPlan(buffer.raw[:size], f"seed {self.seed}, plan {number}")
            room = size
        raise MemoryError(f"plan {number} of seed {self.seed} has {room} bytes")


def _mask(functions: frozenset[str]) -> int:
    name_of = library("libheapyard_trial").hy_trial_function_name
    mask, index = 0, 0
    while (name := name_of(index)) is not None:
        mask |= (name.decode() in functions) << index
        index += 1
    return mask
