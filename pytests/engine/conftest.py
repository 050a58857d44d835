"""What depends on the build that the tests run with."""

from __future__ import annotations

import pytest

from heapyard._native.build import current_build


@pytest.fixture
def unsanitized_malloc() -> None:
    """The runner's malloc is the libc's: a sanitizer puts its own in its place."""
    if current_build().has_sanitizer("address") or current_build().has_sanitizer("thread"):
        pytest.skip("the sanitizer's malloc takes the libc's place")
