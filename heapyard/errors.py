"""Errors that a user can act on: each text carries the value, the bound and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "AmbiguousBuildError",
    "BadArgumentError",
    "BuildError",
    "CheckFailedError",
    "ClosedError",
    "HeapyardError",
    "NoBuildError",
    "OutOfMemoryError",
]


class HeapyardError(Exception):
    """The base of every error of this package that is not a defect of the package itself.

    The text is one line: what was asked for, why it can't be done, what to do instead. The command
    line prints it and exits with code 2.
    """


class BuildError(HeapyardError):
    """The native library can't be found or read."""


class NoBuildError(BuildError):
    """There is no build to use: none was named, none lies beside the package."""

    def __init__(self, searched: Sequence[str]) -> None:
        super().__init__(
            f"No build of heapyard found (searched {', '.join(searched)}): run "
            "`cmake -B build && cmake --build build`, or name one with HEAPYARD_LIB."
        )


class AmbiguousBuildError(BuildError):
    """The checkout holds several builds and nothing says which one is meant."""

    def __init__(self, candidates: Sequence[Path]) -> None:
        names = " and ".join(str(path) for path in candidates)
        super().__init__(
            f"{len(candidates)} builds of heapyard: {names}. "
            "Name one with HEAPYARD_LIB or --heapyard-lib."
        )
        self.candidates = tuple(candidates)


class BadArgumentError(HeapyardError, ValueError):
    """An argument is out of its bounds; nothing was changed."""

    def __init__(self, name: str, value: object, bound: str) -> None:
        super().__init__(f"Invalid {name}={value!r}: {bound}")
        self.name = name
        self.value = value
        self.bound = bound


class OutOfMemoryError(HeapyardError, MemoryError):
    """The page source could not give the memory; the allocator is unchanged and usable."""


class ClosedError(HeapyardError):
    """A handle was used after it was closed."""


class CheckFailedError(HeapyardError):
    """A structure's own check found a broken invariant."""

    def __init__(self, part: str, code: int, text: str, address: int) -> None:
        super().__init__(f"{part}: check found code {code} ({text}) at {address:#x}")
        self.part = part
        self.code = code
        self.text = text
        self.address = address
