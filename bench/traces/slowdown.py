"""How much slower a program runs while it is recorded.

    python bench/traces/slowdown.py [ROUNDS]

Each program runs alone and recorded in turn; the figures are medians over the rounds (9 by
default), without the start of `heapyard` itself: the recorder is preloaded directly.
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


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and processor time of one run, in seconds."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    started = time.monotonic()
    child = os.posix_spawn(command[0], command, environment, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed: status {status}")
    return time.monotonic() - started, used.ru_utime + used.ru_stime


def main() -> int:
    """Measure, and print a line for each program."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(f"{'':<42} {'wall time':>19} {'':>5} {'processor time':>21} {'':>5} {'calls':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, (command, added) in programs(folder).items():
            path = folder / "calls.hyrec"
            alone, recorded = [], []
            for _ in range(rounds):
                alone.append(run(command, os.environ | added))
                create_recording(path, run=1)
                recorded.append(run(command, recorder_environment(path) | added))
            pairs = zip(medians(alone), medians(recorded), strict=True)
            times = "  ".join(
                f"{a * 1e3:>6.0f} -> {b * 1e3:>4.0f} ms {b / a:>5.2f}" for a, b in pairs
            )
            print(f"{title:<42} {times} {read_recording(path).total:>12,}", flush=True)
    return 0


def medians(times: list[tuple[float, float]]) -> list[float]:
    """Of wall and of processor times."""
    return [statistics.median(column) for column in zip(*times, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
