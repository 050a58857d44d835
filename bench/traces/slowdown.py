"""How much slower a program runs while it is recorded.

    python bench/traces/slowdown.py [ROUNDS]

Each program runs alone and recorded in turn; the figures are medians of wall time over the rounds
(9 by default), without the start of `heapyard` itself: the recorder is preloaded directly.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from heapyard._native.build import current_build  # noqa: E402
from heapyard.trial.recorder import create_recording, recorder_environment  # noqa: E402
from heapyard.trial.recording import read_recording  # noqa: E402

PYTHON = "/usr/bin/python3"


def programs(folder: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """What is run, and what is added to its environment."""
    churn = str(current_build().runner.parent / "record_churn")
    source = folder / "email"
    found = subprocess.run(
        [PYTHON, "-c", "import email; print(email.__path__[0])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run(["cp", "-r", found, str(source)], check=True)
    compile_all = [PYTHON, "-m", "compileall", "-q", "-f", str(source)]
    return {
        "churn, 1 thread": ([churn, "1", "2000000"], {}),
        "churn, 2 threads": ([churn, "2", "1000000"], {}),
        "churn, 4 threads": ([churn, "4", "500000"], {}),
        "python -m compileall, PYTHONMALLOC=malloc": (compile_all, {"PYTHONMALLOC": "malloc"}),
    }


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of one run."""
    started = time.monotonic()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - started


def main() -> int:
    """Measure, and print a line for each program."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(f"{'':<42} {'alone':>9} {'recorded':>9} {'ratio':>6} {'calls':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, (command, added) in programs(folder).items():
            path = folder / "calls.hyrec"
            alone, recorded = [], []
            for _ in range(rounds):
                alone.append(seconds(command, os.environ | added))
                create_recording(path, run=1)
                recorded.append(seconds(command, recorder_environment(path) | added))
            before, after = statistics.median(alone), statistics.median(recorded)
            calls = read_recording(path).total
            print(
                f"{title:<42} {before * 1e3:>6.0f} ms {after * 1e3:>6.0f} ms"
                f" {after / before:>6.2f} {calls:>10,}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
