"""What the bump arena costs: python bench/bump/run.py [--bench build/bin/bench_bump].

Times are medians of interleaved runs, so that a change of the machine's speed meets all of them.
Instructions are callgrind's, as the difference of two counts: start and end fall out. By hand:

    valgrind --tool=callgrind --callgrind-out-file=/dev/null BENCH bump 1000000
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from bench.program import Program  # noqa: E402

BLOCKS = 10_000_000
MODES = ("increment", "bump", "fresh")


def report_requests(bench: Program, rounds: int) -> None:
    """A 20-byte request beside the inlined increment."""
    times: dict[str, list[float]] = {mode: [] for mode in MODES}
    for _ in range(rounds):
        for mode in MODES:
            times[mode].append(bench.measure(mode, str(BLOCKS)) / BLOCKS)
    medians = {mode: statistics.median(values) for mode, values in times.items()}
    for mode in MODES:
        print(f"{mode:<10} {medians[mode]:6.2f} ns per 20-byte block")
    print(f"time:         bump / increment = {medians['bump'] / medians['increment']:.2f}")


def report_instructions(bench: Program) -> None:
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


def report_delete(bench: Program, rounds: int) -> None:
    """The same bytes in blocks of two sizes: what counts is the memory."""
    loads = [(BLOCKS, 20), (BLOCKS // 100, 3200)]
    times: list[list[int]] = [[], []]
    for _ in range(rounds):
        for values, (count, size) in zip(times, loads, strict=True):
            values.append(bench.measure("delete", str(count), str(size)))
    for values, (count, size) in zip(times, loads, strict=True):
        milliseconds = statistics.median(values) / 1e6
        print(f"delete of {count:>10,} blocks of {size:>5,} B: {milliseconds:.1f} ms")


def report_waste(bench: Program) -> None:
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
    bench = Program(options.bench)
    report_requests(bench, options.rounds)
    report_instructions(bench)
    report_delete(bench, min(options.rounds, 5))
    report_waste(bench)


if __name__ == "__main__":
    main()
