"""The C compilers of this machine. A test that wants one which is missing is skipped."""

import shutil

import pytest

__all__ = ["COMPILER", "with_each_compiler"]

_NAMES = ("gcc", "clang")

COMPILER = next((name for name in _NAMES if shutil.which(name)), "cc")
"""For tests to which it makes no difference."""

with_each_compiler = pytest.mark.parametrize(
    "compiler",
    [
        pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"no {name}"))
        for name in _NAMES
    ],
)
"""Once with GCC and once with Clang."""
