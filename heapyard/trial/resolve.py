"""From what a user types to a target: built-in names, heapyard's own, files, loader names."""

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from heapyard._native.build import Build, current_build
from heapyard._tells import TELLS
from heapyard.trial.capabilities import Capabilities
from heapyard.trial.elf import ElfFile
from heapyard.trial.libraries import examine_library, find_library, known_libraries, prefixes_in
from heapyard.trial.operations import ENTRY_POINTS
from heapyard.trial.probe import Probe, probe
from heapyard.trial.targets import Mode, Target, TargetError

__all__ = ["FoundTarget", "is_own_name", "list_targets", "resolve_target"]

PYTHON_TARGETS = ("python:raw", "python:mem", "python:obj")

KNOWN_ALLOCATORS = (
    "libjemalloc.so.*",
    "libmimalloc.so.*",
    "libmimalloc-secure.so.*",
    "libtcmalloc.so.*",
    "libtcmalloc_minimal.so.*",
    "libtcmalloc_minimal_debug.so.*",
    "libtbbmalloc_proxy.so.*",
    "libsnmallocshim*.so*",
    "librpmalloc*.so*",
    "libhardened_malloc*.so*",
    "libscudo*.so*",
    "libhoard.so*",
    "libisoalloc.so*",
    "libmesh.so*",
    "libDieHarder.so*",
)
"""Names under which allocators that replace malloc are installed."""

_STATIC_TLS = "glibc.rtld.optional_static_tls=16384"
"""Room for a library with static TLS (jemalloc's) in a process that has started already."""

_PYTHON_CHILD = Path(__file__).with_name("_python_child.py")


def resolve_target(  # noqa: PLR0913
    text: str,
    *,
    prefix: str = "",
    mode: str = "auto",
    environment: Mapping[str, str] | None = None,
    tells: Iterable[str] = (),
    even_unloadable: bool = False,
) -> Target:
    """Find the allocator that `text` names and ask a child what it can do.

    `text`: libc, musl, region, region:list, region:fast, bump, heap, heap:strict, domain:raw,
    domain:mem, domain:obj (these also with +debug), python:raw, python:mem, python:obj, a path, or
    a name that the loader knows ("libjemalloc.so.2"). `prefix` comes before each function's name
    ("je_"). `mode`: dlopen, preload, or auto: dlopen, and preload where that fails. `environment`
    is added to what children inherit. LD_PRELOAD is not inherited. `tells` is the misuse that it
    promises to tell beside what its table says: bad-free, bad-write, wrong-size. A library that
    ends or hangs every process which loads it is an error too, unless `even_unloadable`: then the
    target says so (`Target.unloadable`).

    Raises TargetError, in one line: what was given, why it can't be put on trial, what to do.
    """
    if mode not in ("auto", "dlopen", "preload"):
        raise TargetError(f"Invalid mode={mode!r}: must be auto, dlopen or preload")
    told = tuple(tells)
    unknown = [kind for kind in told if kind not in TELLS]
    if unknown:
        raise TargetError(f"Invalid tells={unknown[0]!r}: must be of {', '.join(TELLS)}")
    found = _find(
        _Request(
            text,
            prefix,
            mode,
            _inherited(environment or {}),
            current_build(),
            even_unloadable,
        )
    )
    return replace(found, capabilities=found.capabilities.telling(told))


def _find(request: "_Request") -> Target:
    own = _own_library(request.text, request.build)
    if is_own_name(request.text):
        _require_plain(request)
    if request.text in ("libc", "musl"):
        return _builtin(request)
    if request.text in PYTHON_TARGETS:
        return _python(request)
    return _library(request, find_library(request.text) if own is None else own)


def is_own_name(text: str) -> bool:
    """Whether the text names a target that needs no file, to which prefix and mode don't apply."""
    known = text in ("libc", "musl", *PYTHON_TARGETS)
    return known or _own_library(text, current_build()) is not None


@dataclass(frozen=True)
class _Request:
    """What was asked for, and where to run it."""

    text: str
    prefix: str
    mode: str
    environment: Mapping[str, str]
    build: Build
    even_unloadable: bool


