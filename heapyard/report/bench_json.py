"""A benchmark's results as JSON, schema heapyard.bench/1: every sample, and what the table says."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from heapyard.report.json import unwritable

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard.bench.figures import Spread
    from heapyard.bench.result import BenchReport, PlanReport, Row

__all__ = ["SCHEMA", "as_json", "write"]

SCHEMA = "heapyard.bench/1"


def as_json(report: BenchReport) -> dict[str, Any]:
    """The report as plain lists and dicts. Times in nanoseconds, memory in bytes."""
    return {
        "schema": SCHEMA,
        "version": report.version,
        "machine": report.machine,
        "settings": asdict(report.settings),
        "targets": [
            {**each.target.to_json(), "target": each.typed, "name": each.name}
            for each in report.targets
        ],
        "plans": [_plan(plan) for plan in report.plans],
    }


def _plan(plan: PlanReport) -> dict[str, Any]:
    return {
        "plan": plan.name,
        "title": plan.title,
        "live_peak": plan.live_peak,
        "rows": [_row(row, plan) for row in plan.rows],
    }


def _row(row: Row, plan: PlanReport) -> dict[str, Any]:
    if row.trouble is not None:
        return {"target": row.target, "trouble": row.trouble.text, "samples": []}
    return {
        "target": row.target,
        "trouble": None,
        "pair": _spread(row.pair),
        "wall_pair": _spread(row.wall_pair),
        "ratio_to_first": _spread(row.ratio_to(plan.first)),
        "ratio_to_floor": _spread(row.ratio_to(plan.floor)),
        "peak": row.peak,
        "final": row.final,
        "trimmed": row.trimmed,
        "faults": row.faults,
        "instructions": row.instructions,
        "samples": [asdict(sample) for sample in row.samples],
    }


def _spread(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else asdict(spread)


def write(report: BenchReport, path: Path) -> None:
    """Write the report to `path`. Raises HeapyardError where that can't be."""
    try:
        path.write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None
