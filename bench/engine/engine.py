"""How fast the engine is: verified operations a second on the libc, beside its floor.

    python bench/engine/engine.py [--rounds 15] [--json FILE]
    python bench/engine/engine.py --instructions        # callgrind: needs valgrind

Each plan mixes malloc and free of small blocks at random, all default checks on, so every block is
filled with a pattern, held against the index of addresses, and verified when it is freed. The floor
is the same plan on an allocator that does nothing (floor.c): what the engine itself costs. Runs on
the two are interleaved; medians and the best of each are printed, in processor time, which other
processes on the machine disturb less than the clock (but do disturb: caches, sibling threads).
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.program import collected
from heapyard._native.build import Build, current_build
from heapyard.trial import Plan, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS = 100_000
REPEAT = 40


@dataclass(frozen=True, kw_only=True)
class Load:
    """A mix: how many blocks are live, and their sizes in bytes."""

    name: str
    live: int
    smallest: int
    largest: int


LOADS = (
    Load(name="100 live, 16 to 256 B", live=100, smallest=16, largest=256),
    Load(name="1,000 live, 16 to 256 B", live=1_000, smallest=16, largest=256),
    Load(name="10,000 live, 16 to 256 B", live=10_000, smallest=16, largest=256),
    Load(name="1,000 live, 16 to 64 B", live=1_000, smallest=16, largest=64),
    Load(name="1,000 live, 64 B", live=1_000, smallest=64, largest=64),
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """Nanoseconds of processor time per operation."""

    load: str
    target: str
    median: float
    best: float

    @property
    def millions(self) -> float:
        """Operations a second at the median, in millions."""
        return 1e3 / self.median


def mix(load: Load, repeat: int) -> Plan:
    """Random mallocs and frees, between half of `live` blocks and all of them."""
    draw = random.Random(1)
    plan = Plan(load.name, seed=1, repeat=repeat)
    slots: list[Slot] = []
    for _ in range(OPERATIONS):
        grows = len(slots) < load.live // 2 or draw.random() < 0.5
        if grows and len(slots) < load.live:
            slots.append(plan.malloc(draw.randint(load.smallest, load.largest)))
        else:
            at = draw.randrange(len(slots))
            slots[at], slots[-1] = slots[-1], slots[at]
            plan.free(slots.pop())
    return plan


def floor_of(build: Build) -> Path:
    """The library of floor.c in this build."""
    return build.source.parent / "lib" / "libheapyard_bench_floor.so"


def commands(build: Build) -> dict[str, list[str]]:
    """The runner on each target."""
    runner = str(build.runner)
    return {"libc": [runner], "floor": [runner, "--library", str(floor_of(build))]}


def nanoseconds(command: list[str]) -> float:
    """One run: nanoseconds of processor time per operation."""
    done = subprocess.run(command, capture_output=True, check=True)
    outcome = json.loads(done.stdout)
    if outcome["status"] != "held":
        raise SystemExit(f"the plan does not hold: {done.stdout.decode()}")
    return float(outcome["cpu_nanoseconds"] / outcome["operations"])


def measure(load: Load, rounds: int, build: Build) -> Iterator[Result]:
    """One result per target, from interleaved rounds."""
    with tempfile.NamedTemporaryFile(suffix=".plan") as file:
        file.write(mix(load, REPEAT).to_bytes())
        file.flush()
        times: dict[str, list[float]] = {name: [] for name in commands(build)}
        for _ in range(rounds):
            for name, command in commands(build).items():
                times[name].append(nanoseconds([*command, "--plan", file.name]))
    for name, values in times.items():
        median = statistics.median(values)
        yield Result(load=load.name, target=name, median=median, best=min(values))


def instructions(load: Load, build: Build) -> dict[str, float]:
    """Instructions per operation on each target, by callgrind: the difference of two runs."""
    return {
        name: (_counted(command, load, 3) - _counted(command, load, 1)) / (2 * OPERATIONS)
        for name, command in commands(build).items()
    }


def _counted(command: list[str], load: Load, repeat: int) -> int:
    with tempfile.NamedTemporaryFile(suffix=".plan") as file:
        file.write(mix(load, repeat).to_bytes())
        file.flush()
        return collected(*command, "--plan", file.name)


def print_times(rounds: int) -> list[Result]:
    """The table of times, as it is measured."""
    build = current_build()
    print(build.describe())
    print(f"{'load':<26} {'target':<6} {'median':>10} {'best':>10} {'operations':>14}")
    results = []
    for load in LOADS:
        for result in measure(load, rounds, build):
            results.append(result)
            print(
                f"{result.load:<26} {result.target:<6} {result.median:>7.1f} ns "
                f"{result.best:>7.1f} ns {result.millions:>9.1f} M/s"
            )
    return results


def print_instructions() -> None:
    """The table of instructions."""
    build = current_build()
    print(build.describe())
    for load in LOADS:
        counts = instructions(load, build)
        print(f"{load.name:<26} libc {counts['libc']:>6.0f}   floor {counts['floor']:>6.0f}")


def main() -> None:
    """Parse the command line and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--instructions", action="store_true")
    options = parser.parse_args()
    if options.instructions:
        print_instructions()
        return
    results = print_times(options.rounds)
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in results], indent=2))


if __name__ == "__main__":
    main()
