"""What the bump arena costs: python bench/bump/run.py [--bench build/bin/bench_bump].

Times are medians of interleaved runs, so that a change of the machine's speed meets all of them.
Instructions are callgrind's, as the difference of two counts: start and end fall out. By hand:

    valgrind --tool=callgrind --callgrind-out-file=/dev/null BENCH bump 1000000
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BLOCKS = 10_000_000
MODES = ("increment", "bump", "fresh")


@dataclass(frozen=True, slots=True)
class Bench:
    """The benchmark's executable."""

    path: Path

    def measure(self, *arguments: str) -> int:
        """The one figure that a run prints."""
        done = subprocess.run([self.path, *arguments], check=True, capture_output=True, text=True)
        (value,) = json.loads(done.stdout).values()
        return int(value)

    def instructions(self, mode: str) -> float:
        """Per block, by callgrind."""
        few, many = (self._collected(mode, count) for count in (100_000, 1_100_000))
        return (many - few) / 1_000_000

    def _collected(self, mode: str, count: int) -> int:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        done = subprocess.run(
            [*command, self.path, mode, str(count)], check=True, capture_output=True, text=True
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        if found is None:
            raise SystemExit(f"callgrind printed no count:\n{done.stderr}")
        return int(found[1])


def report_requests(bench: Bench, rounds: int) -> None:
    """A 20-byte request beside the inlined increment."""
    times: dict[str, list[float]] = {mode: [] for mode in MODES}
    for _ in range(rounds):
        for mode in MODES:
            times[mode].append(bench.measure(mode, str(BLOCKS)) / BLOCKS)
    medians = {mode: statistics.median(values) for mode, values in times.items()}
    for mode in MODES:
        print(f"{mode:<10} {medians[mode]:6.2f} ns per 20-byte block")
    print(f"time:         bump / increment = {medians['bump'] / medians['increment']:.2f}")


def report_instructions(bench: Bench) -> None:
    """The same in instructions."""
    if shutil.which("valgrind") is None:
        print("instructions: no valgrind here")
        return
    counts = {mode: bench.instructions(mode) for mode in ("increment", "bump")}
    ratio = counts["bump"] / counts["increment"]
    print(
        f"instructions: bump / increment = {counts['bump']:.2f} / {counts['increment']:.2f} "
        f"= {ratio:.2f}"
    )


def report_delete(bench: Bench, rounds: int) -> None:
    """The same bytes in blocks of two sizes: what counts is the memory."""
    loads = [(BLOCKS, 20), (BLOCKS // 100, 3200)]
    times: list[list[int]] = [[], []]
    for _ in range(rounds):
        for values, (count, size) in zip(times, loads, strict=True):
            values.append(bench.measure("delete", str(count), str(size)))
    for values, (count, size) in zip(times, loads, strict=True):
        milliseconds = statistics.median(values) / 1e6
        print(f"delete of {count:>10,} blocks of {size:>5,} B: {milliseconds:.1f} ms")


def report_waste(bench: Bench) -> None:
    """16 and 8,200 bytes in turn."""
    count = 20_000
    ratio = bench.measure("alternate", str(count)) / (count * (16 + 8200))
    print(f"16 B / 8,200 B in turn: mapped / payload = {ratio:.3f}")


def main() -> None:
    """Parse the command line and print everything."""
    parser = argparse.ArgumentParser(description="What the bump arena costs.")
    default = CHECKOUT / "build" / "bin" / "bench_bump"
    parser.add_argument("--bench", type=Path, default=default)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if not options.bench.is_file():
        parser.error(f"no {options.bench}: build with -DHEAPYARD_BUILD_BENCH=ON, or name it")
    bench = Bench(options.bench)
    report_requests(bench, options.rounds)
    report_instructions(bench)
    report_delete(bench, min(options.rounds, 5))
    report_waste(bench)


if __name__ == "__main__":
    main()
