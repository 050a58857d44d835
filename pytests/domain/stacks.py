"""What serves the domains in these tests: an allocator at the bottom, and hooks in stacks on it.

Children use it too: `stacked("malloc", "hooks")`, before anything else is asked of a domain.
"""

from __future__ import annotations

import ctypes
import mmap
import os

from heapyard.debug import DebugOptions, debug_hooks, setup_debug_hooks
from heapyard.domain import DOMAINS, Allocator, Domain, PythonAllocator

NOTHING = Allocator(0, 0, 0, 0, 0)

_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)


class Reusing(PythonAllocator):
    """A user's allocator that spoils what is freed and hands it out again at once."""

    def __init__(self) -> None:
        super().__init__(NOTHING)
        self._memory = mmap.mmap(-1, 16 << 20)
        self.first = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._next = self.first
        self._sizes: dict[int, int] = {}
        self.free_blocks: list[int] = []
        self.fails = False

    def malloc(self, size: int) -> int | None:
        whole = (size + 31) // 16 * 16
        if self.fails or self._next + whole > self.first + (16 << 20):
            return None
        for block in reversed(self.free_blocks):
            if self._sizes[block] == whole:
                self.free_blocks.remove(block)
                return block
        block = self._next
        self._next += whole
        self._sizes[block] = whole
        return block

    def calloc(self, count: int, size: int) -> int | None:
        block = self.malloc(count * size)
        if block is not None:
            ctypes.memset(block, 0, count * size)
        return block

    def realloc(self, address: int, size: int) -> int | None:
        block = self.malloc(size)
        if block is not None:
            ctypes.memmove(block, address, min(size, self._sizes[address]))
            self.free(address)
        return block

    def free(self, address: int) -> None:
        ctypes.memset(address, 0x11, self._sizes[address])
        self.free_blocks.append(address)


class Unmapping(PythonAllocator):
    """A user's allocator that gives each block pages of its own and takes them away at free."""

    def __init__(self) -> None:
        super().__init__(NOTHING)
        self._sizes: dict[int, int] = {}

    def malloc(self, size: int) -> int | None:
        whole = (size + 4096) // 4096 * 4096
        block: int = _libc.mmap(None, whole, 3, 0x22, -1, 0)
        self._sizes[block] = whole
        return block

    def calloc(self, count: int, size: int) -> int | None:
        return self.malloc(count * size)

    def free(self, address: int) -> None:
        _libc.munmap(address, self._sizes.pop(address))


BOTTOMS = ["malloc", "reusing", "unmapping"]
"""By the name that `stacked` takes."""

STACKS = ["hooks", "hooks_on_hooks", "wrapped_hooks", "hooks_on_wrapped_hooks"]


def bottom_of(name: str, domain: Domain) -> Allocator:
    """A fresh allocator of a user, or what HEAPYARD_MALLOC chose."""
    if name == "reusing":
        return Reusing().table
    if name == "unmapping":
        return Unmapping().table
    return domain.allocator


def stack_on(
    below: Allocator, domain: Domain, stack: str, options: DebugOptions | None = None
) -> Allocator:
    """The table of a stack of hooks; "plain" is none."""
    for layer in reversed(stack.split("_on_")):
        if layer != "plain":
            below = debug_hooks(domain, below, options)
        if layer == "wrapped_hooks":
            below = PythonAllocator(below).table
    return below


def stacked(bottom: str, stack: str, options: DebugOptions | None = None) -> None:
    """Set up all domains of a fresh process."""
    if bottom in ("malloc", "heap"):
        os.environ["HEAPYARD_MALLOC"] = bottom
        if stack == "hooks":
            setup_debug_hooks(options=options)
            return
    for domain in DOMAINS:
        domain.set_allocator(stack_on(bottom_of(bottom, domain), domain, stack, options))
