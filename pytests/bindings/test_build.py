"""Which build is used, and that every way of going wrong says what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from heapyard._native import build as module
from heapyard._native.build import current_build, named_build, read_build, use_build
from heapyard.errors import AmbiguousBuildError, BuildError, HeapyardError, NoBuildError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT: dict[str, Any] = {
    "schema": "heapyard.build/1",
    "version": "9.8.7",
    "compiler": "GNU 12.2.0",
    "build_type": "Debug",
    "sanitizer": "address,undefined",
    "sanitizer_runtime": "/usr/lib/libasan.so",
    "counters": True,
    "assertions": "full",
    "libheapyard": "lib/libheapyard.so",
    "libheapyard_trial": "lib/libheapyard_trial.so",
    "runner": "bin/heapyard-runner",
    "runner_musl": None,
    "recorder": "bin/libheapyard_record.so",
    "swap": "bin/heapyard-swap",
    "trace": "bin/heapyard-trace",
    "baselines": {},
    "targets": {"bump": "lib/bump.so"},
    "corpus": None,
}


@pytest.fixture(autouse=True)
def chosen_build() -> Iterator[None]:
    """Every test leaves the choice of the session as it found it."""
    chosen = module._Choice.path
    yield
    module._Choice.path = chosen


def make_build(folder: Path, **changes: object) -> Path:
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "libheapyard.so").write_bytes(b"")
    path = folder / "heapyard.json"
    path.write_text(json.dumps(CONTENT | changes))
    return path


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout, and nothing named."""
    monkeypatch.setattr(module, "_PACKAGE", tmp_path / "heapyard")
    monkeypatch.delenv("HEAPYARD_LIB", raising=False)
    use_build(None)
    return tmp_path


def test_the_build_in_the_checkout_is_found(checkout: Path) -> None:
    source = make_build(checkout / "build")
    assert current_build().source == source


def test_paths_are_relative_to_the_json(checkout: Path) -> None:
    make_build(checkout / "build")
    assert current_build().targets["bump"] == checkout / "build" / "lib" / "bump.so"


def test_two_builds_in_the_checkout_are_an_error_that_names_both(checkout: Path) -> None:
    paths = [make_build(checkout / "build"), make_build(checkout / "build-clang")]
    with pytest.raises(AmbiguousBuildError) as caught:
        current_build()
    assert all(str(path) in str(caught.value) for path in paths)
    assert "HEAPYARD_LIB" in str(caught.value)


def test_a_build_beside_the_package_comes_before_the_installed_one(checkout: Path) -> None:
    make_build(checkout / "heapyard" / "lib")
    assert current_build().source == checkout / "heapyard" / "lib" / "heapyard.json"
    source = make_build(checkout / "build")
    assert current_build().source == source


def test_without_a_build_the_error_says_how_to_make_one(checkout: Path) -> None:
    with pytest.raises(NoBuildError, match="cmake -B build"):
        current_build()
    assert not list(checkout.iterdir())


@pytest.mark.parametrize("name", ["", "heapyard.json", "lib/libheapyard.so"])
def test_the_environment_names_a_folder_a_json_or_a_library(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make_build(checkout / "build")
    named = make_build(checkout / "other")
    monkeypatch.setenv("HEAPYARD_LIB", str(named.parent / name))
    assert current_build().source == named


def test_what_is_set_comes_before_the_environment(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAPYARD_LIB", str(make_build(checkout / "other").parent))
    named = make_build(checkout / "third")
    use_build(named.parent)
    assert current_build().source == named


def test_children_get_the_build_in_use(checkout: Path) -> None:
    use_build(make_build(checkout / "other").parent)
    environment = module.build_environment()
    assert environment["HEAPYARD_LIB"] == str(checkout / "other")
    assert environment["LD_PRELOAD"] == "/usr/lib/libasan.so"


def test_a_library_that_is_named_replaces_the_one_of_its_build(tmp_path: Path) -> None:
    mutant = make_build(tmp_path / "build").parent / "lib" / "mutant.so"
    mutant.write_bytes(b"")
    assert named_build(mutant).libheapyard == mutant


def test_a_part_that_was_not_built_fails_by_its_name(tmp_path: Path) -> None:
    build = read_build(make_build(tmp_path / "build", runner=None))
    assert "runner (not built)" in str(build.runner)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "schema"),
        ('{"schema": "heapyard.build/2"}', "schema"),
        ('{"schema": "heapyard.build/1"}', "'version' is missing"),
    ],
    ids=["truncated", "list", "other_schema", "empty"],
)
def test_a_damaged_json_is_named_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "heapyard.json"
    path.write_text(text)
    with pytest.raises(BuildError, match=reason) as caught:
        read_build(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["nothing", "nothing.json", "nothing.so"])
def test_a_name_without_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HeapyardError, match="nothing"):
        use_build(tmp_path / name)


def test_a_library_far_from_any_json_is_refused(tmp_path: Path) -> None:
    library = tmp_path / "a" / "b" / "c" / "lib.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"")
    with pytest.raises(BuildError, match="name the build folder"):
        named_build(library)


def test_sanitizers_are_told_apart(tmp_path: Path) -> None:
    build = read_build(make_build(tmp_path / "build"))
    assert build.has_sanitizer("address")
    assert build.has_sanitizer("undefined")
    assert not build.has_sanitizer("thread")
    assert "sanitizer address,undefined" in build.describe()