def _inherited(added: Mapping[str, str]) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return environment | dict(added)


def _own_library(text: str, build: Build) -> Path | None:
    return build.targets.get({"region": "region:fast"}.get(text, text))


def _require_plain(request: _Request) -> None:
    """Built-in targets and heapyard's own have one mode and no prefix."""
    if request.prefix:
        raise TargetError(f"{request.text}: it has no prefix; leave --prefix {request.prefix} out")
    if request.mode == "preload":
        raise TargetError(
            f"{request.text}: it does not replace malloc and can't be preloaded; leave --mode out"
        )


# --- built in ---


def _builtin(request: _Request) -> Target:
    runner = request.build.runner if request.text == "libc" else request.build.runner_musl
    if runner is None:
        raise TargetError("musl: this build has no runner for it; install musl-gcc and build again")
    version = _libc_version() if request.text == "libc" else ""
    return _probed(request, "builtin", (str(runner),), version=version)


def _libc_version() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""


def _python(request: _Request) -> Target:
    domain = request.text.partition(":")[2]
    program = (sys.executable, "-I", "-S", str(_PYTHON_CHILD))
    environment = dict(request.environment)
    if request.build.sanitizer_runtime is not None:
        environment["LD_PRELOAD"] = str(request.build.sanitizer_runtime)
    return _probed(
        request,
        "builtin",
        (*program, str(request.build.libheapyard_trial), domain),
        environment=environment,
        version=f"{platform.python_implementation()} {platform.python_version()}",
    )


def _probed(
    request: _Request,
    mode: Mode,
    program: tuple[str, ...],
    *,
    environment: Mapping[str, str] | None = None,
    version: str = "",
) -> Target:
    """A target without a library of its own, whose probe must succeed."""
    if environment is None:
        environment = request.environment
    answer = probe(program, environment, None)
    if answer.capabilities is None:
        raise TargetError(f"{request.text}: it does not run ({answer.reason}); build again")
    return Target(
        typed=request.text,
        mode=mode,
        program=program,
        capabilities=answer.capabilities,
        environment=environment,
        version=version,
    )


# --- libraries ---


def _library(request: _Request, path: Path) -> Target:
    elf = examine_library(request.text, path, request.build.runner)
    if request.mode == "preload" and request.prefix:
        raise TargetError(
            f"{request.text}: LD_PRELOAD replaces malloc itself, which {request.prefix}malloc does"
            " not; use --mode dlopen with --prefix"
        )
    _require_function(request, elf)
    answers: list[Probe] = []
    for mode in _modes(request, path):
        program, environment = _loading(request, path, mode)
        answer = probe(program, environment, path)
        if answer.capabilities is not None and answer.capabilities.has("malloc"):
            return Target(
                typed=request.text,
                mode=mode,
                program=program,
                capabilities=answer.capabilities,
                path=path,
                prefix=request.prefix,
                environment=environment,
            )
        answers.append(answer)
    if request.even_unloadable and _kills(elf, request, answers):
        return _unloadable(request, elf, path, answers[0])
    raise _unusable(request, elf, answers)


def _kills(elf: ElfFile, request: _Request, answers: list[Probe]) -> bool:
    """Whether it has a malloc to put on trial, and no process lives that loads it."""
    there = request.prefix + "malloc" in elf.functions or elf.has_table
    return there and all(answer.cause == "died" for answer in answers)


def _unloadable(request: _Request, elf: ElfFile, path: Path, answer: Probe) -> Target:
    """A target of which its file alone is known."""
    mode = _modes(request, path)[0]
    program, environment = _loading(request, path, mode)
    length = len(request.prefix)
    names = {each[length:] for each in elf.functions if each.startswith(request.prefix)}
    return Target(
        typed=request.text,
        mode=mode,
        program=program,
        capabilities=Capabilities(
            name=path.name,
            functions=frozenset(names & ENTRY_POINTS) | {"malloc"},
            table=elf.has_table and not request.prefix,
        ),
        path=path,
        prefix=request.prefix,
        environment=environment,
        unloadable=answer.reason,
    )


