"""`heapyard fuzz`: exit codes, what it prints and saves, and Ctrl-C."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytests.cli.conftest import Heapyard

DEFECT = {"HEAPYARD_DEFECT": "calloc_trusts_reused"}


def test_nothing_found_exits_0(heapyard: Heapyard, folder: Path) -> None:
    ran = heapyard("fuzz", "libc", "--plans", "100", "--seed", "3")
    assert ran.code == 0, ran
    assert "0 finds; 100 plans, " in ran.out
    assert list(folder.iterdir()) == []


def test_find_exits_1_and_replays(heapyard: Heapyard, corpus: str, folder: Path) -> None:
    ran = heapyard("fuzz", corpus, "--plans", "20", "--seed", "3", "--save", "finds", **DEFECT)
    assert ran.code == 1, ran
    assert "violation: zero at call" in ran.out
    plans = sorted((folder / "finds").glob("*.json"))
    assert plans
    for plan in plans:
        assert heapyard("replay", str(plan), **DEFECT).code == 1
        assert heapyard("replay", str(plan)).code == 0
        assert plan.with_suffix(".c").exists()


def test_what_posix_leaves_open_exits_0(heapyard: Heapyard, corpus: str) -> None:
    defect = {"HEAPYARD_DEFECT": "posix_memalign_refuses_zero"}
    ran = heapyard("fuzz", corpus, "--plans", "20", "--seed", "3", **defect)
    assert ran.code == 0, ran
    assert "violation: null at call 0, posix_memalign(8, 0)" in ran.out
    assert "SHOULD" in ran.out
    assert "1 find in 1 failure; 20 plans" in ran.out, "it is looked for once"


def test_finds_of_threads_replay(heapyard: Heapyard, corpus: str, folder: Path) -> None:
    defect = {"HEAPYARD_DEFECT": "first_realloc_crashes"}
    options = ("--plans", "16", "--threads", "4", "--seed", "3", "--save", "finds")
    ran = heapyard("fuzz", corpus, *options, **defect)
    assert ran.code == 1, ran
    assert "on 2 threads" in ran.out
    plan = str(next((folder / "finds").glob("*.json")))
    assert heapyard("replay", plan, **defect).code == 1
    assert heapyard("replay", plan).code == 0


def test_same_seed_prints_the_same(heapyard: Heapyard, corpus: str) -> None:
    def finds() -> list[str]:
        out = heapyard("fuzz", corpus, "--plans", "5", "--seed", "3", **DEFECT).out
        return [line for line in out.splitlines() if "violation" in line or "after" in line]

    assert finds() == finds() != []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("libc", "--plans", "0"), "argument --plans: '0' must be a whole number, at least 1"),
        (("libc", "--minutes", "-1"), "argument --minutes: '-1' must be a number of minutes"),
        (("libc", "--minutes", "soon"), "argument --minutes: 'soon' must be a number of minutes"),
        (("libc", "--threads", "17"), "argument --threads: '17' must be a whole number, 1 to 16"),
        (("region:fast", "--threads", "2"), "--threads 2: region:fast does not say that threads"),
        (("nothing.so",), "nothing.so: "),
        ((), "the following arguments are required: TARGET"),
    ],
)
def test_bad_arguments_are_one_line(
    here: Heapyard, arguments: tuple[str, ...], message: str
) -> None:
    assert here("fuzz", *arguments).error.startswith(message)


def test_save_that_is_a_file_is_refused(here: Heapyard, folder: Path) -> None:
    (folder / "file").write_text("")
    assert here("fuzz", "libc", "--save", "file").error == ("--save file is a file: name a folder")


def test_interrupt_keeps_what_was_found(
    corpus: str, folder: Path, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "heapyard", "fuzz", corpus, "--minutes", "5", "--seed", "3"]
    defect = {"HEAPYARD_DEFECT": "megabyte_alignment_ignored"}
    with subprocess.Popen(
        command, cwd=folder, env=environment | defect, stdout=subprocess.PIPE, text=True
    ) as running:
        finds = folder / ".heapyard/finds"
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline and not list(finds.glob("*.c")):
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        try:
            out, _ = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 1, out
    assert "interrupted" in out
    assert list(finds.glob("*.json"))
