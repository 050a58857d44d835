"""How often free lists serve a real program: python bench/object/lists.py [TRACE...].

By default the traces are Python highlighting a module by Pygments, running tests by pytest,
compiling, importing, and at JSON, the last three as bench/traces/record.py makes them; all are
recorded into build/traces if they are not there. A file of `heapyard record` is a trace too. The
programs run with PYTHONMALLOC=malloc, so that each object is a call. Each block becomes a plain
object of its size in an object space; a hit is an object made from a list, a miss one of the heap.
`--limit` bounds each list, in blocks; `most` is no bound. `--sizes` shows each list.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from heapyard.trial.recording import load_recording  # noqa: E402

TRACES = CHECKOUT / "build" / "traces"
MODULE = argparse.__file__
PROGRAMS = {
    "python-pygments": ["-m", "pygments", "-l", "python", "-f", "html", MODULE],
    "python-pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "pytests/trial/test_elf.py"],
}
NAMES = (*PROGRAMS, "python-compile", "python-import", "python-json")
LIMITS = ("0", "80", "256", "1024", "4096", "most")
MOST = 2**32 - 2


@dataclass(frozen=True)
class Row:
    """What one list did, or all."""

    size: int
    """Of its blocks; 0: larger than lists hold."""
    hits: int
    misses: int
    overflows: int

    @property
    def made(self) -> int:
        """Objects."""
        return self.hits + self.misses

    @property
    def rate(self) -> float:
        """Of these, how many per cent came from the list."""
        return 100 * self.hits / self.made if self.made else 0.0


def recorded(name: str) -> Path:
    """The recording of a trace, made if it is not there."""
    if name.endswith(".hyrec"):
        return Path(name)
    path = TRACES / f"{name}.hyrec"
    if not path.exists():
        TRACES.mkdir(parents=True, exist_ok=True)
        record = [sys.executable, str(CHECKOUT / "bench" / "traces" / "record.py"), name]
        if name in PROGRAMS:
            program = [sys.executable, *PROGRAMS[name]]
            record = [sys.executable, "-m", "heapyard", "record", "-q", "-o", str(path), *program]
        environment = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
        subprocess.run(record, check=True, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL)
    return path


def replayed(bench: Path, plan: Path, limit: str) -> list[Row]:
    """One row for each list, and one for what is larger."""
    bound = str(MOST) if limit == "most" else limit
    done = subprocess.run([bench, plan, bound], check=True, capture_output=True, text=True)
    return [Row(**json.loads(line)) for line in done.stdout.splitlines()]


def total(rows: list[Row]) -> Row:
    """Of all lists."""
    listed = [row for row in rows if row.size]
    return Row(
        0,
        sum(row.hits for row in listed),
        sum(row.misses for row in listed),
        sum(row.overflows for row in listed),
    )


def line(name: str, row: Row) -> str:
    """One line of the table."""
    counts = f"{row.made:>10,} {row.hits:>10,} {row.misses:>9,} {row.overflows:>10,}"
    return f"{name:>8} {counts} {row.rate:>7.1f}"


def report(bench: Path, name: str, limits: list[str], *, sizes: bool) -> None:
    """The table of one trace."""
    with tempfile.NamedTemporaryFile() as plan:
        plan.write(load_recording(recorded(name), plain=True))
        plan.flush()
        found = {limit: replayed(bench, Path(plan.name), limit) for limit in limits}
    larger = next(iter(found.values()))[-1].misses
    print(f"\n{name}: {larger:,} objects of more than 512 bytes, which no list holds")
    heading = f"{'made':>10} {'hits':>10} {'misses':>9} {'overflows':>10} {'hits, %':>7}"
    print(f"{'limit':>8} {heading}")
    for limit, rows in found.items():
        print(line(limit, total(rows)), flush=True)
    if sizes:
        for limit, rows in found.items():
            print(f"limit {limit}, by size\n{'bytes':>8} {heading}")
            print("\n".join(line(str(row.size), row) for row in rows if row.size and row.made))


def main() -> None:
    """Record what is missing, replay and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = CHECKOUT / "build" / "bin" / "bench_lists"
    parser.add_argument("--bench", type=Path, default=default)
    parser.add_argument("--limit", nargs="*", default=list(LIMITS), metavar="BLOCKS")
    parser.add_argument("--sizes", action="store_true", help="each list too")
    parser.add_argument("traces", nargs="*", default=list(NAMES), metavar="TRACE")
    options = parser.parse_args()
    if not options.bench.is_file():
        parser.error(f"no {options.bench}: build with -DHEAPYARD_BUILD_BENCH=ON, or name it")
    for name in options.traces:
        report(options.bench, name, options.limit, sizes=options.sizes)


if __name__ == "__main__":
    main()
