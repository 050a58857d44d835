"""Reporters, one a module, all from the same data: `Report`."""

from heapyard.report.result import Report, Result, TargetReport, Verdict

__all__ = ["Report", "Result", "TargetReport", "Verdict"]
