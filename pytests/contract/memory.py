"""Resident memory in rules: what a plan's measurements say.

`rss` is what the engine measures in the child: anonymous memory in RAM, less pages that are marked
as free and less the engine's own. A rule leaves an effect of tens of MiB and tolerates a fraction
of it, so that no allocator's caches decide.
"""

from heapyard.rules import Trial
from heapyard.trial import Plan

__all__ = ["resident_figures", "resident_growth"]


def resident_figures(trial: Trial, plan: Plan) -> list[int]:
    """Run the plan, which must hold, and answer its measurements of rss, in order, in bytes."""
    return list(trial.holds(plan).values("rss"))


def resident_growth(trial: Trial, plan: Plan) -> int:
    """Bytes by which the last measurement of rss exceeds the first."""
    figures = resident_figures(trial, plan)
    return figures[-1] - figures[0]
