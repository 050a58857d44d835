"""Code that may crash runs in a child: the same Python, with the same native build.

dies('''
    from heapyard import Bump
    ...
''', match="heapyard: bump: foreign pointer of 0x")
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from signal import SIGABRT, Signals

from heapyard._native.build import build_environment

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended."""

    exit_code: int
    """As subprocess gives it: minus the signal's number after a signal."""
    output: str
    errors: str

    def __str__(self) -> str:
        code = self.exit_code
        how = f"signal {Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"child ended with {how}\n--- stdout\n{self.output}\n--- stderr\n{self.errors}"


def child_environment() -> dict[str, str]:
    """The environment in which a child finds the same checkout and native build."""
    environment = os.environ | build_environment()
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    environment.setdefault("ASAN_OPTIONS", "detect_leaks=0:allocator_may_return_null=1")
    return environment


def run_child(code: str, *, seconds: float = SECONDS) -> Ended:
    """Run Python code (indented as the test is) in a child and wait for its end."""
    prelude = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + textwrap.dedent(code)],
        env=child_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def dies(
    code: str, *, match: str, signal: int | None = SIGABRT, exit_code: int | None = None
) -> Ended:
    """Assert that a child running `code` dies so, and says `match` (a pattern) on stderr.

    `exit_code` is for deaths that are not by a signal (a sanitizer's report): it replaces `signal`.
    """
    ended = run_child(code)
    expected = exit_code if exit_code is not None else -int(signal or 0)
    assert ended.exit_code == expected, str(ended)
    assert re.search(match, ended.errors), f"no {match!r} in:\n{ended}"
    return ended


def runs(code: str, *, seconds: float = SECONDS) -> str:
    """Assert that a child running `code` ends with 0; returns what it printed."""
    ended = run_child(code, seconds=seconds)
    assert ended.exit_code == 0, str(ended)
    return ended.output
