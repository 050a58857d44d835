"""Run one rule on one target, as the plugin does, but without a report: only the verdict counts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from heapyard.rules import CONTRACT, NotApplicable, Rule, RuleViolation, Trial, find_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from heapyard.trial import Target

__all__ = ["body_of", "verdict"]


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
    rule = find_rule(identity)
    trial = Trial(rule, target, seed=seed)
    if lacking := trial.missing():
        return "skip", f"needs {', '.join(lacking)}"
    try:
        body_of(rule)(trial)
    except RuleViolation as violation:
        outcome = violation.outcome
        return (outcome.kind or outcome.status) if outcome else "memory", str(violation)
    except NotApplicable as missing:
        return "skip", str(missing)
    lowest = next((each for each in trial.figures if each.get("word") and not each["value"]), None)
    return ("pass", "") if lowest is None else (lowest["word"], lowest["name"])
