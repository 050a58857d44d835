"""What a benchmark run is given besides its targets and plans."""

from dataclasses import dataclass

from heapyard.errors import BadArgumentError

__all__ = ["MAX_LIVE", "MAX_SIZE", "MIN_SIZE", "Settings"]

MAX_LIVE = 1 << 24
MIN_SIZE = 8
"""Each block is written 8 bytes at its start."""
MAX_SIZE = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Checked on making. Raises BadArgumentError."""

    rounds: int = 9
    live: int = 10_000
    """Blocks live at once, in the plans that are generated."""
    sizes: tuple[int, int] = (8, 512)
    """The smallest and the largest block in bytes, in the plans that are generated."""
    sized: bool = False
    """Free with the size, where the target has `free_sized`."""
    seed: int = 0
    pairs: int = 1 << 20
    """A run goes through its plan until it has timed so many pairs of calls."""
    time_limit: float = 120.0
    """Of one run, in seconds."""

    def __post_init__(self) -> None:
        low, high = self.sizes
        _require("rounds", self.rounds, 1, 100_000)
        _require("live", self.live, 1, MAX_LIVE)
        _require("seed", self.seed, 0, (1 << 64) - 1)
        _require("pairs", self.pairs, 1, 1 << 40)
        if not MIN_SIZE <= low <= high <= MAX_SIZE:
            bound = f"must be LOW-HIGH within {MIN_SIZE} to {MAX_SIZE} bytes"
            raise BadArgumentError("sizes", f"{low}-{high}", bound)


def _require(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadArgumentError(name, value, f"must be {least} to {most}")
