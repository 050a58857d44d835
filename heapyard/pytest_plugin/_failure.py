"""How a violation reads in pytest's own failure section: no traceback, what a user needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _pytest._code.code import ExceptionChainRepr, ReprEntryNative, ReprFileLocation, ReprTraceback

if TYPE_CHECKING:
    import pytest

    from heapyard.report.result import Result

__all__ = ["failure_text", "violation_repr"]


def failure_text(result: Result) -> str:
    """The property, and under it what was expected, seen, and the command that shows it again."""
    head = f"{result.rule} ({result.level}) on {result.target}: {result.title}"
    rows = [("source", result.source), *result.explanation]
    lines = [f"  {label:<9} {text}" for label, text in rows]
    return "\n".join([head, *lines, *(f"{'':12}{line}" for line in result.listing.splitlines())])


def violation_repr(item: pytest.Item, result: Result, text: str) -> ExceptionChainRepr:
    """The text in the form that pytest, junit and xdist take for an exception."""
    path, line, _ = item.location
    body = ReprTraceback([ReprEntryNative([f"{text}\n"])], None, "native")
    return ExceptionChainRepr(
        [(body, ReprFileLocation(path, (line or 0) + 1, result.detail), None)]
    )
