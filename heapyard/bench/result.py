"""What a benchmark run found: for each plan a row for each target."""

import statistics
from dataclasses import dataclass, field

from heapyard.bench.figures import Spread
from heapyard.bench.settings import Settings
from heapyard.bench.single import Sample, Trouble
from heapyard.bench.targets import FLOOR, BenchTarget

__all__ = ["BenchReport", "PlanReport", "Row"]


@dataclass(frozen=True)
class Row:
    """One target on one plan: a sample for each round, or what went wrong."""

    target: str
    samples: tuple[Sample, ...] = ()
    trouble: Trouble | None = None
    instructions: float | None = None
    """Of a malloc, a write and a free, with the loop; None: not counted."""

    @property
    def pairs(self) -> list[float]:
        """Each round's nanoseconds for a malloc and a free."""
        return [sample.pair for sample in self.samples]

    @property
    def pair(self) -> Spread:
        """Nanoseconds for a malloc and a free."""
        return Spread.of(self.pairs)

    @property
    def wall_pair(self) -> Spread:
        """The same by the clock."""
        return Spread.of([2 * each.nanoseconds / max(1, each.operations) for each in self.samples])

    @property
    def peak(self) -> float:
        """Bytes."""
        return statistics.median(sample.peak for sample in self.samples)

    @property
    def final(self) -> float:
        """Bytes."""
        return statistics.median(sample.final for sample in self.samples)

    @property
    def trimmed(self) -> float | None:
        """Bytes; None: the target has no `trim`."""
        values = [sample.trimmed for sample in self.samples if sample.trimmed is not None]
        return statistics.median(values) if values else None

    @property
    def faults(self) -> float:
        """Minor page faults."""
        return statistics.median(sample.faults for sample in self.samples)

    def ratio_to(self, other: "Row") -> Spread | None:
        """Of the times; None where one of the two has none."""
        if self.trouble or other.trouble or not self.samples:
            return None
        return Spread.of_ratios(self.pairs, other.pairs)


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """One plan's rows, in the order of the targets."""

    name: str
    title: str
    rows: tuple[Row, ...]

    @property
    def first(self) -> Row:
        """The row that others are compared with."""
        return self.rows[0]

    @property
    def floor(self) -> Row:
        """The row of the allocator that does nothing."""
        return next(row for row in self.rows if row.target == FLOOR)

    def net_instructions(self, row: Row) -> float | None:
        """A row's instructions for a pair, less those of the floor."""
        if row.instructions is None or self.floor.instructions is None:
            return None
        return row.instructions - self.floor.instructions

    @property
    def live_peak(self) -> int:
        """The most bytes live at once; 0 where no target got through."""
        return max((s.live_peak for row in self.rows for s in row.samples), default=0)


@dataclass(frozen=True, kw_only=True)
class BenchReport:
    """The whole run."""

    version: str
    machine: str
    settings: Settings
    targets: tuple[BenchTarget, ...] = field(repr=False)
    plans: tuple[PlanReport, ...]
