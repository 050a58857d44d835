"""The runs of memory that a walk of any allocator shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from heapyard._native.prototypes.block import BlockStruct, WalkFunction

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable


class BlockState(IntEnum):
    """hy_block_state."""

    FREE = 0
    LIVE = 1
    UNUSED = 2
    METADATA = 3


@dataclass(frozen=True, slots=True)
class Block:
    """One run of memory: `size` bytes at `address`, in the allocator's span number `span`."""

    address: int
    size: int
    state: BlockState
    span: int

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.address + self.size

    def __str__(self) -> str:
        return f"{self.address:#x} {self.size:>10} {self.state.name.lower()} (span {self.span})"


def walk(call: Callable[..., int], handle: Any) -> list[Block]:
    """All runs that the native walk function `call` shows of `handle`, in its order."""
    blocks: list[Block] = []

    def visit(_context: int | None, block: ctypes._Pointer[BlockStruct]) -> int:
        run = block.contents
        blocks.append(Block(run.address or 0, run.size, BlockState(run.state), run.span))
        return 0

    call(handle, WalkFunction(visit), None)
    return blocks
