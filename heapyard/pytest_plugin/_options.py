"""The plugin's options, each with a twin for ini files, and what they add up to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from heapyard._tells import TELLS, read_tells

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEFAULT_PLANS", "MODES", "Settings", "add_options", "names_targets", "read_settings"]

MODES = ("auto", "dlopen", "preload")
DEFAULT_PLANS = ".heapyard/plans"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line and the ini file say; the command line goes first."""

    targets: tuple[str, ...]
    """As typed; empty: libc and every allocator of heapyard."""
    prefix: str
    mode: str
    tells: tuple[str, ...]
    seed: int
    strict: bool
    library: str | None
    json: Path | None
    plans: Path
    reproducers: Path
    """Where C programs go."""
    html: Path | None
    baseline: Path | None
    write_baseline: Path | None

    @property
    def accepts_all(self) -> bool:
        """Whether a baseline is being made: then every failure is a known one from now on."""
        return self.write_baseline is not None and self.baseline is None


_OPTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "--allocator-prefix",
        "heapyard_prefix",
        {"metavar": "PREFIX", "help": "What the library puts before malloc, free...: je_, mi_..."},
    ),
    (
        "--allocator-mode",
        "heapyard_mode",
        {
            "choices": MODES,
            "help": "How a library is loaded: dlopen, preload (it replaces malloc in a child) or"
            " auto: dlopen, and preload where that fails (default: auto).",
        },
    ),
    (
        "--allocator-tells",
        "heapyard_tells",
        {
            "metavar": "LIST",
            "help": "The misuse that a hardened library promises to tell, which then is a MUST:"
            f" {','.join(TELLS)}, or all.",
        },
    ),
    (
        "--heapyard-seed",
        "heapyard_seed",
        {
            "metavar": "N",
            "help": "Seed of the random plans; the same seed makes the same plans (default: 0).",
        },
    ),
    (
        "--heapyard-lib",
        "heapyard_lib",
        {
            "metavar": "PATH",
            "help": "The build of heapyard to use: a build folder, its"
            " heapyard.json or its library.",
        },
    ),
    (
        "--heapyard-json",
        "heapyard_json",
        {"metavar": "FILE", "help": "Write the verdicts to FILE (schema heapyard.check/1)."},
    ),
    (
        "--heapyard-html",
        "heapyard_html",
        {"metavar": "FILE", "help": "Write a page of rules by targets to FILE."},
    ),
    (
        "--heapyard-plans",
        "heapyard_plans",
        {
            "metavar": "DIR",
            "help": f"Save the plans of failures in DIR (default: {DEFAULT_PLANS}).",
        },
    ),
    (
        "--heapyard-reproducers",
        "heapyard_reproducers",
        {
            "metavar": "DIR",
            "help": "Write a C program for each failure in DIR (default: beside its plan).",
        },
    ),
    (
        "--heapyard-baseline",
        "heapyard_baseline",
        {
            "metavar": "FILE",
            "help": "Failures that FILE lists are expected; what no longer fails is reported.",
        },
    ),
    (
        "--heapyard-write-baseline",
        "heapyard_write_baseline",
        {
            "metavar": "FILE",
            "help": "Write the failures to FILE; with --heapyard-baseline, only take out what no"
            " longer fails.",
        },
    ),
)


def add_options(parser: pytest.Parser) -> None:
    """Declare the option group `heapyard`."""
    group = parser.getgroup("heapyard", "heapyard: put allocators on trial")
    group.addoption(
        "--allocator",
        dest="heapyard_allocators",
        action="append",
        metavar="TARGET",
        help="An allocator to put on trial: a shared library, or a name that `heapyard targets`"
        " lists. May be repeated (default: libc and every allocator of heapyard).",
    )
    parser.addini("heapyard_allocators", "Allocators, one a line: --allocator.", "linelist", [])
    for flag, name, facts in _OPTIONS:
        group.addoption(flag, dest=name, **facts)
        parser.addini(name, f"The same as {flag}.", "string", "")
    group.addoption(
        "--heapyard-strict",
        dest="heapyard_strict",
        action="store_true",
        help="A SHOULD that does not hold fails its test, as a MUST does.",
    )
    parser.addini("heapyard_strict", "The same as --heapyard-strict.", "bool", False)


def names_targets(config: pytest.Config) -> bool:
    """Whether the command line names a target: the session is about allocators."""
    return bool(config.getoption("heapyard_allocators"))


def read_settings(config: pytest.Config) -> Settings:
    """The settings of this session. Raises pytest.UsageError for a value that can't be."""
    folder = config.invocation_params.dir
    json = _path(config, "heapyard_json")
    plans = _path(config, "heapyard_plans") or folder / DEFAULT_PLANS
    return Settings(
        targets=_targets(config),
        prefix=_text(config, "heapyard_prefix"),
        mode=_mode(_text(config, "heapyard_mode") or "auto"),
        tells=_tells(_text(config, "heapyard_tells")),
        seed=_seed(_text(config, "heapyard_seed") or "0"),
        strict=bool(config.getoption("heapyard_strict") or config.getini("heapyard_strict")),
        library=str(_path(config, "heapyard_lib") or "") or None,
        json=json,
        plans=plans,
        reproducers=_path(config, "heapyard_reproducers") or plans,
        html=_path(config, "heapyard_html"),
        baseline=_path(config, "heapyard_baseline"),
        write_baseline=_path(config, "heapyard_write_baseline"),
    )


def _text(config: pytest.Config, name: str) -> str:
    return str(config.getoption(name) or config.getini(name))


def _path(config: pytest.Config, name: str) -> Path | None:
    """A path: beside the shell's folder when typed, beside the ini file when written there."""
    typed: str | None = config.getoption(name)
    if typed:
        return config.invocation_params.dir / typed
    written = config.getini(name)
    return _beside_ini(config, written) if written else None


def _targets(config: pytest.Config) -> tuple[str, ...]:
    typed = config.getoption("heapyard_allocators")
    if typed:
        return tuple(dict.fromkeys(typed))
    written = config.getini("heapyard_allocators")
    return tuple(
        str(_beside_ini(config, text)) if os.sep in text else text
        for text in dict.fromkeys(written)
    )


def _beside_ini(config: pytest.Config, text: str) -> Path:
    folder = config.inipath.parent if config.inipath else config.rootpath
    return folder / text


def _mode(text: str) -> str:
    if text not in MODES:
        raise pytest.UsageError(f"heapyard_mode is {text!r}: must be one of {', '.join(MODES)}")
    return text


def _tells(text: str) -> tuple[str, ...]:
    try:
        return read_tells(text)
    except ValueError as error:
        raise pytest.UsageError(f"heapyard_tells: {error}") from None


def _seed(text: str) -> int:
    try:
        seed = int(text, 0)
    except ValueError:
        seed = -1
    if not 0 <= seed < 1 << 64:
        raise pytest.UsageError(f"the seed is {text!r}: must be a whole number, 0 to 2**64 - 1")
    return seed
