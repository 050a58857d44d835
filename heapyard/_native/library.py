"""Loading a native library, once, with the prototypes of the table."""

from __future__ import annotations

import ctypes
import functools
from typing import TYPE_CHECKING

from heapyard._native.build import Build, current_build
from heapyard._native.prototypes import LibraryName, functions_of
from heapyard.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["library"]


def library(name: LibraryName = "libheapyard") -> ctypes.CDLL:
    """The library of the build in use, loaded at the first call.

    Raises BuildError where it can't be loaded, or lacks a function that the table has.
    """
    build = current_build()
    path = build.libheapyard if name == "libheapyard" else build.libheapyard_trial
    return _load(build, name, path)


@functools.cache
def _load(build: Build, name: LibraryName, path: Path) -> ctypes.CDLL:
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise BuildError(f"Can't load {path}: {error}{_remedy(build)}") from error
    for row in functions_of(name):
        try:
            entry = getattr(loaded, row.name)
        except AttributeError as error:
            raise BuildError(f"{path} has no {row.name}: build again.") from error
        entry.restype = row.result
        entry.argtypes = row.arguments
    return loaded


def _remedy(build: Build) -> str:
    if build.sanitizer_runtime is not None:
        return f"; start Python with LD_PRELOAD={build.sanitizer_runtime}."
    return "; build again, or name another build with HEAPYARD_LIB."
