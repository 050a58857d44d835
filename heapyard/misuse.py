"""Misuse of an allocator, as the native library reports it.

By default the library prints one line and aborts the process. `recorded_misuse` replaces that for
a while: the misused call then has no effect, and what was reported can be read.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from heapyard._native.library import library
from heapyard._native.prototypes.misuse import MisuseHandler, MisuseStruct

if TYPE_CHECKING:
    from collections.abc import Iterator


class MisuseKind(IntEnum):
    """hy_misuse_kind."""

    DOUBLE_FREE = 0
    FOREIGN_POINTER = 1
    INTERIOR_POINTER = 2
    MISALIGNED_POINTER = 3
    UNUSED_POINTER = 4
    WRONG_SIZE = 5
    CORRUPTED = 6
    WRITE_AFTER_FREE = 7
    BAD_ARGUMENT = 8
    OVERFLOW = 9
    UNDERFLOW = 10
    WRONG_DOMAIN = 11
    NO_LOCK = 12

    @property
    def text(self) -> str:
        """As the default handler prints it."""
        text: bytes = library().hy_misuse_text(self)
        return text.decode()


@dataclass(frozen=True, slots=True)
class Misuse:
    """One report: what was misused, in which part, and the address that was passed."""

    kind: MisuseKind
    part: str
    detail: str
    address: int
    dump: str = ""
    """Lines that show the memory around it, where it was looked at."""


@contextmanager
def recorded_misuse() -> Iterator[list[Misuse]]:
    """Collect the reports of this process instead of aborting. Not for use by several threads."""
    reports: list[Misuse] = []

    def handle(_context: int | None, pointer: ctypes._Pointer[MisuseStruct]) -> None:
        report = pointer.contents
        detail = (report.detail or b"").decode()
        kind = MisuseKind(report.kind)
        dump = (report.dump or b"").decode()
        reports.append(Misuse(kind, report.part.decode(), detail, report.address or 0, dump))

    handler = MisuseHandler(handle)
    old_handler, old_context = ctypes.c_void_p(), ctypes.c_void_p()
    native = library()
    native.hy_misuse_set_handler(handler, None, old_handler, old_context)
    try:
        yield reports
    finally:
        before = ctypes.cast(old_handler, MisuseHandler)
        native.hy_misuse_set_handler(before, old_context, None, None)
