"""Loading the library: lazily, once, and with an error that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import heapyard
from heapyard._native.build import current_build
from heapyard._native.library import library
from heapyard.errors import BuildError
from pytests.support import dies, runs

if TYPE_CHECKING:
    from pathlib import Path


def test_importing_the_package_loads_no_library() -> None:
    runs("""
        import heapyard, heapyard.bump, heapyard.pages
        assert "libheapyard" not in open("/proc/self/maps").read()
    """)


def test_a_library_is_loaded_once() -> None:
    assert library() is library()


@pytest.mark.parametrize("name", heapyard.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(heapyard, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = heapyard.nothing_of_the_kind


def test_a_library_that_is_none_is_refused_with_its_path(tmp_path: Path) -> None:
    source = current_build().source
    text = tmp_path / "libheapyard.so"
    text.write_text("not a library")
    (tmp_path / "heapyard.json").write_text(source.read_text())
    output = runs(f"""
        from heapyard._native.build import use_build
        from heapyard._native.library import library
        from heapyard.errors import BuildError
        use_build({str(text)!r})
        try:
            library()
        except BuildError as error:
            print(error)
    """)
    assert str(text) in output
    assert "HEAPYARD_LIB" in output or "LD_PRELOAD" in output


def test_a_library_without_a_function_of_the_table_is_refused(tmp_path: Path) -> None:
    build = current_build()
    other = tmp_path / "libheapyard.so"
    other.symlink_to(build.libheapyard_trial)
    (tmp_path / "heapyard.json").write_text(build.source.read_text())
    output = runs(f"""
        from heapyard._native.build import use_build
        from heapyard._native.library import library
        from heapyard.errors import BuildError
        use_build({str(other.parent)!r} + "/libheapyard.so")
        try:
            library()
        except BuildError as error:
            print(error)
    """)
    assert "has no hy_" in output
    assert "build again" in output


def test_build_errors_are_errors_of_the_package() -> None:
    assert issubclass(BuildError, heapyard.HeapyardError)


def test_a_child_that_lives_is_not_a_death() -> None:
    with pytest.raises(AssertionError, match="exit code 0"):
        dies("pass", match="")


def test_a_death_with_other_words_is_not_that_death() -> None:
    with pytest.raises(AssertionError, match="no 'double free' in"):
        dies("import os; os.abort()", match="double free")


def test_a_child_that_fails_does_not_run() -> None:
    with pytest.raises(AssertionError, match="exit code 1"):
        runs("raise SystemExit(1)")
