"""The command, in a folder of its own, and what holds in builds with AddressSanitizer too."""

import os

import pytest

from pytests.cli.conftest import environment, folder, heapyard, here

__all__ = ["environment", "folder", "heapyard", "here", "unobtrusive_sanitizer"]


@pytest.fixture
def unobtrusive_sanitizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children end by SIGSEGV, and give back at once what they free, with AddressSanitizer too."""
    given = os.environ.get("ASAN_OPTIONS", "")
    monkeypatch.setenv("ASAN_OPTIONS", f"{given}:handle_segv=0:quarantine_size_mb=0")
