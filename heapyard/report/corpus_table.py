"""Which rule catches which defect, for people and as JSON (schema heapyard.corpus/1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from heapyard.report.json import unwritable
from heapyard.report.terminal import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from heapyard.corpus import Finding
    from heapyard.report.style import Style

__all__ = ["closing", "heading", "row", "write_json"]

SCHEMA = "heapyard.corpus/1"

_NAME, _RULE, _SECONDS, _ANSWER = 33, 14, 7, 22
_OTHERS = 3


def heading(style: Style, *, all_rules: bool) -> str:
    """The names of the columns."""
    last = "  caught by other rules too" if all_rules else ""
    line = f"{'defect':<{_NAME}} {'rule':<{_RULE}} {'seconds':>{_SECONDS}}  {'verdict':<{_ANSWER}}"
    return style((line + last).rstrip(), "bold")


def row(finding: Finding, style: Style) -> Iterator[str]:
    """A defect in one line; what goes wrong with one that is not caught in a second one."""
    answer = f"{finding.answer:<{_ANSWER}}"
    colour = ("green",) if finding.is_caught else ("red", "bold")
    defect = finding.defect
    head = f"{defect.name:<{_NAME}} {defect.rule:<{_RULE}} {finding.seconds:>{_SECONDS}.2f}"
    yield f"{head}  {style(answer, *colour)}{_others(finding)}".rstrip()
    if not finding.is_caught:
        yield style(f"  {defect.text}", "dim")
        yield from ([style(f"  {finding.text}", "dim")] if finding.text else [])


def _others(finding: Finding) -> str:
    """The first few names, and how many more."""
    if not finding.others:
        return "" if finding.others is None else "  -"
    shown = ", ".join(finding.others[:_OTHERS])
    more = len(finding.others) - _OTHERS
    return f"  {shown}" + (f" and {more} more" if more > 0 else "")


def closing(
    findings: Sequence[Finding], seconds: float, style: Style, *, expected: int
) -> Iterator[str]:
    """The answer, in a line or two."""
    if len(findings) < expected:
        yield style(f"interrupted: {len(findings)} of {expected} defects", "yellow", "bold")
    if not findings:
        return
    caught = sum(finding.is_caught for finding in findings)
    missed = len(findings) - caught
    rules = len({finding.defect.rule for finding in findings})
    head = f"{caught} of {plural(len(findings), 'defect')} caught, each by the rule meant for it"
    if missed:
        head = f"{missed} of {plural(len(findings), 'defect')} not caught"
    colour = ("red", "bold") if missed else ("green", "bold")
    yield f"{style(head, *colour)}; {plural(rules, 'rule')}, {seconds:.1f} s"


def write_json(findings: Sequence[Finding], path: Path) -> None:
    """Write all findings, by defect's name. Raises HeapyardError where that can't be."""
    ordered = sorted(findings, key=lambda finding: finding.defect.name)
    content = {
        "schema": SCHEMA,
        "defects": [finding.to_json() for finding in ordered],
        "summary": {
            "caught": sum(finding.is_caught for finding in ordered),
            "not_caught": sum(not finding.is_caught for finding in ordered),
        },
    }
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None
