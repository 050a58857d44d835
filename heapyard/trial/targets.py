"""A target: an allocator under trial, and the command that runs a plan on it in a child."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from heapyard.errors import HeapyardError
from heapyard.trial.capabilities import Capabilities
from heapyard.trial.child import Descriptors

__all__ = ["Mode", "Target", "TargetError"]

Mode = Literal["dlopen", "preload", "builtin"]


class TargetError(HeapyardError):
    """A target that can't be put on trial: one line with what was given, why not, what to do."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An allocator under trial; made by `resolve_target`."""

    typed: str
    """What the user wrote: "libc", "./mine.so", "libjemalloc.so.2"."""
    mode: Mode
    """How the child gets it: dlopen, LD_PRELOAD, or it is part of the child's program."""
    program: tuple[str, ...]
    """The child's command, without what a single run adds."""
    capabilities: Capabilities
    path: Path | None = None
    """The library's file; None for what is built in."""
    prefix: str = ""
    """Put before each function's name ("je_")."""
    environment: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    """The whole environment of a child."""
    unloadable: str = ""
    """Why no process lives that loads it; empty: one does."""
    version: str = ""
    """Where it is known: "glibc 2.36", "CPython 3.11.7"."""

    @property
    def can_be_traced(self) -> bool:
        """Whether its children are runners; CPython's allocators run in an interpreter."""
        return not self.typed.startswith("python:")

    @property
    def name(self) -> str:
        """What the allocator calls itself."""
        return self.capabilities.name

    @property
    def identity(self) -> Hashable:
        """What its children run: two targets of one name may differ in library and environment."""
        variables = frozenset(self.environment.items())
        return (self.program, self.mode, self.path, self.prefix, variables)

    def with_environment(self, added: Mapping[str, str]) -> "Target":
        """The same target, its children run with these variables too; it is not asked again."""
        return replace(self, environment={**self.environment, **added})

    def command(self, files: Descriptors, *, address_space: int | None = None) -> list[str]:
        """The arguments of a child that runs one plan."""
        return [*self.program, *run_arguments(files, address_space)]

    def to_json(self) -> dict[str, Any]:
        """Facts for reports."""
        return {
            "target": self.typed,
            "name": self.name,
            "path": None if self.path is None else str(self.path),
            "mode": self.mode,
            "prefix": self.prefix,
            "version": self.version,
            "capabilities": self.capabilities.to_json(),
        }


def run_arguments(files: Descriptors, address_space: int | None) -> list[str]:
    """What a run adds to a target's command: where the plan is and where the answers go."""
    arguments = ["--plan", f"/proc/self/fd/{files.plan}"]
    arguments += ["--result", str(files.result), "--state", str(files.state)]
    if files.trace is not None:
        arguments += ["--trace", str(files.trace)]
    if address_space is not None:
        arguments += ["--address-space", str(address_space)]
    return arguments
