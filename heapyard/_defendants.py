"""From what the user typed to the targets of a run, each with a short name of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heapyard.trial import Target

__all__ = [
    "Defendant",
    "default_targets",
    "facts",
    "is_builtin",
    "one_of_each",
    "resolve_targets",
    "short_names",
]

_ONE_OF_EACH = ("libc", "region:fast", "bump", "heap", "domain:obj+debug")


@dataclass(frozen=True, kw_only=True)
class Defendant:
    """A target of this run."""

    typed: str
    name: str
    """Short, unique in the run, and made of characters that a test id may have."""
    target: Target


def default_targets() -> tuple[str, ...]:
    """Who is on trial when nobody is named: libc and every allocator of heapyard."""
    from heapyard._native.build import current_build  # noqa: PLC0415

    return ("libc", *current_build().targets)


def one_of_each() -> tuple[str, ...]:
    """Of these, one of each kind: who `heapyard check` puts on trial when nobody is named."""
    return tuple(target for target in default_targets() if target in _ONE_OF_EACH)


def resolve_targets(
    texts: Sequence[str], *, prefix: str = "", mode: str = "auto", tells: Sequence[str] = ()
) -> tuple[Defendant, ...]:
    """Find and load each target once (in a child). Raises TargetError for the first bad one.

    `prefix`, `mode` and `tells` are about libraries, not about what is built in.
    """
    from heapyard.trial import resolve_target  # noqa: PLC0415

    typed = tuple(dict.fromkeys(texts or default_targets()))
    targets = [
        resolve_target(text)
        if is_builtin(text)
        else resolve_target(text, prefix=prefix, mode=mode, tells=tells, even_unloadable=True)
        for text in typed
    ]
    return tuple(
        Defendant(typed=text, name=name, target=target)
        for text, name, target in zip(typed, short_names(typed), targets, strict=True)
    )


def is_builtin(text: str) -> bool:
    """Whether the text is a name of ours, to which prefix and mode don't apply."""
    from heapyard.trial.resolve import is_own_name  # noqa: PLC0415

    return is_own_name(text)


def short_names(texts: Sequence[str]) -> tuple[str, ...]:
    """File names, with as many parent folders as tell them apart.

    >>> short_names(["libc", "a/lib.so", "b/lib.so"])
    ('libc', 'a/lib.so', 'b/lib.so')
    """
    parts = [_parts(text) for text in texts]
    depth = [1] * len(texts)
    names = _join(parts, depth)
    while len(set(names)) < len(names):
        for index, name in enumerate(names):
            if names.count(name) > 1:
                depth[index] += 1
        longer = _join(parts, depth)
        if longer == names:
            return tuple(f"{name}-{index}" for index, name in enumerate(names, 1))
        names = longer
    return tuple(names)


def _parts(text: str) -> tuple[str, ...]:
    kept = [part for part in PurePath(text).parts if part not in ("/", ".")]
    return tuple(re.sub(r"[^A-Za-z0-9._+:-]", "_", part) for part in kept) or ("target",)


def _join(parts: Sequence[tuple[str, ...]], depth: Sequence[int]) -> list[str]:
    return ["/".join(each[-count:]) for each, count in zip(parts, depth, strict=True)]


def facts(defendant: Defendant) -> dict[str, Any]:
    """What the JSON report says of a target."""
    path = defendant.target.path
    return {
        "target": defendant.typed,
        "name": defendant.name,
        "path": None if path is None else str(path),
        "mode": str(defendant.target.mode),
        "capabilities": defendant.target.capabilities.to_json(),
    }
