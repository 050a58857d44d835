"""A benchmark's executable: the figures that a run prints, and the instructions that it takes."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Program"]

CALLGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]


@dataclass(frozen=True, slots=True)
class Program:
    """An executable that takes `MODE COUNT [more...]` and prints one line of JSON."""

    path: Path
    few: int = 100_000
    many: int = 1_100_000
    more: tuple[str, ...] = ()
    """What follows the count where instructions are counted."""

    def figures(self, *arguments: str) -> dict[str, float]:
        """What a run prints."""
        done = subprocess.run([self.path, *arguments], check=True, capture_output=True, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def measure(self, *arguments: str) -> int:
        """The one figure that a run prints."""
        (value,) = self.figures(*arguments).values()
        return int(value)

    def instructions(self, mode: str) -> float:
        """For one of COUNT, by callgrind: two runs' difference, so start and end fall out."""
        few, many = (collected(self.path, mode, n, *self.more) for n in (self.few, self.many))
        return (many - few) / (self.many - self.few)


def collected(*command: object) -> int:
    """The instructions of a whole run."""
    done = subprocess.run(
        [*CALLGRIND, *map(str, command)], check=True, capture_output=True, text=True
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise SystemExit(f"callgrind printed no count:\n{done.stderr}")
    return int(found[1])
