"""What a rule is: its level and the facts of its declaration, known without running it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MUST", "PROFILE", "SHOULD", "Level", "Rule"]


class Level(StrEnum):
    """How binding a rule is."""

    MUST = "MUST"
    """The standard or the platform's documented interface demands it."""
    SHOULD = "SHOULD"
    """Users rely on it; a failure is shown, and counts with `--strict` only."""
    PROFILE = "PROFILE"
    """A figure to compare."""


MUST = Level.MUST
SHOULD = Level.SHOULD
PROFILE = Level.PROFILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is known of a rule without running it."""

    id: str
    level: Level
    title: str
    """The property, as a claim: the docstring's first line."""
    text: str
    """The docstring below its first line."""
    source: str
    """The clause that demands the property, or who relies on it."""
    bug: str
    """A public bug that this rule would have caught; empty: none is known."""
    needs: frozenset[str]
    """Entry points and `FLAGS` without which a target is not asked."""
    seconds: float
    """How long the rule may take on one target; what runs longer hangs."""
    function: str
    """The test's name."""
    file: Path = field(repr=False)

    @property
    def group(self) -> str:
        """The middle of the id: ALIGN, ZERO..."""
        return self.id.split("-")[1]
