"""The pytest plugin: every rule becomes a test for each allocator on trial.

    pytest --allocator ./libmine.so --pyargs heapyard.contract

A session that neither names an allocator nor collects a rule pays for the options only: all else is
imported when the first rule is seen (`activate`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.pytest_plugin._options import add_options, names_targets

if TYPE_CHECKING:
    from pathlib import Path

    from heapyard.pytest_plugin._session import RuleSession

__all__ = ["activate"]

_NAME = "heapyard-rules"


def activate(config: pytest.Config) -> RuleSession:
    """The part of the plugin that does the work, loaded at first use."""
    session: RuleSession | None = config.pluginmanager.get_plugin(_NAME)
    if session is None:
        from heapyard.pytest_plugin._session import RuleSession  # noqa: PLC0415

        session = RuleSession(config)
        config.pluginmanager.register(session, _NAME)
    return session


class _Listener:
    """Sees every report of the process that writes them: its own, or those of its workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pass on what concerns a rule."""
        if "[HY-" in report.nodeid:
            activate(self._config).note(report)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, and their twins for ini files."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a bad target before anything is collected."""
    if names_targets(config):
        activate(config).require_targets()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Listener(config), f"{_NAME}-listener")


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each rule once for each target."""
    if hasattr(metafunc.function, "heapyard_rule"):
        activate(metafunc.config).parametrize(metafunc)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect the contract where the user's `python_files` would pass it over."""
    if file_path.parent.name != "contract" or not file_path.match("test_*.py"):
        return None
    from heapyard.pytest_plugin._collect import contract_module  # noqa: PLC0415

    return contract_module(file_path, parent)
