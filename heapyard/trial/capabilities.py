"""What a target can do: declared by its table, or found out by looking up its entry points."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from heapyard._tells import TELLS

__all__ = ["Capabilities"]

_LARGE = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """The facts that rules may need of a target."""

    name: str
    """What the allocator calls itself; the file's name where it says nothing."""
    functions: frozenset[str]
    """Entry points by their C names without prefix; `usable_size`, `trim` and `check` besides."""
    flags: frozenset[str] = frozenset()
    """"errno": a failing call sets it; "threads": may be called from several threads;
    "bulk_free_only": no single free; "keeps_memory": what was freed stays with the allocator;
    those of TELLS: it promises to tell misuse."""
    min_alignment: int = 16
    """Of every block, in bytes."""
    max_size: int = (1 << 63) - 1
    """The largest request that can ever be served, in bytes."""
    table: bool = False
    """Whether the library exports a `heapyard_target` table (an allocator with handles)."""

    def has(self, need: str) -> bool:
        """Whether a need is met: an entry point, a flag, "large" or "release".

        Large: blocks of 1 GiB; release: what is freed can go back to the system.
        """
        if need == "large":
            return self.max_size >= _LARGE
        if need == "release":
            return "free" in self.functions and "keeps_memory" not in self.flags
        return need in self.functions or need in self.flags

    def telling(self, kinds: Iterable[str]) -> "Capabilities":
        """The same, and it promises to tell these kinds of misuse (keys of TELLS)."""
        return replace(self, flags=self.flags | {TELLS[kind] for kind in kinds})

    def to_json(self) -> dict[str, Any]:
        """Facts for reports, in a stable order."""
        return {
            "name": self.name,
            "functions": sorted(self.functions),
            "flags": sorted(self.flags),
            "min_alignment": self.min_alignment,
            "max_size": self.max_size,
            "table": self.table,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Capabilities":
        """Read what the runner prints (schema heapyard.capabilities/1), or `to_json` gave."""
        return cls(
            name=document["name"],
            functions=frozenset(document["functions"]),
            flags=frozenset(document["flags"]),
            min_alignment=document["min_alignment"],
            max_size=document["max_size"],
            table=bool(document["table"]),
        )
