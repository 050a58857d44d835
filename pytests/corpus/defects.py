"""The defects of the corpus allocator, as its own list has them, and the allocator as a target."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from heapyard._native.build import current_build
from heapyard.trial import Target, resolve_target

__all__ = ["DEFECTS", "Defect", "corpus_path", "corpus_target"]


@dataclass(frozen=True, slots=True)
class Defect:
    """One entry of yard_defects.h."""

    name: str
    rule: str
    """The rule that must catch it."""
    shows: str
    """What that rule must see: a kind of violation, a signal's name, or "memory"."""
    text: str

    def __str__(self) -> str:
        """As the test's id shows it."""
        return f"{self.name}-{self.rule}"


_ENTRY = re.compile(r'X\(\s*(\w+),\s*"([^"]+)",\s*"([^"]+)",\s*((?:"[^"]*"\s*)+)\)')
_PIECE = re.compile(r'"([^"]*)"')


def _read(header: Path) -> tuple[Defect, ...]:
    text = header.read_text(encoding="utf-8").replace("\\\n", "\n")
    return tuple(
        Defect(name, rule, shows, "".join(_PIECE.findall(pieces)))
        for name, rule, shows, pieces in _ENTRY.findall(text)
    )


DEFECTS = _read(Path(__file__).with_name("yard_defects.h"))
"""Read from the header, so that tests can be collected without a build."""


def corpus_path() -> Path:
    """The corpus library of the build under test."""
    path = current_build().corpus
    assert path is not None, "this build has no corpus: configure with HEAPYARD_BUILD_TESTS=ON"
    return path


@cache
def corpus_target(mode: str, defect: str = "") -> Target:
    """The corpus allocator, sound or with one defect."""
    return resolve_target(str(corpus_path()), mode=mode, environment={"HEAPYARD_DEFECT": defect})
