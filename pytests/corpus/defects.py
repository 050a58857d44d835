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


_HERE = Path(__file__).parent


def _read(header: Path) -> list[Defect]:
    text = header.read_text(encoding="utf-8").replace("\\\n", "\n")
    return [
        Defect(name, rule, shows, "".join(_PIECE.findall(pieces)))
        for name, rule, shows, pieces in _ENTRY.findall(text)
    ]


def _groups() -> list[Path]:
    """The headers of defect_lists/, in the order in which yard_defects.h lists their macros."""
    text = (_HERE / "yard_defects.h").read_text(encoding="utf-8")
    listed = re.findall(r"YARD_\w+_DEFECTS(?=\(X\))", text)
    headers = {
        name: path
        for path in (_HERE / "defect_lists").glob("*.h")
        for name in re.findall(r"#define (YARD_\w+_DEFECTS)", path.read_text(encoding="utf-8"))
    }
    return [headers[name] for name in listed]


DEFECTS = tuple(defect for header in _groups() for defect in _read(header))
"""Read from the headers, so that tests can be collected without a build."""


def corpus_path() -> Path:
    """The corpus library of the build under test."""
    path = current_build().corpus
    assert path is not None, "this build has no corpus: configure with HEAPYARD_BUILD_TESTS=ON"
    return path


@cache
def corpus_target(mode: str, defect: str = "") -> Target:
    """The corpus allocator, sound or with one defect."""
    return resolve_target(str(corpus_path()), mode=mode, environment={"HEAPYARD_DEFECT": defect})
