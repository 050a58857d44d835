"""Who is measured: any target of the trial, and two baselines that only a benchmark has."""

from collections.abc import Sequence
from dataclasses import dataclass

from heapyard._defendants import is_builtin, short_names
from heapyard._native.build import current_build
from heapyard.trial import Target, resolve_target

__all__ = ["BASELINES", "FLOOR", "BenchTarget", "find_targets"]

FLOOR = "floor"
"""Does nothing: what the loop and its calls cost."""

BASELINES = (FLOOR, "list")
""""list": a free list per size class, no bookkeeping, always freed with the size."""


@dataclass(frozen=True, kw_only=True)
class BenchTarget:
    """An allocator in a table of results."""

    typed: str
    name: str
    """Short and unique in the run."""
    target: Target


def find_targets(
    texts: Sequence[str], *, prefix: str = "", mode: str = "auto"
) -> tuple[BenchTarget, ...]:
    """Find each once; the floor is always among them, at the end unless it is named before.

    Raises TargetError for the first that can't be run.
    """
    typed = tuple(dict.fromkeys([*texts, FLOOR]))
    return tuple(
        BenchTarget(typed=text, name=name, target=_resolve(text, prefix, mode))
        for text, name in zip(typed, short_names(typed), strict=True)
    )


def _resolve(text: str, prefix: str, mode: str) -> Target:
    if text in BASELINES:
        return resolve_target(str(current_build().baselines[text]))
    if is_builtin(text):
        return resolve_target(text)
    return resolve_target(text, prefix=prefix, mode=mode)
