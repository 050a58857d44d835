"""The target as the malloc of a whole process, for rules: one topic of heapyard-swap each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.rules import NotApplicable, Trial
from heapyard.trial.swap import run_swap, why_not_replaceable

if TYPE_CHECKING:
    from heapyard.trial import Outcome

__all__ = ["holds_as_malloc", "holds_when_opened", "require_replaceable"]


def require_replaceable(trial: Trial) -> None:
    """Raise NotApplicable where the target can't be the malloc of a process."""
    why = why_not_replaceable(trial.target)
    if why:
        raise NotApplicable(why)


def holds_as_malloc(trial: Trial, topic: str, *libraries: str) -> None:
    """The topic holds in a process whose malloc is the target, and that has these libraries."""
    require_replaceable(trial)
    _judge(trial, run_swap(trial.target, topic, libraries=libraries), topic)


def holds_when_opened(trial: Trial, topic: str) -> None:
    """The topic holds in a program with the libc's malloc that opens the target."""
    require_replaceable(trial)
    if trial.target.path is None:
        raise NotApplicable("it is the libc, which every program has already")
    _judge(trial, run_swap(trial.target, topic, preload=False), topic)


def _judge(trial: Trial, outcome: Outcome, topic: str) -> None:
    if outcome.status == "refused":
        raise NotApplicable(outcome.seen)
    if not outcome.held:
        trial.fail(outcome.expected, outcome.seen, outcome=outcome, topic=topic)
