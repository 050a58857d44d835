"""Debug hooks: what watches the domains, and what it has seen.

    setup_debug_hooks()
    ...
    for leak in leaks():
        print(leak)

What the hooks find is reported as misuse (`heapyard.misuse`); the texts stand in
<heapyard/debug.h>.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard._arguments import size_argument
from heapyard._native.library import library
from heapyard._native.prototypes.domain import (
    AllocatorStruct,
    DebugConfigStruct,
    DebugLeakStruct,
    LockFunction,
)
from heapyard.domain import DOMAINS, Allocator, Domain
from heapyard.errors import BadArgumentError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "CLEAN_BYTE",
    "DEAD_BYTE",
    "DEFAULT_GUARD",
    "GUARD_BYTE",
    "HISTORY",
    "MAX_GUARD",
    "DebugOptions",
    "Leak",
    "check_all",
    "debug_hooks",
    "declare_lock",
    "leaks",
    "report_leaks",
    "serial",
    "set_lock_check",
    "setup_debug_hooks",
]

CLEAN_BYTE = 0xCD
"""HY_DEBUG_CLEAN_BYTE: what a new block is filled with."""

DEAD_BYTE = 0xDD
"""HY_DEBUG_DEAD_BYTE: what a freed block is filled with."""

GUARD_BYTE = 0xFD
"""HY_DEBUG_GUARD_BYTE: what lies on both sides of a block."""

DEFAULT_GUARD = 16
"""HY_DEBUG_DEFAULT_GUARD, in bytes."""

MAX_GUARD = 4096
"""HY_DEBUG_MAX_GUARD, in bytes."""

HISTORY = 65536
"""HY_DEBUG_HISTORY: blocks that left quarantine and are still known by name."""

_NO_QUARANTINE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DebugOptions:
    """How hooks are made. Sizes in bytes; 0: the default."""

    guard_bytes: int = 0
    """On each side; a multiple of 16."""
    quarantine_bytes: int = 0
    quarantine_blocks: int = 0
    quarantine: bool = True
    """False: freed blocks go back at once, and writes to them are not told."""

    def struct(self) -> DebugConfigStruct:
        """As C takes it. Raises BadArgumentError."""
        if not 0 <= self.guard_bytes <= MAX_GUARD or self.guard_bytes % 16:
            bound = f"must be a multiple of 16 from 0 (the default) to {MAX_GUARD}"
            raise BadArgumentError("guard_bytes", self.guard_bytes, bound)
        return DebugConfigStruct(
            ctypes.sizeof(DebugConfigStruct),
            self.guard_bytes,
            size_argument("quarantine_bytes", self.quarantine_bytes),
            size_argument("quarantine_blocks", self.quarantine_blocks),
            0 if self.quarantine else _NO_QUARANTINE,
        )


@dataclass(frozen=True, slots=True)
class Leak:
    """A block that is still live."""

    address: int
    size: int
    """In bytes, as asked for."""
    serial: int
    domain: Domain


def setup_debug_hooks(
    domains: Iterable[Domain] = DOMAINS, options: DebugOptions | None = None
) -> None:
    """Set up hooks around what serves the domains. Raises OutOfMemoryError.

    A domain that has them already is left as it is.
    """
    config = (options or DebugOptions()).struct()
    bits = sum({1 << domain.number for domain in domains})
    if not library().hy_domain_setup_debug_hooks(bits, config):
        raise OutOfMemoryError("No memory for debug hooks.")


def debug_hooks(domain: Domain, below: Allocator, options: DebugOptions | None = None) -> Allocator:
    """Hooks around `below`, to be set as the domain's allocator. Raises OutOfMemoryError."""
    result = AllocatorStruct()
    config = (options or DebugOptions()).struct()
    if not library().hy_debug_wrap(domain.number, below.struct(), config, result):
        raise OutOfMemoryError("No memory for debug hooks.")
    return Allocator.read(result)


def serial() -> int:
    """The serial number of the last request under hooks; 0: none so far."""
    return int(library().hy_debug_serial())


def check_all() -> int:
    """Verify every block under hooks; each damaged one is reported. Returns how many they are."""
    return int(library().hy_debug_check_all())


def leaks(limit: int | None = None) -> list[Leak]:
    """The blocks that are live, oldest first; the oldest `limit` where it is given."""
    native = library()
    count = native.hy_debug_leaks(None, 0, None)
    rows = (DebugLeakStruct * (count if limit is None else min(limit, count)))()
    found = native.hy_debug_leaks(rows, len(rows), None)
    return [
        Leak(row.address or 0, row.size, row.serial, DOMAINS[row.domain])
        for row in rows[: min(found, len(rows))]
    ]


def report_leaks(limit: int = 20) -> int:
    """Print them to standard error, at most `limit` in lines of their own. Returns their number."""
    return int(library().hy_debug_report_leaks(size_argument("limit", limit)))


_checks: list[object] = []


def set_lock_check(holds: Callable[[], bool] | None) -> None:
    """Have the hooks of mem and obj ask whether the calling thread holds the lock; None: don't.

    `holds` stays for good. An exception in it counts as no. Raises OutOfMemoryError.
    """
    function = LockFunction(0 if holds is None else lambda _: _holds(holds))
    _checks.append(function)
    if not library().hy_debug_set_lock_check(function, None):
        raise OutOfMemoryError("No memory for another check of the lock.")


def _holds(holds: Callable[[], bool]) -> bool:
    try:
        return bool(holds())
    except Exception:  # it can't travel through C
        return False


def declare_lock(*, held: bool) -> None:
    """Declare whether the calling thread may hold the lock."""
    library().hy_debug_declare_lock(held)
