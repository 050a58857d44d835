"""What a collection costs: python bench/object/gc.py [--bench build/bin/bench_gc] [--count N].

The walk engine, the same with its roots known, the linked engine, and CPython on equal graphs (each
python3.x that is found; lists in cycles, gc.collect()), one after the other, round by round.
Processor time per container, medians.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
ENGINES = ("linked", "walk", "roots")
GRAPHS = (
    ("ring", "fresh"), ("tree", "fresh"), ("random", "fresh"),
    ("ring", "shuffled"), ("tree", "shuffled"), ("random", "shuffled"), ("random", "aged"),
)  # fmt: skip
FIGURES = ("first", "steady", "teardown", "young", "bytes")

CPYTHON = """
import gc, json, random, sys, time
shape, order, count, garbage = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
gc.disable()
random.seed(1)
nodes, atoms = [], []
for index in range(count):
    nodes.append([None] * 4)
    atoms.append(bytes(8))
if order != "fresh":
    random.shuffle(nodes)
size = count // 100
for part in range(100):
    first = part * size
    for i in range(size):
        node = nodes[first + i]
        if shape == "ring":
            node[0] = nodes[first + (i + 1) % size]
        elif shape == "tree":
            node[0] = nodes[first + (0 if i == 0 else (i - 1) // 2)]
            for child in (1, 2):
                if 2 * i + child < size:
                    node[child] = nodes[first + 2 * i + child]
        else:
            node[0] = nodes[first + (i + 1) % size]
            node[1] = nodes[first + random.randrange(size)]
            node[2] = nodes[first + random.randrange(size)]
roots = [nodes[part * size] for part in range(100)]
del nodes, node
def collect():
    start = time.process_time()
    gc.collect()
    return (time.process_time() - start) * 1e9 / count
del roots[: garbage]
first = collect()
later = sorted(collect() for _ in range(5))[2]
roots.clear()
teardown = collect()
print(json.dumps({"first": first, "steady": later, "teardown": teardown}))
"""


def pythons(named: list[str]) -> list[str]:
    """The running one, those named, else each python3.x of this machine."""
    found = [sys.executable]
    if named:
        return [*found, *named]
    for minor in range(11, 16):
        path = shutil.which(f"python3.{minor}")
        if path and minor != sys.version_info.minor and works(path):
            found.append(path)
    return found


def version(python: str) -> str:
    """What it calls itself: python 3.11.7."""
    done = subprocess.run([python, "--version"], check=True, capture_output=True, text=True)
    return done.stdout.strip().lower()


def works(python: str) -> bool:
    """Not so a shim of a version that isn't installed."""
    return subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0


def run(command: list[str]) -> dict[str, float]:
    """The figures that one run prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def command_of(options: Any, subject: str, shape: str, order: str, garbage: int) -> list[str]:
    """How a subject is run on a graph."""
    graph = [shape, order, str(options.count), str(garbage)]
    if subject in ENGINES:
        return [str(options.bench), subject, *graph]
    return [subject, "-c", CPYTHON, *graph]


def report(options: Any, shape: str, order: str, garbage: int) -> None:
    """One graph on all subjects."""
    subjects = [
        *ENGINES,
        *(pythons(options.python) if order != "aged" and not options.no_python else []),
    ]
    seen: dict[str, list[dict[str, float]]] = {subject: [] for subject in subjects}
    for _ in range(options.rounds):
        for subject in subjects:
            seen[subject].append(run(command_of(options, subject, shape, order, garbage)))
    print(f"\n{shape}, {order}, {options.count:,} containers, {garbage} % garbage")
    print(" " * 14 + "".join(f"{name:>10}" for name in FIGURES))
    for subject, rows in seen.items():
        name = subject if subject in ENGINES else version(subject)
        medians = [
            statistics.median(row.get(figure, float("nan")) for row in rows) for figure in FIGURES
        ]
        print(f"{name:<14}" + "".join(f"{value:>10.1f}" for value in medians), flush=True)


def median(rows: list[dict[str, float]], figure: str) -> float:
    """Of one figure over all rounds; not a number where a subject doesn't have it."""
    return statistics.median(row.get(figure, float("nan")) for row in rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=CHECKOUT / "build" / "bin" / "bench_gc")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--garbage", type=int, nargs="*", default=[10])
    parser.add_argument("--python", nargs="*", default=[], help="interpreters to compare with")
    parser.add_argument("--no-python", action="store_true")
    options = parser.parse_args()
    for garbage in options.garbage:
        for shape, order in GRAPHS:
            report(options, shape, order, garbage)


if __name__ == "__main__":
    main()
