"""From what a user types to a target, or to one line that says why not and what to do."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.trial import Capabilities, Plan, TargetError, list_targets, resolve_target, run_plan
from heapyard.trial import probe as probe_module

from .support import INSTALLED, built, has_musl, installed, own_targets, some_calls

HOSTILE_FUNCTIONS = {"malloc", "calloc", "realloc", "free"}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of a library that may be damaged."""
    return Path(shutil.copy(built("hostile"), tmp_path / "libcopy.so"))


def patch(path: Path, offset: int, data: bytes) -> str:
    """Overwrite some bytes; the path as a user types it."""
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(bytes(content))
    return str(path)


def refusal(text: str, **options: str) -> str:
    """The error's text, which must be one line."""
    with pytest.raises(TargetError) as caught:
        resolve_target(text, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- what can be named ---


def test_the_libc_is_built_in() -> None:
    target = resolve_target("libc")
    assert (target.mode, target.path, target.name) == ("builtin", None, "libc")
    assert target.capabilities.has("aligned_alloc")
    assert target.version


@pytest.mark.skipif(not has_musl(), reason="no runner for musl")
def test_musl_holds_a_plan() -> None:
    target = resolve_target("musl")
    assert (target.mode, target.name) == ("builtin", "musl")
    assert run_plan(target, some_calls()).held


@pytest.mark.parametrize("domain", ["raw", "mem", "obj"])
def test_cpythons_allocators_are_built_in(domain: str) -> None:
    target = resolve_target(f"python:{domain}")
    assert target.capabilities.functions == HOSTILE_FUNCTIONS
    assert target.capabilities.min_alignment == 16
    assert not target.capabilities.has("errno")
    assert target.capabilities.has("threads") is (domain == "raw")
    assert "CPython" in target.version


@pytest.mark.parametrize("text", own_targets())
def test_heapyards_own_allocators_have_tables(text: str) -> None:
    target = resolve_target(text)
    assert target.capabilities.table
    assert target.path == current_build().targets[text]


@pytest.mark.skipif("region:fast" not in own_targets(), reason="not built")
def test_region_means_the_fast_engine() -> None:
    assert resolve_target("region").path == resolve_target("region:fast").path


@pytest.mark.parametrize("mode", ["auto", "dlopen", "preload"])
def test_a_path_is_a_library(mode: str) -> None:
    target = resolve_target(str(built("hostile")), mode=mode)
    assert target.mode == ("preload" if mode == "preload" else "dlopen")
    assert target.capabilities.functions == HOSTILE_FUNCTIONS
    assert target.path == built("hostile")


def test_a_file_of_this_folder_needs_no_slash(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(library.parent)
    assert resolve_target("libcopy.so").path == library.resolve()


@pytest.mark.parametrize("name", INSTALLED)
def test_a_name_is_looked_up_as_the_loader_does(name: str) -> None:
    target = installed(name)
    assert target.path is not None
    assert target.path.name.startswith(name)
    assert target.capabilities.has("malloc")


def test_the_loader_path_comes_first(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = library.rename(library.parent / "libm.so.6")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(library.parent))
    assert resolve_target("libm.so.6").path == shadow


def test_a_prefix_comes_before_each_name() -> None:
    target = resolve_target(str(built("prefixed")), prefix="yard_")
    assert target.capabilities.functions == {"malloc", "free"}
    plan = Plan()
    plan.free(plan.malloc(100))
    assert run_plan(target, plan).held


def test_a_library_with_static_tls_finds_room() -> None:
    added = {"GLIBC_TUNABLES": "glibc.malloc.perturb=1"}
    target = resolve_target(str(built("hostile")), mode="dlopen", environment=added)
    tunables = target.environment["GLIBC_TUNABLES"].split(":")
    assert tunables == ["glibc.malloc.perturb=1", "glibc.rtld.optional_static_tls=16384"]


def test_a_target_as_plain_data_has_what_reports_need() -> None:
    document = resolve_target("libc").to_json()
    assert document["target"] == "libc"
    assert document["mode"] == "builtin"
    assert document["path"] is None
    assert "malloc" in document["capabilities"]["functions"]


def test_a_capability_is_a_function_a_flag_or_a_size() -> None:
    facts = Capabilities(
        name="x", functions=frozenset({"malloc"}), flags=frozenset({"errno"}), max_size=1 << 20
    )
    assert facts.has("malloc")
    assert facts.has("errno")
    assert not facts.has("free")
    assert not facts.has("large")


def test_capabilities_survive_json() -> None:
    facts = resolve_target("libc").capabilities
    assert Capabilities.from_json(facts.to_json()) == facts


def test_a_target_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = str(built("hostile"))
    first = resolve_target(text)
    monkeypatch.setattr(probe_module, "run_child", None)
    assert resolve_target(text) == first


def test_a_library_that_was_built_again_is_asked_again(library: Path) -> None:
    assert resolve_target(str(library)).capabilities.functions == HOSTILE_FUNCTIONS
    shutil.copy(built("corpus"), library)
    os.utime(library, ns=(0, 0))
    assert resolve_target(str(library)).capabilities.has("aligned_alloc")


def test_what_is_listed_can_be_resolved() -> None:
    found = list_targets()
    assert found[0].text == "libc"
    assert {"python:raw", "python:mem", "python:obj"} <= {each.text for each in found}
    for each in found:
        assert each.target is not None, each.problem


# --- what can't be put on trial ---


def test_a_missing_file_is_told() -> None:
    assert refusal("./missing.so").startswith("./missing.so: no such file; give the path")


def test_a_name_that_nobody_knows_is_told() -> None:
    assert "the loader knows no library of this name" in refusal("libmissing.so.7")


def test_no_name_at_all_is_told() -> None:
    assert refusal("").startswith("No target given")


def test_a_folder_is_told(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)).endswith("a folder; give the shared library in it")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"hello\n", "a text file"),
        (b"/* GNU ld script */ GROUP(a)", "a linker script"),
        (b"!<arch>\n", "a static archive (.a); link it into a shared library first"),
        (b"\x00\x01\x02\x03" * 30, "no ELF file"),
        (b"\x7fELF\x02\x01", "an ELF file that is cut short or damaged"),
    ],
    ids=["empty", "text", "script", "archive", "binary", "cut"],
)
def test_a_file_that_is_no_library_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "some.so"
    path.write_bytes(content)
    message = refusal(str(path))
    assert "not a shared library: it is" in message
    assert reason in message


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(1, "an object file (.o)"), (2, "an executable"), (4, "a core dump")],
    ids=["object", "executable", "core"],
)
def test_an_elf_file_of_another_kind_is_told(library: Path, kind: int, reason: str) -> None:
    assert reason in refusal(patch(library, 16, struct.pack("<H", kind)))


