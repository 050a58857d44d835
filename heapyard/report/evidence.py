"""What a page shows of one verdict beside the verdict itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

__all__ = ["Block", "Evidence", "Fault", "MemoryPoint"]


class Block(NamedTuple):
    """A block in the heap's history."""

    came: int
    """The step (the index of the call, over all rounds) at which it came."""
    went: int | None
    """At which it went; None: it was live to the end."""
    address: int
    size: int


class Fault(NamedTuple):
    """Where a plan failed."""

    step: int
    kind: str
    address: int
    """Of the block that the engine complained about; 0: unknown."""
    size: int


class MemoryPoint(NamedTuple):
    """Memory after one call, in bytes."""

    step: int
    live: int
    resident: int
    mapped: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All plain data, so that it travels between processes."""

    about: str = ""
    """The rule's docstring, below its first line."""
    bug: str = ""
    """The public bug that the rule would have caught."""
    calls: tuple[str, ...] = ()
    """The plan's calls around the failing one."""
    first_call: int = 0
    """The number of the first of these."""
    failing_call: int | None = None
    call_count: int = 0
    program: str = ""
    """The text of the C program."""
    blocks: tuple[Block, ...] = ()
    """In order of coming."""
    fault: Fault | None = None
    blocks_dropped: int = 0
    """How many events are missing before the first one shown."""
    memory: tuple[MemoryPoint, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain types only: workers can't send a tuple with names."""
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "blocks": tuple(tuple(each) for each in self.blocks),
            "fault": None if self.fault is None else tuple(self.fault),
            "memory": tuple(tuple(each) for each in self.memory),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_dict`, also of what workers sent."""
        fault = content["fault"]
        return cls(
            **{
                **content,
                "calls": tuple(content["calls"]),
                "blocks": tuple(Block(*each) for each in content["blocks"]),
                "fault": None if fault is None else Fault(*fault),
                "memory": tuple(MemoryPoint(*each) for each in content["memory"]),
            }
        )
