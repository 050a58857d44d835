"""How an allocator takes misuse, on a scale, and what its last words must say.

4  named       the process ends, with a message that names what is wrong
3  dies        it ends without one; `hangs` and `grows` where it has to be ended
2  warned      it goes on unharmed, and says so
1  unharmed    it goes on, and what is live stays apart and whole
0  two owners  one block is given to two; `damage`: a live block changes, or what is handed out
               is no memory of the allocator's
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard.rules import NotApplicable, Trial

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heapyard.contract.misuse_plans import Variant
    from heapyard.trial import Outcome

__all__ = ["Grade", "grade_all", "grade_of", "last_line", "names_misuse"]

_NAMES = re.compile(
    r"double.?free|invalid|corrupt|overflow|overrun|underflow|underrun|misalign|unaligned"
    r"|wrong|mismatch|bad (free|pointer|size|alignment)|not (allocated|owned|a valid|from|live)"
    r"|foreign|interior|unused memory|after.?free|canary|smash|attempt(ing)? to (free|realloc)"
    r"|already free|bad.free|unknown (pointer|address)|out.of.bounds|tamper|detected",
    re.IGNORECASE,
)
"""Words of the messages that allocators print; a plain 'assertion failed' names nothing."""

_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Grade:
    """One place on the scale."""

    value: int
    word: str


NAMED = Grade(4, "named")
DIES = Grade(3, "dies")
HANGS = Grade(3, "hangs")
GROWS = Grade(3, "grows")
WARNED = Grade(2, "warned")
UNHARMED = Grade(1, "unharmed")
TWO_OWNERS = Grade(0, "two owners")
DAMAGE = Grade(0, "damage")

_BY_STATUS = {"crash": DIES, "exit": DIES, "hang": HANGS, "runaway": GROWS, "held": UNHARMED}


def names_misuse(text: str) -> bool:
    """Whether a message on standard error says what was wrong."""
    return _NAMES.search(text) is not None


def grade_of(outcome: Outcome) -> Grade:
    """Where on the scale a plan ended that misuses and then probes."""
    if outcome.status == "violation":
        return TWO_OWNERS if outcome.kind == "overlap" else DAMAGE
    if names_misuse(outcome.stderr):
        return WARNED if outcome.held else NAMED
    return _BY_STATUS[outcome.status]


def last_line(outcome: Outcome) -> str:
    """The line of the message that names the misuse, or its last one; cut to a line's length."""
    lines = [line.strip() for line in outcome.stderr.splitlines() if line.strip()]
    naming = [line for line in lines if names_misuse(line)]
    return (naming or lines or [""])[-1][:_LONGEST]


def grade_all(trial: Trial, name: str, variants: Iterable[Variant]) -> None:
    """Run each, and record the worst grade as the rule's figure, then that of each variant."""
    outcomes = [(label, trial.run(plan)) for label, plan in variants]
    if not outcomes:
        raise NotApplicable("no plan of it fits this target")
    worst = min((grade_of(outcome) for _, outcome in outcomes), key=lambda grade: grade.value)
    trial.figure(name, worst.value, word=worst.word)
    for label, outcome in outcomes:
        grade = grade_of(outcome)
        trial.figure(label, grade.value, word=grade.word, **_words(outcome))


def _words(outcome: Outcome) -> dict[str, str]:
    """How it ended, for the JSON report: only what there is to say."""
    facts = {
        "signal": outcome.signal,
        "operation": outcome.operation,
        "message": last_line(outcome),
        "seen": outcome.seen if outcome.status == "violation" else "",
    }
    return {name: text for name, text in facts.items() if text}
