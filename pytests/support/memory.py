"""Reading and writing raw memory, and asking the kernel about it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)

KERNEL_PAGE = os.sysconf("SC_PAGESIZE")


def read(address: int, size: int) -> bytes:
    """The bytes there."""
    return ctypes.string_at(address, size)


def write(address: int, data: bytes) -> None:
    """Put bytes there."""
    ctypes.memmove(address, data, len(data))


def fill(address: int, byte: int, size: int) -> None:
    """Put the same byte everywhere."""
    ctypes.memset(address, byte, size)


def peek(address: int, size: int) -> bytes:
    """The bytes there, also of what is no live block: sanitizers don't see this way of reading."""
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        return os.pread(memory.fileno(), size, address)


def poke(address: int, data: bytes) -> None:
    """Put bytes there, as a stray write would, unseen by sanitizers."""
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        assert os.pwrite(memory.fileno(), data, address) == len(data)


def is_zero(address: int, size: int) -> bool:
    """Whether all bytes are 0."""
    return not read(address, size).strip(b"\0")


def resident_pages(address: int, size: int) -> int:
    """How many of the pages are in memory (mincore). Raises OSError where one is not mapped.

    Valid for anonymous memory just written or just purged with MADV_DONTNEED: nothing swaps here.
    """
    pages = ctypes.create_string_buffer(size // KERNEL_PAGE)
    if _libc.mincore(address, size, pages) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return sum(byte & 1 for byte in pages.raw)


def is_mapped(address: int, size: int) -> bool:
    """Whether all of the pages are mapped."""
    try:
        resident_pages(address, size)
    except OSError:
        return False
    return True


def mapped_bytes() -> int:
    """The size of the process' address space, as the kernel counts it."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * KERNEL_PAGE


def anonymous_bytes() -> int:
    """Anonymous memory of this process that is resident, less what the kernel may take (smaps)."""
    fields = {
        line.split()[0]: int(line.split()[1])
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    }
    return (fields["Anonymous:"] - fields["LazyFree:"]) * 1024
