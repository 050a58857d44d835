"""Slots: how a plan's builder names blocks."""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Slot", "Slots"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A handle on one block of a plan. `serial` tells the owners of one slot number apart."""

    index: int
    serial: int

    def __str__(self) -> str:
        """As operations spell it."""
        return f"slot {self.index}"


@dataclass(frozen=True, slots=True)
class Slots:
    """The handles that one `malloc_many` made; `blocks[3]` is the fourth one's."""

    first: int
    count: int
    serial: int

    def __len__(self) -> int:
        """How many."""
        return self.count

    def __iter__(self) -> Iterator[Slot]:
        """Each of them, in order."""
        return (Slot(self.first + number, self.serial) for number in range(self.count))

    def __getitem__(self, number: int) -> Slot:
        """One of them, from 0."""
        if not 0 <= number < self.count:
            raise IndexError(number)
        return Slot(self.first + number, self.serial)
