"""Parse arguments so that a mistake is one line, not a page of usage."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from heapyard._tells import TELLS, read_tells
from heapyard.errors import HeapyardError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "PASSED",
    "UNUSABLE",
    "Parser",
    "UsageError",
    "Verbs",
    "add_library",
    "add_loading",
    "add_tells",
    "whole_number",
]

PASSED = 0
FAILED = 1
UNUSABLE = 2
INTERRUPTED = 130


class UsageError(HeapyardError):
    """The command line can't be understood."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are raised, and whose help keeps the lines it was given."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        options["allow_abbrev"] = False
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError, with the help that tells more."""
        raise UsageError(f"{message}; see `{self.prog} --help`")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Lines as written; help texts in one column."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=96)


if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[Parser]
else:
    Verbs = argparse.Action


def whole_number(least: int, most: int, bound: str = "") -> Callable[[str], int]:
    """Read a whole number within bounds; an error names the value and the `bound`, in words."""

    def read(text: str) -> int:
        try:
            value = int(text, 0)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            within = bound or f"{least} to {most}"
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, {within}")
        return value

    return read


def add_loading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a library is loaded."""
    group = parser.add_argument_group("how a library is loaded")
    group.add_argument(
        "--prefix", default="", help="what it puts before malloc, free...: je_, mi_..."
    )
    group.add_argument(
        "--mode",
        choices=("auto", "dlopen", "preload"),
        default="auto",
        help="dlopen; preload: it replaces malloc in a child; auto: dlopen, and preload where that"
        " fails (default: auto)",
    )


def add_tells(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which misuse a library promises to tell."""
    parser.add_argument(
        "--tells",
        metavar="LIST",
        type=_tells,
        default=(),
        help="the misuse that a hardened library promises to tell, which then is a MUST:"
        f" {','.join(TELLS)}, or all",
    )


def _tells(text: str) -> tuple[str, ...]:
    try:
        return read_tells(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_library(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses heapyard's own build."""
    parser.add_argument(
        "--lib",
        metavar="PATH",
        help="the build of heapyard to use: a build folder, its heapyard.json or its library",
    )
