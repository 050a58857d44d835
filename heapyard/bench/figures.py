"""Medians, spreads and ratios: pure arithmetic on the figures of rounds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Spread"]


@dataclass(frozen=True)
class Spread:
    """The median of some figures, and the quartiles between which half of them lie."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value. Quartiles are those of the values themselves, interpolated."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    @classmethod
    def of_ratios(cls, values: Sequence[float], to: Sequence[float]) -> "Spread":
        """Of each round's own ratio: what slows a whole round down is in neither."""
        return cls.of([value / other for value, other in zip(values, to, strict=True)])

    @property
    def holds_one(self) -> bool:
        """Whether 1 lies between the quartiles: of a ratio, that no difference was seen."""
        return self.low <= 1.0 <= self.high
