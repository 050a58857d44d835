"""What can't be run: one line with the reason and the remedy, exit code 2, no traceback."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from heapyard.cli import check as check_verb
from pytests.cli.conftest import Heapyard


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["check", "./nothere.so"], "./nothere.so: no such file"),
        (["check", "libnothere.so.7"], "libnothere.so.7"),
        (["check", "libm.so.6"], "no malloc"),
        (["check", ""], "no target given"),
        (["check", "libc", "-k", "and and"], "-k 'and and'"),
        (["check", "libc", "-k", "("], "-k '('"),
        (["check", "libc", "-k", ""], "-k '': empty"),
        (["check", "libc", "-k", "nosuchrule"], "no rule fits -k 'nosuchrule'"),
        (["check", "libc", "-n", "-1"], "'-1' must be a whole number, 0 to 1024, or auto"),
        (["check", "libc", "-n", "two"], "'two' must be a whole number"),
        (["check", "libc", "-n", "1025"], "'1025' must be a whole number"),
        (["check", "libc", "--seed", "abc"], "'abc' must be a whole number, 0 to 2**64 - 1"),
        (["check", "libc", "--seed", "-1"], "'-1' must be a whole number"),
        (["check", "libc", "--seed", "18446744073709551616"], "0 to 2**64 - 1"),
        (["check", "libc", "--mode", "magic"], "'magic'"),
        (["check", "libc", "--json", "no/where.json"], "can't write"),
        (["check", "libc", "--json", "."], "can't write"),
        (["check", "libc", "--junit", "no/where.xml"], "can't write"),
        (["check", "libc", "--plans", "/dev/null"], "name a folder"),
        (["check", "libc", "--lib", "nowhere"], "nowhere"),
        (["check", "libc", "--frob"], "--frob; see `heapyard check --help`"),
        (["bench", "libc"], "libc; see `heapyard bench --help`"),
        (["--frob"], "--frob; see `heapyard --help`"),
        (["frob"], "'frob'"),
        (["explain"], "RULE"),
        (["explain", "HY-ALIGM-01"], "did you mean HY-ALIGN-0"),
        (["explain", "rubbish"], "`heapyard rules` lists them all"),
        (["replay"], "PLAN"),
        (["replay", "nothere.json"], "nothere.json: no such file or directory"),
        (["replay", "."], "is a directory"),
        (["replay", "/dev/zero"], "a device"),
        (["check", "/dev/zero"], "a device or a pipe"),
        (["targets", "--lib", "nowhere"], "nowhere"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    here: Heapyard, arguments: list[str], reason: str
) -> None:
    assert reason.lower() in here(*arguments).error.lower()


@pytest.mark.parametrize("target", ["domain:raw", "domain:mem", "domain:obj+debug"])
@pytest.mark.parametrize("verb", [["check"], ["bench", "--target"]], ids=["check", "bench"])
def test_a_wrong_choice_of_what_serves_domains_is_told_before_any_plan_runs(
    here: Heapyard, monkeypatch: pytest.MonkeyPatch, verb: list[str], target: str
) -> None:
    monkeypatch.setenv("HEAPYARD_MALLOC", "foo")
    error = here(*verb, target).error
    assert error.startswith(f"{target}: it can't be loaded: exited with status 2")
    assert "invalid HEAPYARD_MALLOC=foo: must be default, debug, " in error


def test_a_text_file_is_no_library(here: Heapyard, folder: Path) -> None:
    (folder / "lib.so").write_text("INPUT(libc.so.6)\n" * 50)
    assert "not a shared library" in here("check", "./lib.so").error


def test_an_empty_file_is_no_library(here: Heapyard, folder: Path) -> None:
    (folder / "lib.so").touch()
    assert "not a shared library" in here("check", "./lib.so").error


def test_a_library_of_another_machine_is_refused(here: Heapyard, folder: Path, corpus: str) -> None:
    content = bytearray(Path(corpus).read_bytes())
    content[18:20] = struct.pack("<H", 0xF3)  # e_machine: RISC-V
    (folder / "lib.so").write_bytes(content)
    assert "risc-v" in here("check", "./lib.so").error.lower()


def test_a_library_cut_short_is_refused(here: Heapyard, folder: Path, corpus: str) -> None:
    (folder / "lib.so").write_bytes(Path(corpus).read_bytes()[:100])
    assert "./lib.so" in here("check", "./lib.so").error


def test_a_library_with_prefixed_functions_names_the_prefix(here: Heapyard, folder: Path) -> None:
    (folder / "my.c").write_text(
        "void *my_malloc(unsigned long n) { return (void *)n; }\n"
        "void my_free(void *p) { (void)p; }\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "libmy.so", "my.c"], check=True)
    error = here("check", "./libmy.so").error
    assert "my_" in error
    assert "--prefix" in error


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not text"),
        (b"[]", "schema"),
        (b'{"schema": "heapyard.check/1"}', "heapyard.plan/1"),
        (b'{"schema": "heapyard.plan/1", "ops": [["frob"]]}', "frob"),
        (b'{"schema": "heapyard.plan/1", "ops": [["malloc", 0, -1]]}', "size"),
        (b'{"schema": "heapyard.plan/1", "ops": []}', "names no target"),
    ],
)
def test_an_unreadable_plan_is_one_line(
    here: Heapyard, folder: Path, content: bytes, reason: str
) -> None:
    (folder / "plan.json").write_bytes(content)
    assert reason.lower() in here("replay", "plan.json").error.lower()


def test_a_plan_that_the_target_lacks_the_functions_for_is_one_line(
    here: Heapyard, folder: Path
) -> None:
    (folder / "plan.json").write_text(
        '{"schema": "heapyard.plan/1", "ops": [["aligned_alloc", 0, 64, 64]]}'
    )
    assert "aligned_alloc" in here("replay", "plan.json", "python:raw").error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_not_be_written_is_known_before_the_run(
    here: Heapyard, folder: Path
) -> None:
    (folder / "v.json").touch(mode=0o444)
    assert "permission denied" in here("check", "libc", "--json", "v.json").error


def test_asking_whether_a_file_can_be_written_leaves_none(here: Heapyard, folder: Path) -> None:
    assert here("check", "./nothere.so", "--json", "v.json", "--junit", "v.xml").error
    assert list(folder.iterdir()) == []


def test_asking_whether_a_file_can_be_written_keeps_what_is_in_it(
    here: Heapyard, folder: Path
) -> None:
    (folder / "v.json").write_text("kept")
    assert here("check", "./nothere.so", "--json", "v.json").error
    assert (folder / "v.json").read_text() == "kept"


def test_no_build_is_one_line(
    here: Heapyard, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAPYARD_LIB", str(folder))
    assert "heapyard.json" in here("check", "libc").error


def test_no_ldconfig_is_no_trouble(here: Heapyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert shutil.which("ldconfig") is None
    assert here("targets").code == 0


def test_an_interruption_before_the_run_is_one_line(
    here: Heapyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check_verb, "require_expression", interrupted)
    ran = here("check", "libc")
    assert (ran.code, ran.err) == (130, "heapyard: interrupted\n")
