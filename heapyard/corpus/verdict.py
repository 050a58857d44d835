"""Run one rule on one target, as the plugin does, but without a report: only the verdict counts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from heapyard.rules import CONTRACT, NotApplicable, Rule, RuleViolation, Trial, find_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heapyard.trial import Target

__all__ = ["body_of", "figure_verdict", "is_worse", "verdict"]

FACTOR = 1.5
"""By which the figure of a PROFILE rule must be worse with a defect than by the sound build."""

LEAST = 1.0
"""A figure of the sound build below this counts as this: 0.1 % is not worse than nothing."""


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
    """Say "figure" where the first figure is worse than that of the sound build by FACTOR."""
    trial, seen, text = _tried(identity, target, 0)
    reference, _, _ = _tried(identity, sound, 0)
    if seen:
        return seen, text
    figure, other = trial.figures[0], reference.figures[0]
    text = f"{figure['value']:g}, and {other['value']:g} by the sound build"
    return ("figure" if is_worse(figure, other) else "pass"), text


def is_worse(figure: Mapping[str, Any], sound: Mapping[str, Any]) -> bool:
    """Whether a figure is clearly on the wrong side of the sound build's; which that is, it says.

    Where neither more nor less is better, none is worse.
    """
    value, reference = float(figure["value"]), max(float(sound["value"]), LEAST)
    if figure["better"] == "less":
        return value > FACTOR * reference
    return figure["better"] == "more" and value * FACTOR < reference


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
