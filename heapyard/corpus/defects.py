"""The defects of the corpus allocator, as its own headers list them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DEFECTS", "SOURCES", "Defect", "source_files"]

SOURCES = Path(__file__).parent / "sources"
"""The folder of the C files; in a checkout a link to pytests/corpus."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One entry of the lists in defect_lists/."""

    name: str
    rule: str
    """The rule that must catch it."""
    shows: str
    """What that rule must see: a kind of violation, a signal's name, "memory" where it measures and
    finds too much, "figure" where its figure is worse, or a word of its scale."""
    text: str

    def __str__(self) -> str:
        """As the test's id shows it."""
        return f"{self.name}-{self.rule}"


_ENTRY = re.compile(r'X\(\s*(\w+),\s*"([^"]+)",\s*"([^"]+)",\s*((?:"[^"]*"\s*)+)\)')
_PIECE = re.compile(r'"([^"]*)"')


def source_files() -> tuple[Path, ...]:
    """Every C file and header of the allocator, in order of name."""
    found = [*SOURCES.glob("yard_*.[ch]"), *SOURCES.glob("defect_lists/*.h")]
    return tuple(sorted(found))


def _read(header: Path) -> list[Defect]:
    text = header.read_text(encoding="utf-8").replace("\\\n", "\n")
    return [
        Defect(name, rule, shows, "".join(_PIECE.findall(pieces)))
        for name, rule, shows, pieces in _ENTRY.findall(text)
    ]


def _groups() -> list[Path]:
    """The headers of defect_lists/, in the order in which yard_defects.h lists their macros."""
    text = (SOURCES / "yard_defects.h").read_text(encoding="utf-8")
    listed = re.findall(r"YARD_\w+_DEFECTS(?=\(X\))", text)
    headers = {
        name: path
        for path in (SOURCES / "defect_lists").glob("*.h")
        for name in re.findall(r"#define (YARD_\w+_DEFECTS)", path.read_text(encoding="utf-8"))
    }
    return [headers[name] for name in listed]


DEFECTS = tuple(defect for header in _groups() for defect in _read(header))
"""Read from the headers, so that nothing needs to be built to know them."""
