"""The corpus allocator of the build under test, as a target; its defects are heapyard.corpus's."""

from functools import cache
from pathlib import Path

from heapyard._native.build import current_build
from heapyard._tells import TELLS
from heapyard.corpus import DEFECTS, Defect
from heapyard.trial import Target, resolve_target

__all__ = ["DEFECTS", "Defect", "corpus_path", "corpus_target"]


def corpus_path() -> Path:
    """The corpus library of the build under test."""
    path = current_build().corpus
    assert path is not None, "this build has no corpus: configure with HEAPYARD_BUILD_TESTS=ON"
    return path


@cache
def corpus_target(mode: str, defect: str = "") -> Target:
    """The corpus allocator, sound or with one defect."""
    return resolve_target(
        str(corpus_path()),
        mode=mode,
        environment={"HEAPYARD_DEFECT": defect},
        tells=TELLS,
        even_unloadable=True,
    )
