"""When a whole run must be over: a point in time that worker processes inherit.

It stands in the environment, in seconds of the monotonic clock, which is the same in all processes.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_over", "seconds_left", "within"]

_VARIABLE = "HEAPYARD_DEADLINE"


def seconds_left() -> float:
    """Until the run must be over; infinite where it has no limit."""
    text = os.environ.get(_VARIABLE)
    return float("inf") if not text else float(text) - time.monotonic()


def is_over() -> bool:
    """Whether the run's time is up."""
    return seconds_left() <= 0


@contextlib.contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Limit what is done inside; None: no limit."""
    if seconds is None:
        yield
        return
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = repr(time.monotonic() + seconds)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
