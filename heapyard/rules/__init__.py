"""Declare rules: one named, documented property of an allocator each, with its level and source.

A rule is a pytest test whose argument is a `Trial`::

    @rule("HY-ALIGN-03", level=MUST, source="C17 7.22.3.1", needs={"aligned_alloc"})
    def test_aligned_alloc_grid(trial: Trial) -> None:
        '''aligned_alloc answers a multiple of every power of two up to 64 KiB.

        What else there is to say about it: `heapyard explain HY-ALIGN-03` prints all of this.
        '''
        plan = trial.plan(Check.ALIGN)
        plan.aligned_alloc(64, 640)
        trial.holds(plan)

The pytest plugin runs each rule once for each target. A declaration is validated where it stands:
an id of the wrong form or used twice, a missing docstring or source is a BadArgumentError.
"""

from heapyard.rules.definition import MUST, PROFILE, SHOULD, Level, Rule
from heapyard.rules.registry import (
    CONTRACT,
    UnknownRuleError,
    all_rules,
    find_rule,
    load_rules,
    rule,
    rule_of,
)
from heapyard.rules.trial import FLAGS, Trial
from heapyard.rules.violation import Growth, NotApplicable, RuleViolation

__all__ = [
    "CONTRACT",
    "FLAGS",
    "MUST",
    "PROFILE",
    "SHOULD",
    "Growth",
    "Level",
    "NotApplicable",
    "Rule",
    "RuleViolation",
    "Trial",
    "UnknownRuleError",
    "all_rules",
    "find_rule",
    "load_rules",
    "rule",
    "rule_of",
]
