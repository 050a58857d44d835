"""Run region_bench, and print its figures beside those of other allocators.

The others were measured elsewhere, on another machine, with loads of the same description (1 MB,
1,000,000 operations, +-20 %): they are for orientation, and only the figures of this run can be
compared with one another.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

COLUMNS = {
    "35 %": "load 35 %",
    "75 %": "load 75 %",
    "overload": "load overload",
    "small": "load small",
    "usable": "usable after 75 %",
    "mixed": "first failure mixed",
    "small ": "first failure small",
}
FRAGMENTS = [100, 1_000, 10_000, 60_000]


@dataclass(frozen=True, slots=True)
class Row:
    """One allocator's figures; None where there is none."""

    name: str
    cells: tuple[float | None, ...]


ELSEWHERE = [
    Row("the ancestor (alloc_cat 1.1.1)", (382, 1191, 2446, 2674, 0.16, 0.945, 0.914)),
    Row("TLSF (Conte)", (21, 19, 27, 15, 0.988, 0.930, 0.592)),
    Row("dlmalloc", (24, 27, 29, 8, 0.992, 0.933, 0.578)),
    Row("o1heap", (8, 6, 12, 9, 0.973, 0.650, 0.313)),
    Row("FreeRTOS heap_4", (95, 229, 526, 33, 0.996, None, None)),
]
FRAGMENTS_ELSEWHERE = Row("the ancestor (alloc_cat 1.1.1)", (150, 1_600, 22_000, 121_000))


def measured(program: str, engines: list[str]) -> dict[str, dict[str, float]]:
    """The figures of one run, by engine and name."""
    done = subprocess.run([program, *engines], capture_output=True, text=True, check=True)
    found: dict[str, dict[str, float]] = {}
    for line in done.stdout.splitlines():
        figure = json.loads(line)
        found.setdefault(figure["engine"], {})[figure["figure"]] = figure["value"]
    return found


def print_table(title: str, heads: list[str], here: list[Row], elsewhere: list[Row]) -> None:
    """Rows of this run, then those of others."""
    print(f"\n{title}\n{'':<32}" + "".join(f"{head:>10}" for head in heads))
    for row in here:
        print(_line(row))
    print("measured elsewhere:")
    for row in elsewhere:
        print(_line(row))


def _line(row: Row) -> str:
    cells = (
        "-" if cell is None else f"{cell:.3f}" if cell < 1 else f"{cell:.1f}" for cell in row.cells
    )
    return f"{row.name:<32}" + "".join(f"{cell:>10}" for cell in cells)


def main() -> None:
    """region.py PROGRAM [engine ...]."""
    found = measured(sys.argv[1], sys.argv[2:])
    rows = [Row(name, tuple(f.get(key) for key in COLUMNS.values())) for name, f in found.items()]
    title = "ns per operation at four loads; usable after freeing all; used at the first failure"
    print_table(title, list(COLUMNS), rows, ELSEWHERE)
    rows = [
        Row(name, tuple(f.get(f"fragments {n}") for n in FRAGMENTS)) for name, f in found.items()
    ]
    heads = [f"{n:,}" for n in FRAGMENTS]
    print_table("ns per operation among so many fragments", heads, rows, [FRAGMENTS_ELSEWHERE])


if __name__ == "__main__":
    main()
