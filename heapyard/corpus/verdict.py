"""Run one rule on one target, as the plugin does, but without a report: only the verdict counts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from heapyard.rules import CONTRACT, NotApplicable, Rule, RuleViolation, Trial, find_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard.trial import Target

__all__ = ["body_of", "figure_verdict", "verdict"]

FACTOR = 1.5
"""By which the figure of a PROFILE rule must differ between a defect and the sound build."""


def body_of(rule: Rule) -> Callable[[Trial], None]:
    """The test function that was declared as this rule."""
    module = import_module(f"{CONTRACT}.{rule.file.stem}")
    body: Callable[[Trial], None] = getattr(module, rule.function)
    return body


def verdict(identity: str, target: Target, *, seed: int = 0) -> tuple[str, str]:
    """What the rule says, with a text for people.

    "pass", "skip", the kind of the violation, the name of the signal, "memory" where the rule
    measures and finds too much, or the word for the bottom of the scale that a PROFILE rule has.
    """
    trial, seen, text = _tried(identity, target, seed)
    if seen:
        return seen, text
    lowest = next((each for each in trial.figures if each.get("word") and not each["value"]), None)
    return ("pass", "") if lowest is None else (lowest["word"], lowest["name"])


def figure_verdict(identity: str, target: Target, sound: Target) -> tuple[str, str]:
    """Say "figure" where the first figure differs from that of the sound build by FACTOR."""
    trial, seen, text = _tried(identity, target, 0)
    reference, _, _ = _tried(identity, sound, 0)
    if seen:
        return seen, text
    values = [each.figures[0]["value"] for each in (trial, reference)]
    text = f"{values[0]:g}, and {values[1]:g} by the sound build"
    return ("figure" if max(values) > FACTOR * min(values) else "pass"), text


def _tried(identity: str, target: Target, seed: int) -> tuple[Trial, str, str]:
    """The trial that the rule had; what it saw and a text, both empty where it holds."""
    rule = find_rule(identity)
    trial = Trial(rule, target, seed=seed)
    if lacking := trial.missing():
        return trial, "skip", f"needs {', '.join(lacking)}"
    try:
        body_of(rule)(trial)
    except RuleViolation as violation:
        outcome = violation.outcome
        seen = (outcome.kind or outcome.status) if outcome else "memory"
        return trial, seen, str(violation)
    except NotApplicable as missing:
        return trial, "skip", str(missing)
    return trial, "", ""
