"""From what happened in a test to a verdict, and from verdict and level to pytest's report."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from heapyard.pytest_plugin import _evidence, _plans, _programs
from heapyard.pytest_plugin._failure import failure_text, violation_repr
from heapyard.report.result import Result, Verdict
from heapyard.rules import MUST, PROFILE, SHOULD, NotApplicable, RuleViolation

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard._defendants import Defendant
    from heapyard.pytest_plugin._options import Settings
    from heapyard.report.baseline import Baseline
    from heapyard.rules import Rule, Trial

__all__ = ["Bench", "crashed", "judge", "not_judged", "unpack"]

PROPERTY = "heapyard"
"""The name under which a report's user_properties carry its Result."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a verdict is made from, beside the test's own report."""

    trial: Trial
    defendant: Defendant
    settings: Settings
    folder: Path
    """Where the user stands: paths in commands are relative to it."""
    baseline: Baseline
    """The failures that are known."""

    def knows(self, rule: str, kind: str) -> bool:
        """Whether this failure of the target is known, or is about to be."""
        accepts = self.settings.accepts_all
        return accepts or self.baseline.knows(self.defendant.name, rule, kind)


def judge(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, bench: Bench
) -> pytest.TestReport:
    """Attach the Result to the report, and give the report the outcome that the level asks for."""
    error = None if call.excinfo is None else call.excinfo.value
    result = _result(error, report, bench)
    item.user_properties.append((PROPERTY, result.to_dict()))
    report.user_properties = list(item.user_properties)
    if isinstance(error, NotApplicable):
        _skip(item, report, result)
    elif isinstance(error, RuleViolation):
        _fail(item, report, result, strict=bench.settings.strict)
    return report


def not_judged(item: pytest.Item, report: pytest.TestReport) -> pytest.TestReport:
    """What went wrong after the time limit is no verdict: its child was ended before its time."""
    path, line, _ = item.location
    report.outcome = "skipped"
    report.longrepr = (path, (line or 0) + 1, "Skipped: the time limit has passed")
    return report


def _result(error: BaseException | None, report: pytest.TestReport, bench: Bench) -> Result:
    rule = bench.trial.rule
    plain = Result(
        rule=rule.id,
        level=rule.level,
        verdict=Verdict.PASS,
        seconds=round(report.duration, 4),
        target=bench.defendant.typed,
        title=rule.title,
        source=rule.source,
        figure=_figure(bench.trial.figures),
    )
    if bench.settings.html is not None:
        plain = replace(plain, evidence=_evidence.of_trial(bench.trial))
    if error is None:
        profiled = rule.level is PROFILE and plain.figure is not None
        return replace(plain, verdict=Verdict.FIGURE if profiled else Verdict.PASS)
    if isinstance(error, (NotApplicable, pytest.skip.Exception)):
        return replace(plain, verdict=Verdict.SKIP, detail=str(error))
    if isinstance(error, RuleViolation):
        return _violated(plain, error, bench)
    return _broken(plain, error, bench)


def _figure(figures: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not figures:
        return None
    first, *more = figures
    return {**first, "more": more} if more else dict(first)


def _violated(plain: Result, error: RuleViolation, bench: Bench) -> Result:
    plan = _plans.save(error.plan, bench.settings.plans, bench.defendant, bench.trial.rule, error)
    shown = None if plan is None else _nearby(plan, bench.folder)
    program = _programs.write(bench.settings.reproducers, bench.defendant, bench.trial.rule, error)
    if program is not None:
        path = _nearby(program.path, bench.folder)
        command = program.command(bench.defendant, shlex.quote(path))
        plain = replace(plain, program=path, command=command, listing=program.listing)
    if bench.settings.html is not None:
        file = program.path if program else None
        shown_too = _evidence.of_failure(bench.trial, error, bench.defendant.target, file)
        plain = replace(plain, evidence=shown_too)
    return replace(
        plain,
        verdict=Verdict.FAIL,
        detail=str(error),
        plan=shown,
        expected=error.expected,
        seen=error.seen,
        operation=error.operation,
        again=_again(plain, shown, bench),
        kind=_kind(error),
        known=bench.knows(plain.rule, _kind(error)),
    )


def _kind(error: RuleViolation) -> str:
    if error.outcome is None:
        return "judged"
    return error.outcome.kind or error.outcome.status


def _broken(plain: Result, error: BaseException, bench: Bench) -> Result:
    """The rule itself went wrong: pytest shows the traceback, the table a failure."""
    detail = f"the rule itself failed: {type(error).__name__}: {error}".partition("\n")[0]
    again = _again(plain, None, bench)
    return replace(plain, verdict=Verdict.FAIL, detail=detail, again=again, kind="error")


def crashed(identity: str, rule: Rule | None, target: str, how: str, settings: Settings) -> Result:
    """The verdict of a rule whose worker died: nothing else would answer for it.

    `rule` is None for one that only the workers have loaded; it counts as a MUST.
    """
    plain = Result(
        rule=identity,
        level=rule.level if rule else MUST,
        verdict=Verdict.FAIL,
        detail=how,
        target=target,
        title=rule.title if rule else "(a rule whose process died)",
        source=rule.source if rule else "",
        expected="the rule to end with a verdict",
        seen=how,
        kind="worker",
    )
    return replace(plain, again=_check_command(plain, settings))


def _again(plain: Result, plan: str | None, bench: Bench) -> str:
    if plan is None:
        return _check_command(plain, bench.settings)
    words = ["heapyard", "replay", plan, bench.defendant.typed]
    return shlex.join([*words, *_loading(plain, bench.settings)])


def _check_command(plain: Result, settings: Settings) -> str:
    words = ["heapyard", "check", plain.target, "-k", plain.rule, "--seed", str(settings.seed)]
    tells = [f"--tells={','.join(settings.tells)}"] if settings.tells else []
    return shlex.join([*words, *_loading(plain, settings), *tells])


def _loading(plain: Result, settings: Settings) -> list[str]:
    from heapyard._defendants import is_builtin  # noqa: PLC0415

    if is_builtin(plain.target):
        return []
    prefix = ["--prefix", settings.prefix] if settings.prefix else []
    mode = ["--mode", settings.mode] if settings.mode != "auto" else []
    return [*prefix, *mode]


def _nearby(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _skip(item: pytest.Item, report: pytest.TestReport, result: Result) -> None:
    path, line, _ = item.location
    report.outcome = "skipped"
    report.longrepr = (path, (line or 0) + 1, f"Skipped: {result.detail}")


def _fail(item: pytest.Item, report: pytest.TestReport, result: Result, *, strict: bool) -> None:
    text = failure_text(result)
    counts = result.level is MUST or (result.level is SHOULD and strict)
    if counts and not result.known:
        report.longrepr = violation_repr(item, result, text)
        return
    report.outcome = "skipped"
    known = "known, " if result.known else ""
    report.wasxfail = f"{known}{result.level}: {result.detail}"
    report.longrepr = text


def unpack(report: pytest.TestReport) -> Result | None:
    """The Result that a report carries. What reads the property next sees it as JSON text."""
    for index, (name, value) in enumerate(report.user_properties):
        if name == PROPERTY and isinstance(value, dict):
            report.user_properties[index] = (name, _Readable(value))
            return Result.from_dict(value)
    return None


class _Readable(dict[str, Any]):
    """Writes itself as JSON, in junit's XML too: without what only a page shows."""

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in self.items() if name != "evidence"})
