"""`heapyard bench` as a user runs it. Short runs: the figures are looked at, never their size."""

import json
from pathlib import Path
from typing import Any

import pytest

from heapyard._native.build import current_build
from heapyard.trial import Plan
from pytests.bench.driver import library
from pytests.cli.conftest import Heapyard, Ran
from pytests.support.valgrind import skip_without_valgrind

SHORT = ("--rounds", "2", "--live", "200", "--pairs", "1000")
MIB = 1 << 20


def rows(ran: Ran, folder: Path) -> dict[str, Any]:
    """The rows of the first plan by target, from out.json."""
    assert ran.out, ran
    document = json.loads((folder / "out.json").read_text())
    return {row["target"]: row for row in document["plans"][0]["rows"]}


def test_every_plan_runs_on_every_kind_of_target(heapyard: Heapyard, folder: Path) -> None:
    targets = ("libc", "region", "python:obj", "list")
    chosen = [word for name in targets for word in ("--target", name)]
    ran = heapyard("bench", *chosen, *SHORT, "--json", "out.json")
    assert ran.code == 0, ran
    document = json.loads((folder / "out.json").read_text())
    assert [each["name"] for each in document["targets"]] == [*targets, "floor"]
    names = [plan["plan"] for plan in document["plans"]]
    assert names == ["pairs", "lifo", "fifo", "random-free", "churn"]
    for plan in document["plans"]:
        assert [row["trouble"] for row in plan["rows"]] == [None] * 5
        assert [len(row["samples"]) for row in plan["rows"]] == [2] * 5


def test_the_floor_is_there_once_and_where_it_was_named(here: Heapyard, folder: Path) -> None:
    here(
        "bench",
        "--target",
        "floor",
        "--target",
        "libc",
        "--plan",
        "lifo",
        *SHORT,
        "--json",
        "out.json",
    )
    assert (
        list(
            json.loads((folder / "out.json").read_text())["plans"][0]["rows"][0][
                "ratio_to_first"
            ].values()
        )
        == [1.0] * 3
    )
    document = json.loads((folder / "out.json").read_text())
    assert [each["name"] for each in document["targets"]] == ["floor", "libc"]


