"""Children as such, with shell commands in place of the runner: output, limits, strays, threads."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from heapyard.trial.child import Descriptors, Ended, Limits, _Stream, run_child

from .support import Traces

pytestmark = [pytest.mark.usefixtures("no_traces")]

LIMITS = Limits(seconds=20.0)


def sh(script: str, *, limits: Limits = LIMITS, plan: bytes = b"") -> Ended:
    """Run a shell script as a child; $PLAN, $RESULT and $STATE are its descriptors."""

    def command(files: Descriptors) -> Sequence[str]:
        named = f"PLAN={files.plan} RESULT={files.result} STATE={files.state}; {script}"
        return ["/bin/bash", "-c", named]

    return run_child(command, dict(os.environ), plan=plan, limits=limits)


def test_both_streams_are_kept_apart() -> None:
    ended = sh("echo out; echo err >&2")
    assert (ended.stdout, ended.stderr) == (b"out\n", b"err\n")


def test_the_end_of_a_long_output_is_kept() -> None:
    ended = sh("head -c 5000000 /dev/zero; echo end")
    assert len(ended.stdout) == 4096
    assert ended.stdout.endswith(b"\0end\n")


def test_output_without_end_does_not_hold_us() -> None:
    started = time.monotonic()
    ended = sh("yes; true", limits=Limits(seconds=0.3))
    assert ended.reason == "time"
    assert time.monotonic() - started < 5


def test_one_drain_takes_a_bounded_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast the writer: the loop must come back to look at the clock."""
    reading, writing = os.pipe()
    with monkeypatch.context() as patch:
        patch.setattr(os, "read", lambda _, size: bytes(size))
        stream = _Stream(reading)
        stream.drain()
    assert len(stream.tail) == 4096
    os.close(reading)
    os.close(writing)


def test_standard_input_is_empty() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"not for children")
    saved = os.dup(0)
    try:
        os.dup2(reading, 0)
        assert sh("head -c 3; echo $?").stdout == b"0\n"
    finally:
        os.dup2(saved, 0)
        for descriptor in (saved, reading, writing):
            os.close(descriptor)


def test_the_plan_is_there_and_the_result_comes_back() -> None:
    ended = sh("cat /proc/self/fd/$PLAN > /proc/self/fd/$RESULT", plan=b"a plan")
    assert ended.result == b"a plan"


def test_a_plan_of_megabytes_is_whole() -> None:
    ended = sh("cat /proc/self/fd/$PLAN | wc -c", plan=bytes(9 << 20))
    assert int(ended.stdout) == 9 << 20


def test_before_the_first_operation_there_is_no_index() -> None:
    assert sh("true").progress.op is None


def test_progress_is_what_the_state_file_says() -> None:
    ended = sh(
        r"printf '\x07\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x63\0\0\0\0\0\0\0' 1<>/proc/self/fd/$STATE"
    )
    progress = ended.progress
    assert (progress.op, progress.round, progress.operations) == (7, 2, 99)


def test_nothing_else_is_inherited() -> None:
    leak = os.open("/etc/passwd", os.O_RDONLY)
    try:
        listed = sh("ls -l /proc/self/fd").stdout
    finally:
        os.close(leak)
    assert b"passwd" not in listed


@pytest.mark.parametrize("code", [0, 1, 77])
def test_the_exit_status_is_told(code: int) -> None:
    ended = sh(f"exit {code}")
    assert (ended.reason, os.WEXITSTATUS(ended.status)) == ("itself", code)


@pytest.mark.parametrize("name", ["SEGV", "ABRT", "KILL", "TERM", "USR1"])
def test_the_signal_is_told(name: str) -> None:
    ended = sh(f"kill -{name} $$")
    assert os.WTERMSIG(ended.status) == signal.Signals[f"SIG{name}"]


