"""The working half of the plugin: parametrises rules, judges their reports, collects verdicts."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import pytest

from heapyard._deadline import is_over
from heapyard._defendants import facts, resolve_targets
from heapyard._native.build import current_build, use_build
from heapyard._version import version
from heapyard.errors import HeapyardError
from heapyard.pytest_plugin import _judge
from heapyard.pytest_plugin._options import names_targets, read_settings
from heapyard.report import json, terminal
from heapyard.report.baseline import Baseline
from heapyard.report.result import Report, Result, TargetReport, merge
from heapyard.report.style import Style
from heapyard.rules import Trial, load_rules, rule_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from heapyard._defendants import Defendant
    from heapyard.pytest_plugin._options import Settings
    from heapyard.rules import Rule
    from heapyard.trial import Target

__all__ = ["RuleSession"]

_WHOLE = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""How a session ends that was not cut short."""


class RuleSession:
    """One session's targets and verdicts; registered as a plugin when the first rule is seen."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings: Settings = read_settings(config)
        self.is_worker = hasattr(config, "workerinput")
        self.results: dict[str, Result] = {}
        self._started = time.monotonic()
        if self.settings.library:
            library = self.settings.library
            _usage(lambda: use_build(library))
        self.baseline = self._read_baseline()
        if not self.is_worker:
            self._require_writable()

    def _require_writable(self) -> None:
        for file in (self.settings.json, self.settings.html, self.settings.write_baseline):
            if file is not None:
                _usage(partial(json.require_writable, file))

    def _read_baseline(self) -> Baseline:
        """The known failures: of the file to go by, or of the one to be written over."""
        settings = self.settings
        file = settings.baseline or settings.write_baseline
        if file is None or (settings.accepts_all and not file.exists()):
            return Baseline()
        try:
            return Baseline.read(file)
        except HeapyardError as error:
            raise pytest.UsageError(str(error)) from None

    # --- targets ---

    @cached_property
    def defendants(self) -> tuple[Defendant, ...]:
        """The targets, resolved once. Raises HeapyardError for a bad one."""
        settings = self.settings
        return resolve_targets(
            settings.targets, prefix=settings.prefix, mode=settings.mode, tells=settings.tells
        )

    def require_targets(self) -> None:
        """Resolve now. Raises pytest.UsageError for a bad one."""
        _usage(lambda: self.defendants)

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """One test of the rule for each target, with the id `HY-ALIGN-03-libc`."""
        rule = rule_of(metafunc.function)
        if rule is None:
            return
        try:
            defendants = self.defendants
        except HeapyardError as error:
            raise pytest.Collector.CollectError(str(error)) from None
        trials = [self._trial(rule, one.target) for one in defendants]
        ids = [f"{rule.id}-{one.name}" for one in defendants]
        metafunc.parametrize("trial", trials, ids=ids)

    def _trial(self, rule: Rule, target: Target) -> Trial:
        settings = self.settings
        return Trial(rule, target, seed=settings.seed, watches_memory=settings.html is not None)

    # --- one test ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A rule that needs what the target lacks is not applicable; none begins after the end."""
        trial = trial_of(item)
        if trial is not None and is_over():
            raise pytest.skip.Exception("the time limit has passed", _use_item_location=True)
        missing = trial.missing() if trial else []
        if missing:
            raise pytest.skip.Exception(f"needs {', '.join(missing)}", _use_item_location=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> None:
        """Start the clock and the random numbers anew: a test may be run more than once."""
        trial = trial_of(pyfuncitem)
        if trial is not None:
            fresh = self._trial(trial.rule, trial.target)
            pyfuncitem.funcargs["trial"] = fresh

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what happened into a verdict, and the report into what the level says."""
        report = yield
        trial = trial_of(item)
        if trial is None or report.when == "teardown" or (report.when == "setup" and report.passed):
            return report
        if is_over() and call.excinfo is not None:
            return _judge.not_judged(item, report)
        return _judge.judge(item, call, report, self._bench(item, trial))

    def _bench(self, item: pytest.Item, trial: Trial) -> _judge.Bench:
        defendant = next(one for one in self.defendants if one.target is trial.target)
        live = getattr(item, "funcargs", {}).get("trial", trial)
        return _judge.Bench(
            trial=live if isinstance(live, Trial) else trial,
            defendant=defendant,
            settings=self.settings,
            folder=self.config.invocation_params.dir,
            baseline=self.baseline,
        )

    # --- all of them, in the process that reports ---

    def note(self, report: pytest.TestReport) -> None:
        """Keep the verdict that a report carries; a worker that died left none: it is made here."""
        carried = _judge.unpack(report)
        if carried is not None:
            self.results.setdefault(report.nodeid, carried)
        elif report.failed and report.when not in ("setup", "call", "teardown"):
            crashed = self._crashed(report)
            if crashed is not None:
                self.results[report.nodeid] = crashed

    def _crashed(self, report: pytest.TestReport) -> Result | None:
        found = re.search(r"\[(HY-[A-Z]+-[0-9]{2})-(.+)\]$", report.nodeid)
        if found is None:
            return None
        rules = {rule.id: rule for rule in load_rules()}
        target = self._named(found[2]).typed
        how = str(report.longrepr).partition("\n")[0]
        return _judge.crashed(found[1], rules.get(found[1]), target, how, self.settings)

    def _named(self, text: str) -> Defendant:
        """The target of an id's tail, behind which there may be more parameters."""
        fitting = [one for one in self.defendants if f"{text}-".startswith(f"{one.name}-")]
        return max(fitting or self.defendants, key=lambda one: len(one.name))

    @property
    def reports(self) -> bool:
        """Whether this process is the one that reports, and there is something to report."""
        return not self.is_worker and bool(self.results)

    def report(self, *, expected: int | None = None) -> Report:
        """What all rules said so far."""
        targets = self._target_reports()
        return Report(
            version=version(),
            seed=self.settings.seed,
            strict=self.settings.strict,
            library=current_build().describe(),
            seconds=time.monotonic() - self._started,
            expected=expected,
            targets=targets,
            gone=tuple(map(str, self.baseline.gone(targets))) if self.settings.baseline else (),
        )

    def _target_reports(self) -> tuple[TargetReport, ...]:
        results = list(self.results.values())
        return tuple(
            TargetReport(
                results=merge(each for each in results if each.target == one.typed),
                **facts(one),
            )
            for one in self.defendants
        )

    def _header(self) -> list[str]:
        if "defendants" not in vars(self):
            return []  # they could not be resolved, which the collection's errors tell
        names = ", ".join(one.name for one in self.defendants)
        return [current_build().describe(), f"on trial: {names} (seed {self.settings.seed})"]

    def pytest_report_header(self) -> list[str]:
        """Say which build tries which targets."""
        return self._header()

    def pytest_report_collectionfinish(self) -> list[str]:
        """The same, where only the collection showed that there are rules."""
        return [] if names_targets(self.config) else self._header()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the reports and the baseline; what was interrupted makes no baseline."""
        if not self.reports:
            return
        if self.settings.json:
            json.write(self.report(), self.settings.json)
        if self.settings.html:
            from heapyard.report import check_html  # noqa: PLC0415

            notes = () if exitstatus in _WHOLE else ("Interrupted: some verdicts are missing.",)
            check_html.write(replace(self.report(), notes=notes), self.settings.html)
        if self.settings.write_baseline and exitstatus in _WHOLE:
            self._new_baseline().write(self.settings.write_baseline)

    def _new_baseline(self) -> Baseline:
        """All failures of this run; beside a baseline to go by, that one without what is gone."""
        targets = self._target_reports()
        if self.settings.accepts_all:
            return self.baseline.replaced(targets)
        return self.baseline.shrunk(targets)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table of rules by targets; the failures stand in pytest's own section."""
        if not self.reports:
            return
        terminalreporter.section("heapyard: rules by targets")
        style = Style(colour=terminalreporter.hasmarkup)
        width = shutil.get_terminal_size().columns
        verbose = self.config.get_verbosity() > 0
        for line in terminal.table(self.report(), style=style, width=width, verbose=verbose):
            terminalreporter.line(line)
        for entry in self.report().gone:
            terminalreporter.line(f"no longer fails, so that the baseline can shrink: {entry}")


def trial_of(item: pytest.Item) -> Trial | None:
    """The trial that an item was parametrised with; None for the user's own tests."""
    callspec = getattr(item, "callspec", None)
    trial = callspec.params.get("trial") if callspec else None
    return trial if isinstance(trial, Trial) else None


def _usage(action: Callable[[], object]) -> None:
    """Do it; an error of ours is the user's, in one line."""
    try:
        action()
    except HeapyardError as error:
        raise pytest.UsageError(str(error)) from None