def test_a_position_independent_executable_is_told() -> None:
    assert "it is an executable" in refusal(str(current_build().runner))


@pytest.mark.parametrize(
    ("machine", "name"), [(183, "AArch64"), (243, "RISC-V"), (8, "MIPS"), (9999, "machine 9999")]
)
def test_another_architecture_is_told_with_both_names(
    library: Path, machine: int, name: str
) -> None:
    message = refusal(patch(library, 18, struct.pack("<H", machine)))
    assert f"wrong architecture: it is for {name} (64-bit)" in message
    assert f"for {os.uname().machine.replace('_', '-')} (64-bit)" in message


def test_a_library_without_malloc_is_told() -> None:
    message = refusal(str(current_build().libheapyard_trial))
    assert "no malloc in it, nor a heapyard_target table; give the library" in message


def test_prefixes_that_are_there_are_suggested() -> None:
    message = refusal(str(built("prefixed")))
    assert message.endswith("no malloc in it, but yard_malloc; use --prefix yard_")


def test_a_wrong_prefix_is_told() -> None:
    assert "no je_malloc in it, but yard_malloc" in refusal(str(built("prefixed")), prefix="je_")


def test_a_prefix_that_is_not_needed_is_told() -> None:
    message = refusal(str(built("hostile")), prefix="je_")
    assert message.endswith("no je_malloc in it; leave --prefix out")


@pytest.mark.parametrize("character", [" ", ":", "$"])
def test_a_path_that_preload_can_not_name_is_told(
    library: Path, tmp_path: Path, character: str
) -> None:
    path = shutil.copy(library, tmp_path / f"lib{character}mine.so")
    assert resolve_target(str(path)).mode == "dlopen"
    assert f"LD_PRELOAD can't name a path with {character!r}" in refusal(str(path), mode="preload")


def test_a_pipe_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.so")
    assert "a device or a pipe" in refusal(str(tmp_path / "pipe.so"))


def test_a_name_that_is_no_text_is_told(library: Path, tmp_path: Path) -> None:
    path = shutil.copy(library, tmp_path / os.fsdecode(b"lib\xff.so"))
    assert "not UTF-8" in refusal(str(path))


def test_a_name_is_no_pattern() -> None:
    assert "no such file" in refusal("lib*")


def test_a_malloc_that_is_a_variable_is_told(tmp_path: Path) -> None:
    source, path = tmp_path / "data.c", tmp_path / "libdata.so"
    source.write_text("int malloc = 1, free = 2;\n")
    command = ["cc", "-shared", "-fPIC", "-fno-builtin", "-o", str(path), str(source)]
    subprocess.run(command, check=True)
    assert "its malloc is a variable" in refusal(str(path))


def test_preload_of_a_prefix_is_told() -> None:
    message = refusal(str(built("prefixed")), prefix="yard_", mode="preload")
    assert "LD_PRELOAD replaces malloc itself" in message


@pytest.mark.parametrize("text", ["libc", "python:obj"])
def test_what_is_built_in_takes_no_prefix_and_no_preload(text: str) -> None:
    assert "leave --prefix je_ out" in refusal(text, prefix="je_")
    assert "leave --mode out" in refusal(text, mode="preload")


def test_an_unknown_mode_is_told() -> None:
    assert refusal("libc", mode="static").startswith("Invalid mode='static': must be auto, dlopen")


@pytest.mark.parametrize("mode", ["auto", "dlopen", "preload"])
@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("segv", "killed by SIGSEGV"),
        ("exit3", "exited with status 3"),
        ("abort", "killed by SIGABRT"),
    ],
)
def test_a_library_that_dies_when_loaded_is_told(
    monkeypatch: pytest.MonkeyPatch, mode: str, deed: str, words: str
) -> None:
    monkeypatch.setenv("HEAPYARD_HOSTILE", f"load:{deed}")
    message = refusal(str(built("hostile")), mode=mode)
    assert f"it can't be loaded: {words}" in message


def test_a_library_cut_short_is_told(library: Path) -> None:
    library.write_bytes(library.read_bytes()[:2000])
    assert "cut short or damaged" in refusal(str(library))


def test_the_libc_as_a_file_is_told() -> None:
    assert "use the target libc" in refusal("libc.so.6")
