"""`heapyard rules`: the list of all rules."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from heapyard.cli._parser import PASSED
from heapyard.report.style import style_for
from heapyard.rules import Level, load_rules

if TYPE_CHECKING:
    import argparse

    from heapyard.cli._parser import Verbs
    from heapyard.report.style import Style
    from heapyard.rules import Rule

__all__ = ["add", "run"]

_DESCRIPTION = """\
List the rules: id, level, and the property that each claims.

`heapyard explain RULE` tells the rest of one."""

_COLOURS = {Level.MUST: "red", Level.SHOULD: "yellow", Level.PROFILE: "cyan"}


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser("rules", help="list the rules", description=_DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="as JSON, with all that is known")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the list."""
    rules = load_rules()
    if options.json:
        print(
            json.dumps(
                {"schema": "heapyard.rules/1", "rules": [_facts(r) for r in rules]}, indent=1
            )
        )
        return PASSED
    style = style_for(sys.stdout)
    width = shutil.get_terminal_size().columns
    for rule in rules:
        print(_line(rule, style, width))
    counts = [f"{sum(rule.level is level for rule in rules)} {level}" for level in Level]
    print(f"\n{len(rules)} rules: {', '.join(counts)}")
    return PASSED


def _line(rule: Rule, style: Style, width: int) -> str:
    head = f"{rule.id:<14}  {style(f'{rule.level:<7}', _COLOURS[rule.level])}  "
    room = max(20, width - 14 - 7 - 4 - 1)
    title = rule.title if len(rule.title) <= room else rule.title[: room - 3].rstrip() + "..."
    return head + title


def _facts(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "group": rule.group,
        "level": rule.level.value,
        "title": rule.title,
        "text": rule.text,
        "source": rule.source,
        "needs": sorted(rule.needs),
        "bug": rule.bug or None,
        "seconds": rule.seconds,
    }
