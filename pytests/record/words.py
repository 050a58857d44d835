"""The words of a recording, read and made by the tests' own code (<heapyard/recording.h>)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

HEADER = struct.Struct("<8sIIQQIIQ80sI")
HEADER_SIZE = 4096
MAGIC = b"HYREC1\0\0"
ARGUMENT = 1
ARGUMENTS = {
    "malloc": 1,
    "calloc": 2,
    "realloc_start": 0,
    "realloc": 2,
    "reallocarray": 3,
    "free": 0,
    "aligned_alloc": 2,
    "posix_memalign": 2,
    "memalign": 2,
    "valloc": 1,
    "pvalloc": 1,
}
KINDS = dict(enumerate(ARGUMENTS, 2))
CODES = {name: code for code, name in KINDS.items()}


@dataclass(frozen=True)
class Word:
    """One call: where it stands, what it was."""

    at: int
    kind: str
    thread: int
    address: int
    arguments: tuple[int, ...]


def read_words(path: Path) -> list[Word]:
    """All calls of a recording, each whole."""
    data = path.read_bytes()
    count = HEADER.unpack_from(data)[3]
    words = struct.unpack_from(f"<{min(count, (len(data) - HEADER_SIZE) // 8)}Q", data, HEADER_SIZE)
    return list(_calls(words))


def _calls(words: tuple[int, ...]) -> Iterator[Word]:
    at = 0
    while at < len(words):
        word = words[at]
        kind = KINDS[word & 15]
        arguments = words[at + 1 : at + 1 + ARGUMENTS[kind]]
        assert all(argument & 15 == ARGUMENT for argument in arguments)
        values = tuple(argument >> 4 for argument in arguments)
        yield Word(at, kind, word >> 4 & 0xFFF, word >> 16, values)
        at += 1 + len(arguments)


def call(kind: str, address: int, *arguments: int, thread: int = 1) -> list[int]:
    """The words of one call."""
    assert len(arguments) == ARGUMENTS[kind]
    first = address << 16 | thread << 4 | CODES[kind]
    return [first, *(value << 4 | ARGUMENT for value in arguments)]


def write_recording(path: Path, *calls: Iterable[int], **header: int) -> Path:
    """A file of these calls; `header` may change its version, flags or number of words."""
    words = [word for some in calls for word in some]
    head = HEADER.pack(
        MAGIC,
        header.get("version", 1),
        header.get("flags", 0),
        header.get("words", len(words)),
        7,
        1,
        2,
        3,
        b"",
        6,
    )
    text = (head + b"ls\0-l\0").ljust(HEADER_SIZE, b"\0")
    path.write_bytes(text + struct.pack(f"<{len(words)}Q", *words))
    return path
