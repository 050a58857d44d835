"""What a collection costs: python bench/object/gc.py [--bench build/bin/bench_gc] [--count N].

The walk engine, the same with its roots known, the linked engine, and CPython on equal graphs (the
running one and each --python PATH; lists in cycles, gc.collect()), one after the other, round by
round. Processor time per container, medians; then, for each other subject, its time over the walk
engine's, as the median of the ratios within the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from bench.program import Program  # noqa: E402

ENGINES = ("linked", "walk", "roots")
SHAPES = ("ring", "tree", "random")
ORDERS = ("fresh", "shuffled", "aged")
GRAPHS = (
    ("ring", "fresh"), ("tree", "fresh"), ("random", "fresh"),
    ("ring", "shuffled"), ("tree", "shuffled"), ("random", "shuffled"), ("random", "aged"),
)  # fmt: skip
FIGURES = ("first", "steady", "teardown", "young", "bytes")
Rows = list[dict[str, float]]

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
parts = 100 if count >= 1000 else 10
size = count // parts
for part in range(parts):
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
roots = [nodes[part * size] for part in range(parts)]
del nodes, node
def collect():
    start = time.process_time()
    gc.collect()
    return (time.process_time() - start) * 1e9 / count
del roots[: parts * garbage // 100]
first = collect()
later = sorted(collect() for _ in range(5))[2]
roots.clear()
teardown = collect()
print(json.dumps({"first": first, "steady": later, "teardown": teardown}))
"""


def version(python: str) -> str:
    """What it calls itself: python 3.11.7."""
    done = subprocess.run([python, "--version"], check=True, capture_output=True, text=True)
    return done.stdout.strip().lower()


def figures(options: Any, subject: str, graph: list[str]) -> dict[str, float]:
    """What one run of a subject on a graph prints."""
    if subject in ENGINES:
        return Program(options.bench).figures(subject, *graph)
    return Program(Path(subject)).figures("-c", CPYTHON, *graph)


def measured(options: Any, graph: list[str]) -> dict[str, Rows]:
    """All subjects in turn, round after round. CPython has no heap that is aged by our rule."""
    pythons = [] if options.no_python or "aged" in graph else [sys.executable, *options.python]
    seen: dict[str, Rows] = {subject: [] for subject in [*options.engine, *pythons]}
    for _ in range(options.rounds):
        for subject, rows in seen.items():
            rows.append(figures(options, subject, graph))
    return seen


def median(rows: Rows, figure: str) -> float:
    """Of one figure over all rounds; not a number where a subject doesn't have it."""
    return statistics.median(row.get(figure, float("nan")) for row in rows)


def ratio(rows: Rows, base: Rows, figure: str) -> float:
    """The median of what a round's run takes over the same round's run of the base."""
    missing = float("nan")
    pairs = zip(rows, base, strict=True)
    return statistics.median(row.get(figure, missing) / under[figure] for row, under in pairs)


def line(name: str, values: list[float]) -> str:
    """One line of the table; a figure that a subject doesn't have is left out."""
    cells = (f"{value:>10.1f}" if value == value else " " * 10 for value in values)  # noqa: PLR0124
    return f"{name:<24}" + "".join(cells)


def report(options: Any, shape: str, order: str, count: int, garbage: int) -> None:
    """One graph on all subjects."""
    seen = measured(options, [shape, order, str(count), str(garbage)])
    names = {subject: subject if subject in ENGINES else version(subject) for subject in seen}
    print(f"\n{shape}, {order}, {count:,} containers, {garbage} % garbage")
    print(" " * 24 + "".join(f"{figure:>10}" for figure in FIGURES))
    for subject, rows in seen.items():
        print(line(names[subject], [median(rows, figure) for figure in FIGURES]), flush=True)
    base = seen.get("walk")
    for subject, rows in seen.items():
        if base and rows is not base:
            ratios = [ratio(rows, base, figure) for figure in FIGURES]
            print(line(f"{names[subject]} / walk", ratios), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=CHECKOUT / "build" / "bin" / "bench_gc")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--garbage", type=int, nargs="*", default=[10])
    parser.add_argument("--engine", nargs="*", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--order", nargs="*", choices=ORDERS, default=list(ORDERS))
    parser.add_argument("--shape", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--python", nargs="*", default=[], help="interpreters to compare with")
    parser.add_argument("--no-python", action="store_true")
    options = parser.parse_args()
    graphs = [(s, o) for s, o in GRAPHS if s in options.shape and o in options.order]
    for count, garbage, (shape, order) in product(options.count, options.garbage, graphs):
        report(options, shape, order, count, garbage)


if __name__ == "__main__":
    main()