def _require_function(request: _Request, elf: ElfFile) -> None:
    name = request.prefix + "malloc"
    if name in elf.data and (request.prefix or not elf.has_table):
        raise TargetError(f"{request.text}: its {name} is a variable, no function")


def _modes(request: _Request, path: Path) -> tuple[Mode, ...]:
    obstacle = _preload_obstacle(path)
    if request.mode == "preload" and obstacle:
        raise TargetError(
            f"{request.text}: LD_PRELOAD can't name a path with {obstacle!r} in it; give a copy in"
            " another place"
        )
    if request.mode == "preload":
        return ("preload",)
    only_dlopen = request.mode == "dlopen" or request.prefix or obstacle
    return ("dlopen",) if only_dlopen else ("dlopen", "preload")


def _preload_obstacle(path: Path) -> str:
    """What stands in the way of LD_PRELOAD: separators, and `$`, which is expanded (ld.so(8))."""
    return next((character for character in " :$" if character in str(path)), "")


def _loading(request: _Request, path: Path, mode: Mode) -> tuple[tuple[str, ...], dict[str, str]]:
    """The child's command and environment for one way of loading."""
    program = [str(request.build.runner), "--library", str(path)]
    environment = dict(request.environment)
    if mode == "preload":
        runtime = request.build.sanitizer_runtime
        environment["LD_PRELOAD"] = str(path) if runtime is None else f"{runtime}:{path}"
        return (*program, "--preloaded"), environment
    tunables = [environment["GLIBC_TUNABLES"]] if environment.get("GLIBC_TUNABLES") else []
    environment["GLIBC_TUNABLES"] = ":".join([*tunables, _STATIC_TLS])
    return (*program, *(("--prefix", request.prefix) if request.prefix else ())), environment


def _unusable(request: _Request, elf: ElfFile, answers: list[Probe]) -> TargetError:
    """Why no way of loading worked: for want of a malloc, or as the loader says."""
    name = request.prefix + "malloc"
    first = answers[0]
    there = name in elf.functions or (elf.has_table and not request.prefix)
    if there and first.cause == "symbol":
        return TargetError(
            f"{request.text}: its {name} is that of the runner's own libc; use the target libc"
        )
    if there or (first.cause != "symbol" and not request.prefix):
        return TargetError(f"{request.text}: it can't be loaded: {first.reason}{_advice(first)}")
    return TargetError(f"{request.text}: no {name} in it{_other_names(request, elf)}")


def _other_names(request: _Request, elf: ElfFile) -> str:
    if request.prefix and ("malloc" in elf.functions or elf.has_table):
        return "; leave --prefix out"
    others = prefixes_in(elf.functions)
    if others:
        found = ", ".join(f"{prefix}malloc" for prefix in others)
        return f", but {found}; use --prefix {others[0]}"
    return ", nor a heapyard_target table; give the library that holds the allocator"


def _advice(answer: Probe) -> str:
    if answer.cause == "died":
        return "; run a program with it under a debugger"
    if answer.cause == "refused":
        return ""
    if "static TLS" in answer.reason:
        return "; use --mode preload"
    return "; install or link what it needs"


# --- what there is ---


@dataclass(frozen=True)
class FoundTarget:
    """One line of `heapyard targets`: a target, or why it can't be one here."""

    text: str
    """What to type for it."""
    target: Target | None
    problem: str = ""


def list_targets() -> list[FoundTarget]:
    """What can be put on trial on this machine without building anything.

    The libc, musl where the build has a runner for it, heapyard's own allocators, CPython's, and
    the known allocators that the loader finds.
    """
    return [_found(text) for text in _texts()]


def _texts() -> Iterator[str]:
    build = current_build()
    yield "libc"
    if build.runner_musl is not None:
        yield "musl"
    yield from build.targets
    yield from PYTHON_TARGETS
    for path in known_libraries(KNOWN_ALLOCATORS):
        yield path.name


def _found(text: str) -> FoundTarget:
    try:
        return FoundTarget(text, resolve_target(text))
    except TargetError as error:
        return FoundTarget(text, None, str(error))
