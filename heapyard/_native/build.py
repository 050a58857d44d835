"""Which build of the native library is in use.

A build is described by its `heapyard.json`, which CMake writes into each build folder and into
the installed package. It is looked for in this order:

1. the one set with `use_build` (the pytest plugin's ``--heapyard-lib``);
2. ``$HEAPYARD_LIB``;
3. ``build*/heapyard.json`` in the checkout that holds this package: two of them are an error;
4. ``lib/heapyard.json`` inside the installed package.

The first two may name the json, its folder, or the library file itself.
"""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from heapyard.errors import AmbiguousBuildError, BuildError, NoBuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "heapyard.build/1"
FILE_NAME = "heapyard.json"
ENVIRONMENT_VARIABLE = "HEAPYARD_LIB"

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of the native library, with absolute paths."""

    source: Path
    """The heapyard.json that describes it."""
    version: str
    compiler: str
    build_type: str
    sanitizer: str
    """Comma-separated, as `-fsanitize=` takes it; empty: none."""
    sanitizer_runtime: Path | None
    """What LD_PRELOAD must name so that Python can load the library; None: nothing."""
    counters: bool
    assertions: str
    """off, debug, internal or full."""
    libheapyard: Path
    libheapyard_trial: Path
    runner: Path
    runner_musl: Path | None
    recorder: Path
    """The library that `heapyard record` preloads."""
    trace: Path
    """The program that turns a recording into a plan."""
    swap: Path
    """The program that is run with its malloc replaced."""
    targets: Mapping[str, Path] = field(hash=False)
    """The shared library of each allocator of heapyard, by target name."""
    baselines: Mapping[str, Path] = field(hash=False)
    """The shared library of each allocator that benchmarks compare with, by name."""
    corpus: Path | None

    def has_sanitizer(self, name: str) -> bool:
        """Whether this build has the sanitizer `name` ("address", "undefined", "thread")."""
        return name in self.sanitizer.split(",")

    def describe(self) -> str:
        """One line for a report's header."""
        facts = [
            self.compiler,
            self.build_type,
            f"counters {'on' if self.counters else 'off'}",
            f"assertions {self.assertions}",
        ]
        if self.sanitizer:
            facts.append(f"sanitizer {self.sanitizer}")
        return f"heapyard {self.version} ({', '.join(facts)}) {self.libheapyard}"


class _Choice:
    """The build named by `use_build`."""

    path: Path | None = None


def use_build(path: str | os.PathLike[str] | None) -> None:
    """Choose the build for this process (and, through the environment, for its children).

    `path` is a heapyard.json, a build folder or a library file; None returns to the search.
    Raises BuildError where it is none of these. Call it before the library is first used.
    """
    if path is None:
        _Choice.path = None
        return
    chosen = Path(path).resolve()
    named_build(chosen)
    _Choice.path = chosen


def build_environment() -> dict[str, str]:
    """The environment variables with which a child Python finds the same build."""
    build = current_build()
    variables = {ENVIRONMENT_VARIABLE: str(_Choice.path or build.source)}
    if _Choice.path is None and ENVIRONMENT_VARIABLE in os.environ:
        variables[ENVIRONMENT_VARIABLE] = str(Path(os.environ[ENVIRONMENT_VARIABLE]).resolve())
    if build.sanitizer_runtime is not None:
        variables["LD_PRELOAD"] = str(build.sanitizer_runtime)
    return variables


def current_build() -> Build:
    """The build in use. Raises NoBuildError, AmbiguousBuildError or BuildError."""
    if _Choice.path is not None:
        return named_build(_Choice.path)
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return named_build(Path(named).resolve())
    return read_build(_search())


def _search() -> Path:
    checkout = _PACKAGE.parent
    candidates = sorted(checkout.glob(f"build*/{FILE_NAME}"))
    if len(candidates) > 1:
        raise AmbiguousBuildError(candidates)
    installed = _PACKAGE / "lib" / FILE_NAME
    for path in [*candidates, installed]:
        if path.is_file():
            return path
    raise NoBuildError([f"${ENVIRONMENT_VARIABLE}", f"{checkout}/build*/", str(installed)])


def named_build(path: Path) -> Build:
    """The build that `path` names: a heapyard.json, a build folder, or a library in one."""
    if path.is_dir():
        return read_build(path / FILE_NAME)
    if path.suffix == ".json":
        return read_build(path)
    if not path.is_file():
        raise BuildError(
            f"Invalid build {str(path)!r}: no such file; name a heapyard.json, a build folder "
            "or the library."
        )
    for folder in list(path.parents)[:3]:
        if (folder / FILE_NAME).is_file():
            return replace(read_build(folder / FILE_NAME), libheapyard=path)
    raise BuildError(
        f"Invalid library {str(path)!r}: there is no {FILE_NAME} in its folder or the two above "
        "it; name the build folder."
    )


@functools.cache
def read_build(path: Path) -> Build:
    """Read a heapyard.json. Raises BuildError with the reason."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BuildError(f"Can't read {path}: {error.strerror}; build first.") from error
    except ValueError as error:
        raise BuildError(f"Can't read {path}: not JSON ({error}); build again.") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise BuildError(f"Can't read {path}: its schema is not {SCHEMA!r}; build again.")
    try:
        return _parse(path, content)
    except KeyError as error:
        raise BuildError(f"Can't read {path}: {error} is missing; build again.") from error


def _parse(source: Path, content: dict[str, Any]) -> Build:
    def place(text: str) -> Path:
        return Path(os.path.normpath(source.parent / text))

    def optional(text: str | None) -> Path | None:
        return place(text) if text else None

    def part(name: str) -> Path:
        # Named where it is missing, so that whoever needs it fails with that name.
        return place(content[name] or f"{name} (not built)")

    return Build(
        source=source,
        version=content["version"],
        compiler=content["compiler"],
        build_type=content["build_type"],
        sanitizer=content["sanitizer"],
        sanitizer_runtime=optional(content["sanitizer_runtime"]),
        counters=content["counters"],
        assertions=content["assertions"],
        libheapyard=part("libheapyard"),
        libheapyard_trial=part("libheapyard_trial"),
        runner=part("runner"),
        runner_musl=optional(content["runner_musl"]),
        recorder=part("recorder"),
        trace=part("trace"),
        swap=part("swap"),
        targets=MappingProxyType({k: place(v) for k, v in content["targets"].items()}),
        baselines=MappingProxyType({k: place(v) for k, v in content["baselines"].items()}),
        corpus=optional(content["corpus"]),
    )
