"""The report as JSON, schema heapyard.check/1: for other tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from heapyard.errors import HeapyardError

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard.report.result import Report, Result, TargetReport

__all__ = ["SCHEMA", "as_json", "require_writable", "unwritable", "write"]

SCHEMA = "heapyard.check/1"

_FIELDS = (
    *("rule", "level", "verdict", "detail", "figure", "plan", "program", "seconds"),
    *("kind", "known"),
)


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain lists and dicts."""
    return {
        "schema": SCHEMA,
        "version": report.version,
        "seed": report.seed,
        "targets": [_target(target) for target in report.targets],
        "summary": {"must_failed": report.must_failed, "should_failed": report.should_failed},
    }


def _target(target: TargetReport) -> dict[str, Any]:
    return {
        "target": target.target,
        "name": target.name,
        "path": target.path,
        "mode": target.mode,
        "capabilities": dict(target.capabilities),
        "results": [_result(result) for result in target.results],
    }


def _result(result: Result) -> dict[str, Any]:
    content = result.to_dict()
    return {name: content[name] for name in _FIELDS}


def require_writable(path: Path) -> None:
    """Raise HeapyardError where `write` could not write; nothing is left behind."""
    existed = path.exists()
    try:
        path.open("a").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise unwritable(path, error) from None


def write(report: Report, path: Path) -> None:
    """Write the report to `path`. Raises HeapyardError where that can't be."""
    try:
        path.write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> HeapyardError:
    """The error for a file that a report can't be written to."""
    reason = (error.strerror or str(error)).lower()
    return HeapyardError(f"can't write {path}: {reason}; name a file that can be written")
