"""Run the contract with pytest, in this process, apart from the user's own pytest configuration."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from heapyard.cli._progress import Progress
from heapyard.errors import HeapyardError
from heapyard.rules import CONTRACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from heapyard.pytest_plugin._session import RuleSession
    from heapyard.report.result import Report

__all__ = ["Outcome", "run"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a run."""

    report: Report | None
    """None: no rule was run."""
    interrupted: bool
    trouble: str
    """Why the run could not be done as it should, in one line; else empty."""


def run(arguments: Sequence[str]) -> Outcome:
    """Run pytest with these arguments; progress goes to stderr."""
    rules = str(_contract_folder())  # as a path: --pyargs would load the user's conftest.py too
    fixed = [
        *(rules, "-c", os.devnull, f"--rootdir={rules}"),
        *("-p", "heapyard.pytest_plugin", "-p", "xdist.plugin"),
        *("-p", "no:terminalreporter", "-p", "no:cacheprovider"),
    ]
    with (
        _stderr_aside() as (terminal, noise),
        _undisturbed(),
        tempfile.TemporaryDirectory(prefix="heapyard-check-") as scratch,
    ):
        fixed.append(f"--basetemp={scratch}/pytest")  # pytest would leave a folder behind
        watcher = _Watcher(Progress(terminal))
        try:
            code = int(pytest.main([*fixed, *arguments], plugins=[watcher]))
        except HeapyardError as error:
            watcher.trouble = str(error)
            code = 0
        except OSError as error:  # a plugin of pytest's could not write its report
            where = f" to {error.filename}" if error.filename else ""
            watcher.trouble = f"can't write the report{where}: {error.strerror or error}"
            code = 0
        finally:
            watcher.progress.close()
        return Outcome(
            report=watcher.report,
            interrupted=watcher.interrupted,
            trouble=watcher.trouble or _trouble(code, noise),
        )


def _contract_folder() -> Path:
    spec = importlib.util.find_spec(CONTRACT)
    if spec is None or spec.origin is None:
        raise HeapyardError(f"{CONTRACT} is missing, so there are no rules: install heapyard again")
    return Path(spec.origin).parent


_HARMLESS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def _trouble(code: int, noise: TextIO) -> str:
    """The reason that pytest gave for not running, in one line."""
    if code in _HARMLESS or code == pytest.ExitCode.INTERRUPTED:
        return ""
    noise.seek(0)
    lines = [line.strip() for line in noise.read().splitlines() if line.strip()]
    reason = lines[-1] if lines else "no reason given"
    return f"pytest could not run the rules: {reason.removeprefix('ERROR: ')}"


@contextlib.contextmanager
def _stderr_aside() -> Iterator[tuple[TextIO, TextIO]]:
    """Keep the noise of pytest and its workers off the terminal: (the terminal, the noise)."""
    sys.stderr.flush()
    with (
        os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace") as terminal,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise,
    ):
        os.dup2(noise.fileno(), 2)
        try:
            yield terminal, noise
        finally:
            sys.stderr.flush()
            os.dup2(terminal.fileno(), 2)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """No options, plugins or colours from the user's environment; workers inherit that."""
    saved = dict(os.environ)
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_AUTO_NUM_WORKERS"):
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


class _Watcher:
    """Follows a session from inside: feeds the progress line, takes the report at the end."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.report: Report | None = None
        self.interrupted = False
        self.trouble = ""
        self._config: pytest.Config | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Know where the results will be."""
        self._config = config

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know how many tests there are, where this process runs them."""
        if session.items:
            self.progress.expect(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Know it where workers run them."""
        self.progress.expect(len(ids))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the reason why rules could not be collected."""
        if report.failed and not self.trouble:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            self.trouble = f"can't collect {report.nodeid}: {lines[-1].strip()}"

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show what runs."""
        self.progress.started(nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what is done."""
        session = self._session
        if session is not None and report.nodeid in session.results:
            self.progress.finished(report.nodeid, failed=session.results[report.nodeid].failed)

    def pytest_keyboard_interrupt(self) -> None:
        """Remember that the user had enough."""
        self.interrupted = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Take the report."""
        rules = self._session
        if rules is not None and rules.results:
            self.report = rules.report(expected=self.progress.expected)

    @property
    def _session(self) -> RuleSession | None:
        if self._config is None:
            return None
        found: RuleSession | None = self._config.pluginmanager.get_plugin("heapyard-rules")
        return found