def test_a_child_leads_its_own_session() -> None:
    ended = sh("cut -d ' ' -f 1,6 /proc/$$/stat")
    pid, session = ended.stdout.split()
    assert pid == session != str(os.getsid(0)).encode()


@pytest.mark.parametrize(
    "script",
    [
        "sleep 1000 & true",
        "setsid sleep 1000 & sleep 0.05",
        "(setsid setsid sleep 1000 &) ; sleep 0.05",
        "trap '' TERM HUP INT; sleep 1000 & exit 3",
        "for i in 1 2 3 4 5 6; do setsid sleep 1000 & done; sleep 0.1; kill -9 $$",
        "setsid bash -c 'for i in 1 2 3; do setsid sleep 1000 & done; wait' & sleep 0.1",
    ],
    ids=["background", "session", "orphan", "deaf", "many", "tree"],
)
def test_no_offspring_is_left(script: str, tmp_path: Path) -> None:
    traces = Traces(tmp_path)
    sh(script)
    traces.assert_no_process()


@pytest.mark.parametrize(
    ("script", "used", "least", "most"),
    [
        ("while :; do :; done", 0.0, 2.0, 10.0),  # starved to the end: four times its seconds
        ("while :; do :; done", 0.4, 0.5, 1.5),
        ("sleep 100", 0.0, 0.5, 1.5),  # it waits, and has no use for a processor
    ],
    ids=["starved", "computing", "waiting"],
)
def test_a_child_that_others_keep_off_the_processor_has_more_time(
    monkeypatch: pytest.MonkeyPatch, script: str, used: float, least: float, most: float
) -> None:
    monkeypatch.setattr("heapyard.trial.child._cpu_seconds", lambda _: used)
    ended = sh(script, limits=Limits(seconds=0.5))
    assert ended.reason == "time"
    assert least <= ended.seconds < most


def test_offspring_of_a_child_past_its_time_goes_with_it() -> None:
    assert sh("setsid sleep 1000 & sleep 1000", limits=Limits(seconds=0.2)).reason == "time"


def test_a_process_that_others_started_is_neither_killed_nor_reaped() -> None:
    with (
        subprocess.Popen(["/bin/sh", "-c", "exit 5"]) as dead,
        subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True) as alive,
    ):
        time.sleep(0.1)
        sh("setsid sleep 1000 & sleep 0.05")
        assert alive.poll() is None
        assert dead.wait() == 5
        alive.kill()


def test_what_another_thread_starts_meanwhile_is_its_own_to_reap() -> None:
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(sh, "sleep 1; setsid sleep 1000 & sleep 1.1")
        time.sleep(0.3)
        with subprocess.Popen(["/bin/sh", "-c", "exit 5"]) as dead:
            run.result()
            assert dead.wait() == 5


def test_this_process_adopts_orphans_only_while_a_child_runs() -> None:
    code = (
        "import ctypes, os\n"
        "from heapyard.trial.child import Limits, run_child\n"
        "run_child(lambda _: ['/bin/true'], dict(os.environ), limits=Limits())\n"
        "flag = ctypes.c_int(7)\n"
        "ctypes.CDLL(None).prctl(37, ctypes.byref(flag))\n"
        "print(flag.value)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "0\n"


def test_children_of_several_threads_do_not_meet() -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: sh(f"setsid sleep 100 & echo {n}").stdout, range(24)))
    assert answers == [f"{n}\n".encode() for n in range(24)]
    assert threading.active_count() >= 1


def test_memory_past_the_limit_ends_a_child() -> None:
    script = f"exec {sys.executable} -I -S -c 'x = b\"x\" * (1 << 29); import time; time.sleep(60)'"
    ended = sh(script, limits=Limits(seconds=30, memory=100 << 20))
    assert ended.reason == "memory"
    assert ended.resident > 100 << 20


def test_a_program_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        run_child(lambda _: ["/nonexistent"], {}, limits=LIMITS)


def test_an_interrupt_ends_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("heapyard.trial.child._watch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sh("sleep 1000")
