"""Calls that a plan makes again and again: each one way in which allocators keep blocks."""

from collections.abc import Callable

from heapyard.trial import Plan

__all__ = ["Call", "come_and_go"]

Call = Callable[[Plan], object]
"""Adds to a plan what makes a block and frees it."""


def come_and_go(size: int) -> Call:
    """A block of malloc."""
    return lambda plan: plan.free(plan.malloc(size))
