"""What the heap gives back and what that costs: python bench/heap/run.py [--bench PATH].

`heapyard bench` compares the heap with other allocators; this is what only the heap's own program
can see. Runs are interleaved; medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from bench.program import Program  # noqa: E402

POLICIES = ("on-trim", "threshold", "at-once")


def report_inline(bench: Program, rounds: int) -> None:
    """A pair inlined into its caller."""
    runs = [bench.figures("inline", "20000000")["ns_per_pair"] for _ in range(rounds)]
    print(f"inlined malloc and sized free of 64 B: {statistics.median(runs):.2f} ns")


def report_release(bench: Program, rounds: int, mib: int, order: str) -> None:
    """Everything freed, under each policy; on-trim gives nothing back: the cost without release."""
    runs: dict[str, list[dict[str, float]]] = {policy: [] for policy in POLICIES}
    for _ in range(rounds):
        for policy in POLICIES:
            runs[policy].append(bench.figures("release", str(mib), order, policy))
    print(f"{mib} MiB of 64 B to 1 KiB, freed in {order} order:")
    base = [run["ns_per_free"] for run in runs["on-trim"]]
    for policy in POLICIES:
        cost = [run["ns_per_free"] for run in runs[policy]]
        ratio = statistics.median(a / b for a, b in zip(cost, base, strict=True))
        left = statistics.median(run["left_mib"] for run in runs[policy])
        print(f"  {policy:10} {statistics.median(cost):7.1f} ns a free  {ratio:5.2f} x"
              f"  {left:8.2f} MiB left")  # fmt: skip


def report_survivors(bench: Program, mib: int) -> None:
    """One block in ten stays."""
    figures = bench.figures("survivors", str(mib))
    ratio = figures["after_trim_mib"] / figures["live_pages_mib"]
    print(f"{mib} MiB, nine in ten freed at random: {figures['before_trim_mib']:.0f} MiB resident, "
          f"after trim {figures['after_trim_mib']:.0f}: {ratio:.3f} x "
          f"the pages that hold a live block")  # fmt: skip


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=CHECKOUT / "build" / "bin" / "bench_heap")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mib", type=int, default=1024, help="size of the heap (default: 1024)")
    arguments = parser.parse_args()
    bench = Program(arguments.bench)
    report_inline(bench, arguments.rounds)
    for order in ("fifo", "random"):
        report_release(bench, arguments.rounds, arguments.mib, order)
    report_survivors(bench, arguments.mib)


if __name__ == "__main__":
    main()
