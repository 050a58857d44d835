"""The ops that let time pass, and the figures of the kernel that they are there for.

Times are bounded from below only: how late a loaded machine wakes a sleeper says nothing.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from heapyard._native.build import current_build
from pytests.engine.driver import KIB, MEASURES, MIB, NO_SLOT, Header, needs_the_libc, op, pack, run

RSS, MAPPINGS, RESIDUE, SHOWN, TRIMMED = (
    MEASURES.index(name) for name in ("rss", "mappings", "residue", "shown", "trimmed")
)
PAGE = 4 * KIB


def test_idle_sleeps_as_long_as_it_says() -> None:
    assert run([op("idle", size=150)]).result["nanoseconds"] >= 150_000_000


@pytest.mark.parametrize("name", ["idle", "await", "stir"])
def test_more_than_a_minute_is_refused(name: str) -> None:
    arg = None if name == "idle" else 0
    assert run([op(name, size=60_001, arg=arg)]).refused[0] == "plan"


def test_await_ends_at_once_where_nothing_grew() -> None:
    plan = [op("measure", size=RSS), op("await", size=20_000, arg=MIB)]
    result = run(plan).result
    assert len(result["figures"]) == 2
    assert result["nanoseconds"] < 10_000_000_000


@needs_the_libc
def test_await_gives_up_when_its_time_is_over() -> None:
    plan = [
        op("measure", size=RSS),
        op("malloc", 0, 16 * MIB),
        op("await", size=200, arg=MIB),
    ]
    done = run(plan, target="libc")
    before, after = done.figures("rss")
    assert 16 * MIB <= after - before <= 18 * MIB
    assert done.result["nanoseconds"] >= 200_000_000


@needs_the_libc
def test_await_counts_from_the_first_figure() -> None:
    """Two MiB more than at the first figure, nothing more than at the second."""
    plan = [
        op("measure", size=RSS),
        op("malloc", 0, 2 * MIB),
        op("measure", size=RSS),
        op("await", size=200, arg=MIB),
    ]
    assert run(plan, target="libc").result["nanoseconds"] >= 200_000_000


def test_await_calls_nothing() -> None:
    plan = [op("measure", size=RSS), op("await", size=100, arg=0)]
    assert run(plan, script="crash").status == "held"


def test_stir_calls_the_target() -> None:
    done = run([op("stir", size=1, arg=MIB)], script="crash")
    assert done.exit_code == -11


def test_stir_needs_a_free() -> None:
    assert run([op("stir", size=1, arg=0)], target="scripted_bulk").refused[0] == "symbol"


@needs_the_libc
def test_residue_is_of_whole_pages_that_were_written() -> None:
    plan = [
        op("malloc", 0, 64 * PAGE),
        op("watch", 0),
        op("measure", size=RESIDUE),
        op("free", 0),
        op("measure", size=RESIDUE),
    ]
    assert run(plan, target="libc").figures("residue") == [63 * PAGE, 0]


@needs_the_libc
def test_residue_of_what_lies_inside_one_page_is_nothing() -> None:
    plan = [op("malloc", 0, 100), op("watch", 0), op("measure", size=RESIDUE)]
    assert run(plan, target="libc").figures("residue") == [0]


@needs_the_libc
def test_a_watch_ends_with_the_round() -> None:
    plan = [op("malloc", 0, 64 * PAGE), op("watch", 0), op("measure", size=RESIDUE)]
    assert run(plan, target="libc", repeat=3).figures("residue") == [63 * PAGE] * 3


def test_watching_nothing_is_nothing() -> None:
    assert run([op("watch", 0), op("measure", size=RESIDUE)]).figures("residue") == [0]


def test_watch_needs_a_slot() -> None:
    assert "slot" in run([op("watch", NO_SLOT)], slots=1).refused[1]


@needs_the_libc
def test_mappings_are_counted() -> None:
    """Every second page of a mapping freed would do it; here each block is a mapping of its own."""
    blocks = [op("malloc", i, 4 * MIB) for i in range(50)]
    frees = [op("free", i) for i in range(0, 50, 2)]
    measure = op("measure", size=MAPPINGS)
    before, _, after = run([measure, *blocks, measure, *frees, measure], target="libc").figures(
        "mappings"
    )
    assert before < after
    assert after - before >= 24


def test_what_trim_answered_is_noted() -> None:
    plan = [op("measure", size=TRIMMED), op("trim"), op("measure", size=TRIMMED)]
    assert run(plan, script="=7").figures("trimmed") == [0, 7]


def test_shown_is_what_psutil_shows() -> None:
    """What the child measures last, with all its memory in use, is the most that psutil sees."""
    with tempfile.NamedTemporaryFile() as plan, tempfile.NamedTemporaryFile() as result:
        ops = [op("malloc", 0, 8 * MIB), op("idle", size=300), op("measure", size=SHOWN)]
        plan.write(pack(ops, Header()))
        plan.flush()
        command = [str(current_build().runner), "--plan", plan.name]
        with subprocess.Popen(command, stdout=result) as child:
            seen = _most_resident(child)
        figures = json.loads(Path(result.name).read_text())["figures"]
    assert abs(figures[0]["value"] - seen) <= MIB


def _most_resident(child: subprocess.Popen[bytes]) -> int:
    """The most that psutil said while the child lived; one that ends has less, bit by bit."""
    seen = 0
    process = psutil.Process(child.pid)
    while child.poll() is None:
        with suppress(psutil.Error):
            seen = max(seen, process.memory_info().rss)
        time.sleep(0.01)
    return seen


def test_huge_pages_are_off_in_the_child() -> None:
    """The kernel's own word for it; the runner sleeps meanwhile."""
    with tempfile.NamedTemporaryFile() as plan:
        plan.write(pack([op("idle", size=30_000)], Header()))
        plan.flush()
        command = [str(current_build().runner), "--plan", plan.name]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
            try:
                assert _huge_pages(child.pid) in ("0", "unknown")
            finally:
                child.kill()


def _huge_pages(pid: int) -> str:
    """THP_enabled of /proc/PID/status, once it is "0", or what it is after five seconds."""
    seen = ""
    end = time.monotonic() + 5
    while seen != "0" and time.monotonic() < end:
        time.sleep(0.02)
        fields = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        seen = fields.get("THP_enabled", "unknown")
    return seen
