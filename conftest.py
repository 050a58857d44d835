"""What the checkout's own test run needs; an installed heapyard needs none of it.

* The plugin, where the package is not installed.
* A limit of time for each test, by a thread: a signal never fires inside native code. It ends the
  process, and without workers the run, so it is far beyond what a test takes. It is the only one:
  Hypothesis has none for an example, which a busy machine would not keep.
* With a library under AddressSanitizer or ThreadSanitizer, only the tests of that library: the
  runner's malloc is then the sanitizer's, and can't be on trial.
* Rules that this machine's libc is known to break (docs/findings.md) are expected to fail.
* The long groups of rules on one allocator of each kind only; on the others they are left to the
  night (`-m stress`).
* Under xdist: `--dist load` only, since the other modes lose tests when a worker crashes, and a
  check at the end that every test collected has a result.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from heapyard._defendants import default_targets, one_of_each
from heapyard._native.build import current_build
from heapyard.errors import HeapyardError
from heapyard.rules import RuleViolation

if TYPE_CHECKING:
    from collections.abc import Sequence

# The name is that of the package's entry point: installed or not, pytest sees one plugin, once.
pytest_plugins = ["pytester"]
if find_spec("heapyard.pytest_plugin"):
    pytest_plugins.append("heapyard.pytest_plugin")

settings.register_profile("heapyard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("heapyard")

SECONDS_PER_TEST = 300
SECONDS_PER_LONG_TEST = 1800  # stress tests ask for ten verdicts in turn, on a busy machine
LONG_GROUPS = {"COST", "FRAG", "LIFE", "MERGE", "MISUSE", "OOM", "RSS", "SIZE", "SWAP", "THREAD"}
_RULE_AND_TARGET = re.compile(r"\[HY-(?P<group>[A-Z]+)-\d+-(?P<target>[^\]]+)\]$")
LOST_SHOWN = 20
_HUGE_ALIGNMENTS = "[HY-LIMIT-10-libc]"
_PROBE = """
import ctypes, errno, sys
block = ctypes.c_void_p()
alignment, size = ctypes.c_size_t(1 << 63), ctypes.c_size_t((1 << 63) - 1)
code = ctypes.CDLL(None).posix_memalign(ctypes.byref(block), alignment, size)
sys.exit(code not in (errno.ENOMEM, errno.EINVAL))
"""
NOT_SANITIZED = {
    "cli",
    "contract",
    "corpus",
    "plugin",
    "record",
    "session",
    "trial",
}  # folders of pytests


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set what pyproject.toml can't: options of plugins that may be missing, and SIGINT."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # by a shell's `&`; children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.pluginmanager.hasplugin("timeout") and config.getoption("timeout", None) is None:
        config.option.timeout = SECONDS_PER_TEST
        config.option.timeout_method = "thread"
    mode = config.getoption("dist", "no")
    if mode not in ("no", "load"):
        message = f"--dist {mode}: must be load; other modes lose tests when a worker crashes"
        raise pytest.UsageError(message)
    if mode == "load" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_EveryTestHasAResult(), "heapyard-results")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one worker for each processor that this process may use."""
    return len(os.sched_getaffinity(0))


@pytest.hookimpl(tryfirst=True)  # before pytest looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect what libc is known to break; leave out what a sanitized runner can't do."""
    _leave_to_the_night(items)
    if config.pluginmanager.hasplugin("timeout"):
        _give_time(items)
    if _glibc_version() < (2, 38):
        _expect_failure(items, "[HY-API-22-libc]", "glibc before 2.38 rounds the alignment up")
    if _any_ends(items, _HUGE_ALIGNMENTS) and _huge_alignment_is_a_fault():
        _expect_failure(items, _HUGE_ALIGNMENTS, "CVE-2026-0861")
    if not _malloc_is_the_sanitizers():
        return
    skip = pytest.mark.skip(reason="the library is sanitized, and the runner's malloc with it")
    for item in items:
        place = item.path.relative_to(config.rootpath) if item.path else None
        if place and place.parts[0] == "pytests" and place.parts[1] in NOT_SANITIZED:
            item.add_marker(skip)


def _leave_to_the_night(items: list[pytest.Item]) -> None:
    for item in items:
        found = _RULE_AND_TARGET.search(item.nodeid)
        if found and found["group"] in LONG_GROUPS and found["target"] in _others():
            item.add_marker(pytest.mark.stress)


def _give_time(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("stress") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SECONDS_PER_LONG_TEST))


@cache
def _others() -> frozenset[str]:
    """The allocators of heapyard but for one of each kind."""
    try:
        return frozenset(default_targets()) - frozenset(one_of_each())
    except HeapyardError:
        return frozenset()


def _any_ends(items: list[pytest.Item], ending: str) -> bool:
    return any(item.nodeid.endswith(ending) for item in items)


def _expect_failure(items: list[pytest.Item], ending: str, reason: str) -> None:
    for item in items:
        if item.nodeid.endswith(ending):
            item.add_marker(pytest.mark.xfail(reason=reason, raises=RuleViolation, strict=True))


def _huge_alignment_is_a_fault() -> bool:
    """Whether this machine's libc has CVE-2026-0861.

    Distributions mend it without another version, so the libc itself is asked, in a process of its
    own: with the fault it crashes, or answers a block.
    """
    return subprocess.run([sys.executable, "-I", "-S", "-c", _PROBE], check=False).returncode != 0


def _glibc_version() -> tuple[int, ...]:
    """The version of this machine's glibc; where libc is another one, one without known faults."""
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    return tuple(map(int, version.split("."))) if name == "glibc" else (99,)


def _malloc_is_the_sanitizers() -> bool:
    try:
        build = current_build()
    except HeapyardError:
        return False
    return build.has_sanitizer("address") or build.has_sanitizer("thread")


class _EveryTestHasAResult:
    """On the controller of an xdist run: results must equal what was collected."""

    def __init__(self) -> None:
        self.collected: set[str] = set()
        self.finished: set[str] = set()
        self.lost: list[str] = []

    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self.collected.update(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.finished.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        ran = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if not ran or session.shouldstop or session.shouldfail:
            return
        self.lost = sorted(self.collected - self.finished)
        if self.lost:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.lost:
            terminalreporter.section("tests without a result", red=True)
            for test in self.lost[:LOST_SHOWN]:
                terminalreporter.write_line(test)
            if len(self.lost) > LOST_SHOWN:
                terminalreporter.write_line(f"and {len(self.lost) - LOST_SHOWN} more")
