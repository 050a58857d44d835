"""Compile the corpus with the user's own compiler, or copy its sources for people to read."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from heapyard.corpus.defects import SOURCES, source_files
from heapyard.errors import HeapyardError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BUILD_COMMAND", "compile_corpus", "export_sources"]

_NAME = "libyard_corpus.so"
_SECONDS = 300
_FLAGS = ("-shared", "-fPIC", "-std=gnu11", "-O2", "-g", "-D_GNU_SOURCE", "-fno-builtin")
"""-fno-builtin: the compiler must not take these functions for libc's own."""

BUILD_COMMAND = f"cc {' '.join(_FLAGS)} -o {_NAME} yard_*.c -pthread"
"""What a reader types in a folder that `export_sources` wrote."""


def compile_corpus(folder: Path) -> Path:
    """Build the allocator in `folder`; its path. Raises HeapyardError in one line."""
    library = folder / _NAME
    sources = [str(path) for path in source_files() if path.suffix == ".c"]
    command = [*_compiler(), *_FLAGS, "-o", str(library), *sources, "-pthread"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise HeapyardError(
            f"{command[0]} took more than {_SECONDS} s to compile the corpus: set CC to another"
        ) from None
    if done.returncode != 0:
        reason = next((line for line in done.stderr.splitlines() if "error" in line), "no reason")
        raise HeapyardError(
            f"{command[0]} can't compile the corpus: {reason}; set CC to another compiler"
        )
    return library


def _compiler() -> list[str]:
    """$CC as typed, or the system's cc."""
    words = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(words[0]) is None:
        raise HeapyardError(
            f"no C compiler: {words[0]!r} is not on the PATH; install gcc or clang, or set CC"
        )
    return words


def export_sources(folder: Path) -> tuple[Path, ...]:
    """Copy the sources, and a README that tells how to use them; answers the files written.

    Raises HeapyardError where a file of that name is there already, or can't be written.
    """
    readme = folder / "README.md"
    targets = [(path, folder / path.relative_to(SOURCES)) for path in source_files()]
    for path in (readme, *(target for _, target in targets)):
        if path.exists():
            raise HeapyardError(f"{path} is there already: name an empty or a new folder")
    try:
        for source, target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        readme.write_text(_README, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise HeapyardError(f"can't write to {folder}: {reason}; name another folder") from None
    return (readme, *(target for _, target in targets))


_README = f"""\
# An allocator with switchable defects

A small malloc for teaching and for testing test suites. It is sound, until the environment
variable `HEAPYARD_DEFECT` names one of the defects that the headers in `defect_lists` list:

    X(name, rule that must catch it, what the rule must see, what goes wrong)

Build it, look at it sound, then with one defect:

    {BUILD_COMMAND}
    heapyard check ./{_NAME}
    HEAPYARD_DEFECT=usable_short heapyard check ./{_NAME} -k HY-API

Where a defect acts is found by its name: `grep -n DEFECT_usable_short *.c`.
"""
