"""`heapyard check` on libraries that misbehave: verdicts, exit code 1, and nothing left behind.

The library is pytests/trial/hostile.c, which does what $HEAPYARD_HOSTILE says. Few rules, so that
it is quick; what the children go through is tested in pytests/trial.
"""

import time
import uuid
from pathlib import Path

import psutil
import pytest

from pytests.cli.conftest import Heapyard, Ran
from pytests.trial.support import built

MARK = "HEAPYARD_TEST_MARK"
RULES = "HY-LOAD-01 or HY-DATA-01 or HY-API-01"


@pytest.fixture
def hostile(heapyard: Heapyard, folder: Path) -> Heapyard:
    """Check the hostile library: `hostile("load:segv", ...)`; afterwards nothing may be left."""
    mark = uuid.uuid4().hex
    temporary = folder / "tmp"
    shared = _files(Path("/dev/shm"))

    def run(wish: str, *arguments: str) -> Ran:
        temporary.mkdir(exist_ok=True)
        ran = heapyard(
            *("check", str(built("hostile")), "-k", RULES, "-n", "0", *arguments),
            **{"HEAPYARD_HOSTILE": wish, "TMPDIR": str(temporary), MARK: mark},
        )
        assert _marked(mark) == []
        assert list(temporary.iterdir()) == []
        assert {path.name for path in folder.iterdir()} <= {"tmp", ".heapyard"}
        assert {name for name in _files(Path("/dev/shm")) - shared if "heapyard" in name} == set()
        return ran

    return run


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _marked(mark: str) -> list[str]:
    """The command lines of processes with this mark, a second after they could have ended."""
    deadline = time.monotonic() + 1.0
    while (found := _with_mark(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _with_mark(mark: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return found


def _stress(value: str) -> object:
    return pytest.param(value, marks=pytest.mark.stress)


def _sample(deeds: dict[str, str], *quick: str) -> list[object]:
    """All deeds; those that are not quick run with the stress tests."""
    return [
        pytest.param(deed, words, id=deed, marks=() if deed in quick else (pytest.mark.stress,))
        for deed, words in deeds.items()
    ]


LOADING = {
    "segv": "killed by SIGSEGV",
    "abort": "killed by SIGABRT",
    "signal": "killed by SIGUSR1",
    "exit0": "exited with status 0",
    "exit_now": "exited with status 0",
    "close": "exited with status 1",
    "nest": "exited with status 0",
    "forge": "exited with status 0",
    "boast": "exited with status 0",
    "starve": "no memory for the engine",
    "eat": "of resident memory",
    "stop": "stopped by a signal",
}


@pytest.mark.parametrize(("deed", "words"), _sample(LOADING, "segv", "exit0", "boast", "starve"))
def test_what_ends_a_process_that_loads_it_is_one_failed_must(
    hostile: Heapyard, deed: str, words: str
) -> None:
    ran = hostile(f"load:{deed}")
    assert ran.code == 1, ran
    assert "1 MUST failed" in ran.out
    assert words in " ".join(ran.out.split()), ran


@pytest.mark.parametrize("deed", ["deadlock", _stress("spin"), _stress("deaf")])
def test_a_constructor_that_never_returns_is_ended_with_the_run(
    hostile: Heapyard, deed: str
) -> None:
    began = time.monotonic()
    ran = hostile(f"load:{deed}", "--time-limit", "4")
    assert ran.code == 1, ran
    assert time.monotonic() - began < 20
    assert "time limit of 4 s has passed" in ran.out


@pytest.mark.parametrize("place", ["load", _stress("malloc")])
def test_what_it_prints_does_not_disturb_the_verdicts(hostile: Heapyard, place: str) -> None:
    ran = hostile(f"{place}:print")
    assert "hostile says" not in ran.out + ran.err
    assert "verdicts on 1 target" in ran.out, ran


CALLS = {
    "segv": "killed by SIGSEGV",
    "exit0": "exited with status 0",
    "exit_now": "exited with status 0",
    "exit3": "exited with status 3",
    "signal": "killed by SIGUSR1",
    "close": "no result",
    "garbage": "exited with status 0",
    "eat": "of resident memory",
    "complain": "hostile: corrupted heap",
}


@pytest.mark.parametrize(("deed", "words"), _sample(CALLS, "exit_now", "close", "complain"))
def test_what_malloc_does_to_its_process_is_a_failed_must(
    hostile: Heapyard, deed: str, words: str
) -> None:
    ran = hostile(f"malloc:{deed}")
    assert ran.code == 1, ran
    assert "MUST failed" in ran.out
    assert words in " ".join(ran.out.split()), ran


@pytest.mark.parametrize("place", ["malloc", _stress("load"), _stress("free")])
@pytest.mark.parametrize("deed", ["orphans", _stress("fork"), _stress("daemon")])
def test_processes_that_it_starts_are_gone(hostile: Heapyard, place: str, deed: str) -> None:
    assert "verdicts on 1 target" in hostile(f"{place}:{deed}").out


@pytest.mark.parametrize(
    "wish", ["malloc:scribble", _stress("free:scribble"), _stress("load:scribble")]
)
def test_wild_writes_stay_in_the_child(hostile: Heapyard, wish: str) -> None:
    ran = hostile(wish)
    assert ran.code == 1, ran
    assert "MUST failed" in ran.out


@pytest.mark.parametrize("wish", ["malloc:sleep", _stress("free:mask"), _stress("malloc:spin")])
def test_the_time_limit_holds_where_calls_hang(hostile: Heapyard, wish: str) -> None:
    began = time.monotonic()
    ran = hostile(wish, "--time-limit", "5")
    assert ran.code == 1, ran
    assert time.monotonic() - began < 20
    assert "time limit of 5 s has passed: what is missing counts as failed" in ran.out


def test_a_good_target_is_judged_beside_one_that_can_not_be_loaded(
    heapyard: Heapyard, folder: Path
) -> None:
    ran = heapyard(
        *("check", str(built("hostile")), "libc", "-k", RULES, "-n", "2", "-v"),
        HEAPYARD_HOSTILE="load:segv",
    )
    assert ran.code == 1, ran
    row = next(line for line in ran.out.splitlines() if "HY-DATA-01" in line and "ok" in line)
    assert ("n/a" in row, "ok" in row) == (True, True), ran
    assert {path.name for path in folder.iterdir()} <= {".heapyard"}


def test_a_run_that_ends_in_time_does_not_care_for_its_limit(heapyard: Heapyard) -> None:
    ran = heapyard("check", "libc", "-k", "HY-DATA-01", "-n", "0", "--time-limit", "100")
    assert (ran.code, "time limit" in ran.out) == (0, False), ran


def test_a_time_limit_out_of_bounds_is_refused(here: Heapyard) -> None:
    assert "'0' must be a whole number, 1 to 1000000" in here("check", "--time-limit", "0").error
