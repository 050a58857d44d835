"""Write the C programs that show failures, one for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard.reproducer import (
    Failure,
    NoProgramError,
    c_program,
    command_of,
    listing,
    swap_program,
)

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard._defendants import Defendant
    from heapyard.rules import Rule, RuleViolation

__all__ = ["Program", "write"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """A C program that was written."""

    path: Path
    listing: str
    """Its main function, where that is short."""

    def command(self, defendant: Defendant, shown: str) -> str:
        """What builds and runs it."""
        return command_of(defendant.target, shown)


def write(folder: Path, defendant: Defendant, rule: Rule, error: RuleViolation) -> Program | None:
    """Write `folder`/RULE-TARGET.c; None where the failure has no C program, or no place."""
    if error.plan is None and not error.topic:
        return None
    path = folder / f"{rule.id}-{defendant.name.replace('/', '_')}.c"
    claim = f"{rule.id} ({rule.level}): {rule.title}"
    try:
        failure = Failure.of_violation(error, rule=claim)
        text = _text(error, failure, defendant, path.name)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except (NoProgramError, OSError):
        return None
    return Program(path=path, listing=listing(text) if error.plan is not None else "")


def _text(error: RuleViolation, failure: Failure, defendant: Defendant, file: str) -> str:
    if error.plan is not None:
        return c_program(error.plan, failure, defendant.target, file=file)
    step = error.operation
    return swap_program(error.topic, failure, defendant.target, step=step, file=file)
