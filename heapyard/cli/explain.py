"""`heapyard explain`: what a rule demands, who says so, and what it would have caught."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from heapyard.cli._parser import PASSED
from heapyard.report.style import style_for
from heapyard.rules import Level, find_rule

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from heapyard.cli._parser import Verbs
    from heapyard.report.style import Style
    from heapyard.rules import Rule

__all__ = ["add", "run"]

_LEVELS = {
    Level.MUST: "MUST: a standard or the platform demands it; a failure makes `check` exit with 1",
    Level.SHOULD: "SHOULD: users rely on it; a failure is shown, and counts with --strict",
    Level.PROFILE: "PROFILE: a figure to compare across targets",
}
_WIDEST = 100


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "explain",
        help="tell all about a rule",
        description="Tell the property, level, source and needs of a rule, and a bug it catches.",
    )
    parser.add_argument("rule", metavar="RULE", help="its id, as in HY-ALIGN-03")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the explanation. Raises UnknownRuleError with the nearest ids."""
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    for line in _explanation(find_rule(options.rule), style_for(sys.stdout), width):
        print(line)
    return PASSED


def _explanation(rule: Rule, style: Style, width: int) -> Iterator[str]:
    yield style(rule.id, "bold")
    yield from textwrap.wrap(f"{rule.title}.", width)
    yield ""
    if rule.text:
        yield from rule.text.splitlines()
        yield ""
    facts = {
        "level": _LEVELS[rule.level],
        "source": rule.source,
        "needs": ", ".join(sorted(rule.needs)) or "nothing beyond malloc and free",
        "bug": rule.bug or "none on record",
        "test": f"{rule.function} in {rule.file.name}",
        "try": f"heapyard check -k {rule.id}",
    }
    for label, text in facts.items():
        first, *more = textwrap.wrap(text, max(20, width - 8), break_long_words=False)
        yield f"{style(f'{label:<6}', 'dim')}  {first}"
        yield from (f"        {line}" for line in more)
