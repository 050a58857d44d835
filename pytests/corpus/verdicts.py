"""What a rule says of a target, without a report: see heapyard.corpus.verdict."""

from heapyard.corpus import body_of, verdict
from heapyard.rules import Rule

__all__ = ["body_of", "claim", "verdict"]


def claim(rule: Rule) -> str:
    """The id of a test of this rule; that of the rule's own test begins with the rule."""
    return f"{rule.function.removeprefix('test_')}-{rule.id}"
