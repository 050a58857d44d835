"""Save the plans of failures, so that `heapyard replay` can show them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard._defendants import Defendant
    from heapyard.rules import Rule, RuleViolation
    from heapyard.trial import Plan

__all__ = ["save"]


def save(
    plan: Plan | None, folder: Path, defendant: Defendant, rule: Rule, error: RuleViolation
) -> Path | None:
    """Write the plan to `folder`/RULE-TARGET.json; None where there is none or it can't be written.

    The plan remembers target, prefix and mode, so that it replays without being told.
    """
    if plan is None:
        return None
    target = defendant.target
    origin = {
        "rule": rule.id,
        "target": defendant.typed,
        "prefix": target.prefix,
        "mode": str(target.mode),
        "expected": error.expected,
        "seen": error.seen,
    }
    path = folder / f"{rule.id}-{defendant.name.replace('/', '_')}.json"
    try:
        _make(folder)
        path.write_text(plan.with_settings(origin=origin).to_json(), encoding="utf-8")
    except OSError:
        return None
    return path


def _make(folder: Path) -> None:
    """Make the folder; our own default one keeps itself out of version control."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.parent.name == ".heapyard":
        (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
