"""Slots: how a plan's builder names blocks."""

from dataclasses import dataclass

__all__ = ["Slot"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A handle on one block of a plan. `serial` tells the owners of one slot number apart."""

    index: int
    serial: int

    def __str__(self) -> str:
        """As operations spell it."""
        return f"slot {self.index}"
