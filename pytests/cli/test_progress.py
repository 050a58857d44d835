"""What is seen while rules run: a live line on a terminal, sparse lines elsewhere."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heapyard.cli import _progress
from heapyard.cli._progress import Progress, duration, estimate
from heapyard.report.style import style_for

SECONDS = 60.0


class Watched:
    """`heapyard check` with a terminal for its stderr."""

    def __init__(self, process: subprocess.Popen[str], terminal: int) -> None:
        self.process = process
        self.seen = ""
        self._terminal = terminal

    def wait_for(self, pattern: str) -> None:
        """Read the terminal until it has shown this."""
        ends = time.monotonic() + SECONDS
        while not re.search(pattern, self.seen):
            assert time.monotonic() < ends, self.seen
            try:
                self.seen += os.read(self._terminal, 4096).decode()
            except OSError:
                raise AssertionError(f"no {pattern} in {self.seen!r}") from None

    def finish(self) -> str:
        """Wait for the end; answers stdout."""
        out, _ = self.process.communicate(timeout=SECONDS)
        return out


@contextmanager
def heeding_interrupts() -> Iterator[None]:
    """Children started here heed SIGINT as under a terminal, even if this run is a background job
    of a shell and ignores it: what has a handler becomes the default in a child."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def watched(environment: dict[str, str], *arguments: str) -> Iterator[Watched]:
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal here: {error}")
    with heeding_interrupts():
        process = subprocess.Popen(
            [sys.executable, "-m", "heapyard", "check", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            start_new_session=True,
        )
    os.close(theirs)
    try:
        yield Watched(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_terminal_shows_how_much_is_done_and_what_runs(environment: dict[str, str]) -> None:
    with watched(environment, "libc", "-k", "HY-FUZZ-01 or HY-FUZZ-02", "-n", "0") as run:
        run.wait_for(r"\[#*\.+\] \d/2  .*0 failed")
        run.wait_for(r"\d s  HY-FUZZ-0\d-libc")
        assert "2 verdicts" in run.finish()


def _press_control_c(pid: int) -> None:
    os.killpg(pid, signal.SIGINT)


def _ask_to_end(pid: int) -> None:
    """As `timeout` and a CI's runner do, which then wait for a while."""
    os.kill(pid, signal.SIGTERM)


@pytest.mark.death
@pytest.mark.parametrize("end", [_press_control_c, _ask_to_end])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_interruption_shows_what_there_is(
    environment: dict[str, str], workers: str, folder: Path, end: Callable[[int], None]
) -> None:
    arguments = ("libc", "python:raw", "-n", workers, "--html", "page.html")
    scratch = folder / "scratch"
    scratch.mkdir()
    with watched(environment | {"TMPDIR": str(scratch)}, *arguments) as run:
        run.wait_for(r"\] [1-9]\d*/\d+")
        end(run.process.pid)
        out = run.finish()
    assert list(scratch.iterdir()) == []
    assert run.process.returncode == 130, out
    assert re.search(r"interrupted: \d+ of \d+ verdicts", out), out
    assert "rules that hold" in out
    assert "Interrupted: some verdicts are missing" in (folder / "page.html").read_text()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "_LOG", 0.05)
    stream = io.StringIO()
    progress = Progress(stream)
    progress.expect(3)
    progress.started("a")
    progress.finished("a", failed=True)
    time.sleep(0.3)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert 1 <= len(lines) <= 7
    assert lines[-1] == "heapyard: 1/3 verdicts, 1 failed, 0 s"


def test_a_log_is_silent_until_rules_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "_LOG", 0.05)
    stream = io.StringIO()
    progress = Progress(stream)
    time.sleep(0.2)
    progress.expect(0)
    time.sleep(0.2)
    progress.close()
    assert stream.getvalue() == ""


def test_a_quick_run_writes_nothing_into_a_log() -> None:
    stream = io.StringIO()
    Progress(stream).close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colour_follows_the_terminal_and_no_color(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert style_for(_Terminal()).colour is coloured
    assert not style_for(io.StringIO()).colour


@pytest.mark.parametrize(
    ("passed", "done", "expected", "left"),
    [(10, 50, 100, 10), (10, 0, 100, None), (1, 50, 100, None), (10, 100, 100, None)],
)
def test_what_is_left_takes_as_long_as_what_is_done(
    passed: float, done: int, expected: int, left: float | None
) -> None:
    assert estimate(passed, done, expected) == left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (119.4, "119 s"), (119.6, "2 min 0 s"), (3725, "62 min 5 s")],
)
def test_durations_are_told_in_minutes_where_they_are_long(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_test_that_runs_for_long_is_named_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "_LOG", 0.05)
    monkeypatch.setattr(_progress, "_LONG", 0.0)
    stream = io.StringIO()
    progress = Progress(stream)
    progress.expect(3)
    progress.started("a.py::test[HY-A-01-libc]")
    progress.started("a.py::test[HY-A-02-libc]")
    time.sleep(0.3)
    progress.close()
    assert stream.getvalue().splitlines()[-1].endswith("; HY-A-01-libc (0 s)")
