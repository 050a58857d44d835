"""What the end of an object costs: python bench/object/run.py [--bench build/bin/bench_object].

Times are medians of interleaved runs, in processor time. Instructions are callgrind's, as the
difference of two counts: start and end fall out. By hand:

    valgrind --tool=callgrind --callgrind-out-file=/dev/null BENCH drop-plain 1000000
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

WAYS = ("plain", "dealloc", "finalize", "legacy")
WINDOW = 2000
COUNT = 10_000_000
FEW, MANY = 20_000, 220_000


def counted(path: Path) -> Program:
    """The program, with counts that callgrind gets through."""
    return Program(path, FEW, MANY, (str(WINDOW),))


def report_times(bench: Program, rounds: int) -> None:
    """A drop and a new object, WINDOW objects live."""
    times: dict[str, list[float]] = {way: [] for way in ("none", *WAYS)}
    for _ in range(rounds):
        for way, values in times.items():
            values.append(bench.measure(way, str(COUNT), str(WINDOW)) / COUNT)
    medians = {way: statistics.median(values) for way, values in times.items()}
    floor = medians.pop("none")
    legacy = medians["legacy"] - floor
    print(f"{'loop':<10} {floor:6.2f} ns")
    for way, median in medians.items():
        net = median - floor
        print(
            f"{way:<10} {net:6.2f} ns for a drop and a new one; legacy / {way} = {legacy / net:.1f}"
        )


def report_instructions(bench: Program) -> None:
    """A drop alone, and with a new object."""
    if shutil.which("valgrind") is None:
        print("instructions: no valgrind here")
        return
    floor = bench.instructions("none")
    for way in WAYS:
        drop = bench.instructions(f"drop-{way}") - bench.instructions(f"make-{way}")
        pair = bench.instructions(way) - floor
        print(f"{way:<10} {drop:6.1f} instructions a drop, its loop included; {pair:6.1f} a pair")


def report_chains(bench: Program, rounds: int) -> None:
    """A list of a million nodes, dropped at its head."""
    for way in WAYS[1:]:
        values = [bench.measure(f"chain-{way}", "1000000") / 1e6 for _ in range(rounds)]
        print(f"{way:<10} {statistics.median(values):6.1f} ms for a list of a million nodes")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=CHECKOUT / "build" / "bin" / "bench_object")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    bench = counted(options.bench)
    report_times(bench, options.rounds)
    report_instructions(bench)
    report_chains(bench, options.rounds)


if __name__ == "__main__":
    main()
