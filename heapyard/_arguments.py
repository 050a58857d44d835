"""Checks of arguments, before they reach C."""

from __future__ import annotations

import ctypes

from heapyard.errors import BadArgumentError

SIZE_MAX = 2 ** (8 * ctypes.sizeof(ctypes.c_size_t)) - 1


def size_argument(name: str, value: int) -> int:
    """`value`, if C can take it as a size_t."""
    if not 0 <= value <= SIZE_MAX:
        raise BadArgumentError(name, value, f"must be from 0 to {SIZE_MAX}")
    return value


def alignment_argument(name: str, value: int, *, least: int, most: int) -> int:
    """`value`, if it is a power of two within the bounds."""
    if not least <= value <= most or value & (value - 1):
        raise BadArgumentError(name, value, f"must be a power of two from {least} to {most}")
    return value
