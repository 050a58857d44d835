"""What a plan says about itself before its calls, and the errors of plans."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heapyard.errors import HeapyardError
from heapyard.trial.checks import Check

__all__ = [
    "MAX_ALIGNMENT",
    "MAX_SLOTS",
    "MAX_STRAY",
    "PTRDIFF_MAX",
    "SIZE_MAX",
    "Header",
    "PlanError",
]

SIZE_MAX = (1 << 64) - 1
PTRDIFF_MAX = (1 << 63) - 1
MAX_ALIGNMENT = 1 << 20
"""Of `Header.alignment`; a single call may ask for any."""
MAX_SLOTS = 1 << 24
MAX_STRAY = 4096
"""How many bytes a stray write has at most, and how far from its block it begins."""


class PlanError(HeapyardError):
    """A plan that can't be: a value out of bounds, a slot without a block, an unreadable file."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """The settings of a plan; `Plan` takes the same names."""

    name: str = ""
    checks: Check = Check.DEFAULT
    seed: int = 0
    """Patterns are made from it: 0 to SIZE_MAX."""
    alignment: int = 0
    """What every block must be aligned to, in bytes; a power of two, or 0: the target's own."""
    weak_alignment: bool = False
    """Requests smaller than `alignment` need only the largest power of two not above their size
    (C23 7.24.3, DR 445)."""
    repeat: int = 1
    """How many times the calls run; what is still live at the end of a round is verified and
    freed."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where the plan comes from: "target", "prefix", "mode", "rule", ...: kept in JSON only."""

    def __post_init__(self) -> None:
        """Reject what the runner would refuse, by name."""
        _require("seed", self.seed, 0 <= self.seed <= SIZE_MAX, "must be 0 to 2**64 - 1")
        _require("repeat", self.repeat, 1 <= self.repeat <= SIZE_MAX, "must be at least 1")
        power = self.alignment >= 0 and self.alignment & (self.alignment - 1) == 0
        small = self.alignment <= MAX_ALIGNMENT
        bound = f"must be 0 or a power of two up to {MAX_ALIGNMENT}"
        _require("alignment", self.alignment, power and small, bound)


def _require(name: str, value: object, holds: bool, bound: str) -> None:
    if not holds:
        raise PlanError(f"Invalid {name}={value}: {bound}")
