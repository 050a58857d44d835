"""Ask the rule that is meant for a defect, and all others if wanted, what they see of it."""

from __future__ import annotations

import contextlib
import time
from functools import cache
from typing import TYPE_CHECKING

from heapyard._tells import TELLS
from heapyard.corpus.finding import Finding
from heapyard.corpus.verdict import figure_verdict, verdict
from heapyard.rules import load_rules, trial
from heapyard.trial import resolve_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from heapyard.corpus.defects import Defect
    from heapyard.trial import Target

__all__ = ["defect_verdict", "judge_defect", "without_shrinking"]

_QUIET = ("pass", "skip")


def judge_defect(library: Path, defect: Defect, *, all_rules: bool = False) -> Finding:
    """Run the rule on the library with the defect in force, and on the sound one."""
    began = time.monotonic()
    target = _target(library, defect.name)
    with without_shrinking():
        seen, text = defect_verdict(defect, target, _target(library, ""))
        sound, _ = verdict(defect.rule, _target(library, ""))
        others = _others(defect, library) if all_rules else None
    return Finding(
        defect=defect,
        seen=seen,
        text=text,
        sound=sound,
        others=others,
        seconds=time.monotonic() - began,
    )


def defect_verdict(defect: Defect, target: Target, sound: Target) -> tuple[str, str]:
    """What the rule that is meant for the defect sees of it."""
    if defect.shows == "figure":
        return figure_verdict(defect.rule, target, sound)
    return verdict(defect.rule, target)


def _others(defect: Defect, library: Path) -> tuple[str, ...]:
    """Every other rule that says something else of the defect than of the sound build."""
    target = _target(library, defect.name)
    identities = (rule.id for rule in load_rules() if rule.id != defect.rule)
    return tuple(
        each
        for each in identities
        if (seen := verdict(each, target)[0]) not in _QUIET and seen != _sound(library, each)
    )


@cache
def _sound(library: Path, rule: str) -> str:
    return verdict(rule, _target(library, ""))[0]


@cache
def _target(library: Path, defect: str) -> Target:
    return resolve_target(
        str(library), environment={"HEAPYARD_DEFECT": defect}, tells=TELLS, even_unloadable=True
    )


@contextlib.contextmanager
def without_shrinking() -> Iterator[None]:
    """The verdict is asked for, not the shortest plan."""
    seconds = trial.SHRINK_SECONDS
    trial.SHRINK_SECONDS = 0.0
    try:
        yield
    finally:
        trial.SHRINK_SECONDS = seconds
