"""Known failures: a small sorted file (schema heapyard.baseline/1), so that only news fails a run.

    {
     "schema": "heapyard.baseline/1",
     "targets": {
      "libmine.so": {
       "HY-ALIGN-03": ["align"]
      }
     }
    }

A failure is known where its target's name (as the report's column has it, not its path), its rule
and the kind of what was seen are in the file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from heapyard.errors import HeapyardError
from heapyard.report.json import unwritable
from heapyard.report.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from heapyard.report.result import TargetReport

__all__ = ["SCHEMA", "Baseline", "Entry"]

SCHEMA = "heapyard.baseline/1"

_RULE = re.compile(r"HY-[A-Z]+-[0-9]{2}")
_HOLDS = (Verdict.PASS, Verdict.FIGURE)
"""A rule that was skipped says nothing."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One known failure."""

    target: str
    rule: str
    kind: str

    def __str__(self) -> str:
        """As the report names it."""
        return f"{self.rule} on {self.target} ({self.kind})"


@dataclass(frozen=True)
class Baseline:
    """The known failures."""

    entries: frozenset[Entry] = frozenset()

    def knows(self, target: str, rule: str, kind: str) -> bool:
        """Whether this failure is a known one."""
        return Entry(target, rule, kind) in self.entries

    def gone(self, targets: Iterable[TargetReport]) -> tuple[Entry, ...]:
        """The entries whose rule was asked and holds now, sorted.

        One that fails in another way is not gone: where memory is corrupted, what is seen varies.
        """
        held = {
            (target.name, result.rule)
            for target in targets
            for result in target.results
            if result.verdict in _HOLDS
        }
        return tuple(entry for entry in sorted(self.entries) if (entry.target, entry.rule) in held)

    def shrunk(self, targets: Iterable[TargetReport]) -> Self:
        """Without what is gone."""
        return type(self)(self.entries - frozenset(self.gone(targets)))

    def replaced(self, targets: Iterable[TargetReport]) -> Self:
        """Without what is gone, and with all failures of this run."""
        targets = tuple(targets)
        seen = frozenset(
            Entry(target.name, result.rule, result.kind)
            for target in targets
            for result in target.results
            if result.failed
        )
        return type(self)(self.shrunk(targets).entries | seen)

    # --- the file ---

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file. Raises HeapyardError, in one line, for one that is none."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise HeapyardError(
                f"can't read the baseline {path}: {reason}; make one with --write-baseline"
            ) from None
        except ValueError as error:
            raise HeapyardError(
                f"the baseline {path} is not JSON: {error}; write it anew"
            ) from None
        return cls(frozenset(_entries(content, path)))

    def write(self, path: Path) -> None:
        """Write it, sorted, so that a change is a small diff."""
        targets: dict[str, dict[str, list[str]]] = {}
        for entry in sorted(self.entries):
            targets.setdefault(entry.target, {}).setdefault(entry.rule, []).append(entry.kind)
        text = json.dumps({"schema": SCHEMA, "targets": targets}, indent=1)
        flat = re.sub(r"\[\s+([^\]]*?)\s+\]", _in_one_line, text)
        try:
            path.write_text(flat + "\n", encoding="utf-8")
        except OSError as error:
            raise unwritable(path, error) from None


def _in_one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r"\s*\n\s*", " ", found[1]) + "]"


def _entries(content: Any, path: Path) -> Iterator[Entry]:
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise HeapyardError(
            f"the baseline {path} has the schema {schema!r}: must be {SCHEMA!r}; write it anew"
        )
    for target, rules in _mapping(content.get("targets"), "targets", path).items():
        for rule, kinds in _mapping(rules, target, path).items():
            yield from (Entry(target, rule, kind) for kind in _kinds(rule, kinds, path))


def _mapping(value: Any, name: str, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise HeapyardError(f"the baseline {path}: {name} must be an object; write it anew")
    return value


def _kinds(rule: str, kinds: Any, path: Path) -> list[str]:
    if not _RULE.fullmatch(rule):
        raise HeapyardError(f"the baseline {path}: {rule!r} is no rule's id; write it anew")
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise HeapyardError(
            f'the baseline {path}: {rule} must have a list of kinds, as in ["align"]; write it anew'
        )
    return kinds
