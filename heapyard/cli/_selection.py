"""-k and -n: which of many, and how many at once, as pytest's options of these names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from heapyard.cli._parser import UsageError, whole_number

if TYPE_CHECKING:
    import argparse

__all__ = ["add_workers", "fits", "require_expression"]

_MOST_WORKERS = 1024


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add -n."""
    parser.add_argument(
        "-n",
        metavar="N",
        type=_workers,
        default="auto",
        help="how many worker processes; 0: none (default: auto, one a core)",
    )


def _workers(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0))
    return whole_number(0, _MOST_WORKERS, f"0 to {_MOST_WORKERS}, or auto")(text)


def require_expression(text: str | None) -> None:
    """Raise UsageError where the text is no expression for -k."""
    from _pytest.mark.expression import Expression  # noqa: PLC0415

    if text is None:
        return
    if not text.strip():
        raise UsageError(f"-k {text!r}: empty; leave it out for all")
    try:
        Expression.compile(text)
    except Exception as error:  # its class differs between versions of pytest
        raise UsageError(f"-k {text!r}: {error}; join words with and, or, not") from None


def fits(text: str | None, *names: str) -> bool:
    """Whether the expression fits these names: each of its words is a part of one, in any case."""
    from _pytest.mark.expression import Expression  # noqa: PLC0415

    if text is None:
        return True
    lowered = [name.lower() for name in names]

    def matches(word: str, /, **_: object) -> bool:
        return any(word.lower() in name for name in lowered)

    return Expression.compile(text).evaluate(matches)
