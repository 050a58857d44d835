"""Fixtures of the trial's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heapyard.trial import Target, resolve_target

from .support import Traces, built


@pytest.fixture
def libc() -> Target:
    """The libc malloc."""
    return resolve_target("libc")


@pytest.fixture
def no_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test leaves no descriptor, temporary file or process behind."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TMPDIR", str(folder))
    traces = Traces(folder)
    yield
    traces.assert_none()


@pytest.fixture(params=["dlopen", "preload"])
def hostile(request: pytest.FixtureRequest) -> Target:
    """The malloc that misbehaves on demand, in both ways of loading."""
    return resolve_target(str(built("hostile")), mode=request.param)
