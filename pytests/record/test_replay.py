"""A recording of a real program, run again: the same calls hold on other allocators."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from heapyard.cli import main
from heapyard.trial import Plan, resolve_target, run_plan
from heapyard.trial.header import PlanError
from heapyard.trial.operations import BY_NAME, FIGURES, Call
from heapyard.trial.packed import PackedPlan
from heapyard.trial.recording import load_recording, read_recording
from pytests.record.conftest import Ran
from pytests.record.words import call, write_recording
from pytests.support.children import child_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def of_python(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The recording of python3 -m json.tool, each of whose objects is a call of malloc."""
    folder = tmp_path_factory.mktemp("python")
    source, path = folder / "in.json", folder / "json.hyrec"
    source.write_text(json.dumps([{"n": n, "of": [str(n)] * 3} for n in range(500)]))
    arguments = ["-o", str(path), "--", sys.executable, "-m", "json.tool", str(source)]
    done = subprocess.run(
        [sys.executable, "-m", "heapyard", "record", *arguments],
        env=child_environment() | {"PYTHONMALLOC": "malloc"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr, path)


def test_python_runs_as_ever_while_recorded(of_python: Ran) -> None:
    assert of_python.code == 0
    assert json.loads(of_python.out)[7] == {"n": 7, "of": ["7"] * 3}


def test_with_pythonmalloc_every_object_is_recorded(of_python: Ran) -> None:
    recording = read_recording(of_python.path)
    assert recording.calls["malloc"] > 20_000
    assert (recording.unknown, recording.lost, recording.cut) == (0, 0, 0)


def test_it_holds_on_libc(of_python: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(of_python.path)]) == 0
    count = read_recording(of_python.path).op_count
    assert capsys.readouterr().out.splitlines() == [
        f"{of_python.path.name} on libc, {count} calls",
        f"  held: {count} operations",
    ]


def test_it_holds_on_a_target_without_aligned_calls(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "made.hyrec", call("memalign", 0x1000, 64, 100))
    assert main(["replay", str(path), "python:obj"]) == 0


def test_as_many_bytes_are_live_at_the_peak_as_there_were(of_python: Ran) -> None:
    recording = read_recording(of_python.path)
    plan = Plan.from_bytes(load_recording(of_python.path))
    measure = Call(BY_NAME["measure"].code, None, FIGURES.index("live_bytes"))
    calls = list(plan.calls)
    for place in (recording.peak_op + 1, len(calls) + 1):
        calls.insert(place, measure)
    outcome = run_plan(resolve_target("libc"), plan.with_calls(calls))
    assert outcome.held, outcome
    figures = [figure.value for figure in outcome.figures]
    assert figures == [recording.peak_bytes, recording.live_bytes]


def test_the_call_that_breaks_a_target_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [call("malloc", 0x1000 + 16 * n, 24) for n in range(20)]
    path = write_recording(tmp_path / "made.hyrec", *words, call("malloc", 0x9000, 1 << 59))
    assert main(["replay", str(path)]) == 1
    assert f"> {20:>4}  malloc({1 << 59}) -> slot 20" in capsys.readouterr().out


def test_a_packed_plan_is_the_plan() -> None:
    plan = Plan("some")
    block = plan.aligned_alloc(64, 128)
    plan.calloc(3, 8)
    plan.free(block)
    packed = PackedPlan(plan.to_bytes(), "some")
    assert (packed.name, len(packed), packed.functions) == ("some", 3, plan.functions)
    assert tuple(packed.calls) == plan.calls
    assert packed.to_bytes() == plan.to_bytes()
    assert run_plan(resolve_target("libc"), packed).held


def test_a_packed_plan_that_is_cut_short_is_refused() -> None:
    plan = Plan()
    plan.malloc(1)
    with pytest.raises(PlanError, match="Not a whole packed plan"):
        PackedPlan(plan.to_bytes()[:-1])
    with pytest.raises(PlanError, match="HYPLAN1"):
        PackedPlan(b"x" * 100)