def test_a_slow_target_is_shown_slower(
    here: Heapyard, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAPYARD_BENCH_WITNESS", "slow")
    ran = here(
        "bench",
        "--target",
        "libc",
        "--target",
        library(),
        "--plan",
        "lifo",
        *SHORT,
        "--json",
        "out.json",
    )
    slow = rows(ran, folder)["witness.so"]
    assert slow["ratio_to_first"]["low"] > 3
    assert slow["ratio_to_floor"]["low"] > 3


@pytest.mark.rss
@pytest.mark.usefixtures("unobtrusive_sanitizer")
def test_a_leaking_target_shows_what_is_left(
    here: Heapyard, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan("large")
    for _ in range(3):
        plan.free(plan.malloc(20 * MIB))
    (folder / "large.json").write_text(plan.to_json())
    monkeypatch.setenv("HEAPYARD_BENCH_WITNESS", "leak")
    ran = here("bench", "--target", "libc", "--target", library(), "--plan", "large.json",
               "--rounds", "1", "--pairs", "1", "--json", "out.json")  # fmt: skip
    found = rows(ran, folder)
    assert found["witness.so"]["final"] >= 60 * MIB
    assert found["libc"]["final"] < 30 * MIB
    assert found["libc"]["peak"] >= 20 * MIB


@pytest.mark.usefixtures("unobtrusive_sanitizer")
def test_a_crash_is_a_row_and_the_others_go_on(
    here: Heapyard, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAPYARD_BENCH_WITNESS", "crash")
    ran = here(
        "bench",
        "--target",
        library(),
        "--target",
        "libc",
        "--plan",
        "churn",
        *SHORT,
        "--json",
        "out.json",
    )
    assert ran.code == 1
    assert "crashed (SIGSEGV)" in ran.out
    found = rows(ran, folder)
    assert found["witness.so"]["trouble"] == "crashed (SIGSEGV)"
    assert len(found["libc"]["samples"]) == 2


def test_a_target_that_can_not_run_the_plan_says_why(here: Heapyard) -> None:
    ran = here("bench", "--target", "bump", "--plan", "lifo", *SHORT)
    assert ran.code == 1
    assert "can't run: bump has no free" in ran.out


def test_a_run_past_the_time_limit_is_a_row(
    here: Heapyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAPYARD_BENCH_WITNESS", "slow")
    ran = here("bench", "--target", library(), "--plan", "lifo", "--rounds", "1",
               "--pairs", "100000000", "--time-limit", "1")  # fmt: skip
    assert ran.code == 1
    assert "still running after 1" in ran.out


def test_a_saved_plan_runs_on_pythons_own_allocator_too(here: Heapyard, folder: Path) -> None:
    plan = Plan("kinds")
    plan.calloc(3, 100)
    plan.realloc(plan.malloc(24), 5000)
    plan.aligned_alloc(64, 640)
    (folder / "kinds.json").write_text(plan.to_json())
    ran = here(
        "bench", "--target", "python:obj", "--plan", "kinds.json", *SHORT, "--json", "out.json"
    )
    found = rows(ran, folder)["python:obj"]
    assert found["trouble"] is None
    assert found["samples"][0]["live_peak"] == 300 + 5000 + 640
    assert "kinds.json, 4 calls" in ran.out


def test_a_recording_runs(heapyard: Heapyard, folder: Path) -> None:
    recorded = heapyard("record", "-q", "-o", "ls.hyrec", "--", "ls", "-l")
    if recorded.code != 0:
        pytest.skip(f"nothing recorded: {recorded.err}")
    ran = heapyard(
        "bench",
        "--target",
        "libc",
        "--target",
        "python:raw",
        "--plan",
        "ls.hyrec",
        *SHORT,
        "--json",
        "out.json",
    )
    assert [row["trouble"] for row in rows(ran, folder).values()] == [None] * 3


def test_sized_frees_are_asked_for_by_an_option(here: Heapyard, folder: Path) -> None:
    ran = here(
        "bench",
        "--target",
        library(),
        "--target",
        "libc",
        "--sized",
        "--plan",
        "lifo",
        *SHORT,
        "--json",
        "out.json",
    )
    found = rows(ran, folder)
    assert found["witness.so"]["samples"][0]["sized"] is True
    assert "freed with their sizes" in ran.out


def test_instructions_of_the_list_are_fewer_than_libcs(here: Heapyard, folder: Path) -> None:
    build = current_build()
    if build.has_sanitizer("address") or build.has_sanitizer("thread"):
        pytest.skip("valgrind can't run a program with this sanitizer's runtime")
    skip_without_valgrind(build.runner, "--capabilities")
    ran = here(
        *("bench", "--target", "libc", "--target", "list", "--plan", "lifo", "--instructions"),
        *(*SHORT, "--json", "out.json"),
    )
    assert "instructions a pair, less the" in ran.out
    counts = {name: each["instructions"] for name, each in rows(ran, folder).items()}
    assert 5 < counts["floor"] < counts["list"] < counts["libc"]


def test_instructions_want_valgrind(here: Heapyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    ran = here("bench", "--plan", "lifo", "--instructions")
    assert ran.error == "no valgrind here: install it, or leave --instructions out"


def test_the_page_is_written(here: Heapyard, folder: Path) -> None:
    here("bench", "--plan", "lifo", *SHORT, "--html", "out.html")
    assert "<svg" in (folder / "out.html").read_text()


def test_results_go_to_stdout_and_nothing_else_does(here: Heapyard) -> None:
    ran = here("bench", "--plan", "lifo", *SHORT)
    assert ran.out.startswith("lifo, 200 live, 8-512 B")
    assert ran.err == ""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--plan", "nosuch"], "no such plan: nosuch; give pairs, lifo, fifo, random-free, churn"),
        (["--plan", "."], "can't read .: not a file"),
        (["--plan", "text.json"], "can't read text.json: not json"),
        (["--plan", "bytes.bin"], "can't read bytes.bin: neither a recording nor text"),
        (["--plan", "cut.hyrec"], "can't read cut.hyrec"),
        (["--rounds", "0"], "'0' must be a whole number, 1 to 100000"),
        (["--live", "0"], "'0' must be a whole number, 1 to 2**24"),
        (["--sizes", "0-8"], "'0-8' must be lo-hi, a range within 8 to 2**30 bytes"),
        (["--sizes", "64-8"], "'64-8' must be"),
        (["--sizes", "many"], "'many' must be"),
        (["--pairs", "-1"], "'-1' must be a whole number"),
        (["--seed", "x"], "'x' must be a whole number"),
        (["--target", "./nothere.so"], "./nothere.so: no such file"),
        (["--target", "libm.so.6"], "no malloc"),
        (["--json", "no/where.json"], "can't write"),
        (["--html", "no/where.html"], "can't write"),
        (["--frob"], "--frob"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    here: Heapyard, folder: Path, arguments: list[str], reason: str
) -> None:
    (folder / "text.json").write_text("what")
    (folder / "bytes.bin").write_bytes(b"\xff\xfe\x00")
    (folder / "cut.hyrec").write_bytes(b"HYREC1\0\0")
    assert reason in here("bench", *arguments).error.lower()


def test_a_file_that_can_not_be_read_is_named(here: Heapyard, folder: Path) -> None:
    (folder / "loop.json").symlink_to("loop.json")
    assert "no such plan: loop.json" in here("bench", "--plan", "loop.json").error


def test_check_does_not_put_the_baselines_on_trial(here: Heapyard) -> None:
    assert "floor" in here("check", "floor").error
