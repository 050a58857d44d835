"""A find on disk: its plan for `heapyard replay`, and its C program."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from heapyard.fuzz.find import Find
from heapyard.reproducer import Failure, NoProgramError, c_program, command_of, listing
from heapyard.trial.targets import Target

__all__ = ["Saved", "save"]


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What was written, and what to do with it."""

    plan: Path | None
    program: Path | None
    again: str = ""
    command: str = ""
    listing: str = ""


def save(find: Find, folder: Path, target: Target) -> Saved:
    """Write the find's plan and program; what can't be written is left out."""
    assert find.plan is not None, "a find that was seen once only has nothing to save"
    stem = f"{find.label}-{find.seed}-{find.number}"
    plan = _save_plan(find, folder / f"{stem}.json", target)
    program, text = _save_program(find, folder / f"{stem}.c", target)
    return Saved(
        plan=plan,
        program=program,
        again=shlex.join(["heapyard", "replay", str(folder / f"{stem}.json")]),
        command=command_of(target, shlex.quote(str(folder / f"{stem}.c"))),
        listing=listing(text) if text else "",
    )


def _save_plan(find: Find, path: Path, target: Target) -> Path | None:
    assert find.plan is not None
    origin = {
        "target": target.typed,
        "prefix": target.prefix,
        "mode": str(target.mode),
        "seed": str(find.seed),
        "number": str(find.number),
        "expected": find.outcome.expected,
        "seen": find.outcome.seen,
    }
    plan = find.plan.with_settings(name=f"fuzz {find.label}", origin=origin)
    return _write(path, plan.to_json())


def _save_program(find: Find, path: Path, target: Target) -> tuple[Path | None, str]:
    assert find.plan is not None
    claim = f"A random plan on {target.name}: {find.outcome.headline}"
    try:
        failure = Failure.of(find.outcome, rule=claim)
        text = c_program(find.plan, failure, target, file=path.name)
    except NoProgramError:
        return None, ""
    return _write(path, text), text


def _write(path: Path, text: str) -> Path | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.parent.name == ".heapyard":
            (path.parent.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        path.write_text(text, encoding="utf-8")
    except OSError:
        return None
    return path
