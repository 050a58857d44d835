"""The command line: one verb a module, each with `add` (its options) and `run` (what it does)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard._version import version
from heapyard.cli import bench, check, corpus, explain, fuzz, record, replay, rules, targets
from heapyard.cli._ending import ending_on_request
from heapyard.cli._parser import INTERRUPTED, PASSED, UNUSABLE, Parser, UsageError
from heapyard.errors import HeapyardError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_DESCRIPTION = """\
Put any C allocator on trial.

A target is a shared library that has malloc (./libmine.so, libjemalloc.so.2), libc, or an
allocator of heapyard; `heapyard targets` lists those of this machine."""

_EPILOG = """\
examples:
  heapyard check                            libc, and one of each kind of our own
  heapyard check ./libmine.so               your own
  heapyard check libjemalloc.so.2 libc      side by side
  heapyard check ./libmine.so --prefix my_  one whose functions are my_malloc, my_free...
  heapyard explain HY-ALIGN-01              what a rule demands, and who says so
  heapyard replay .heapyard/plans/HY-ALIGN-01-libmine.so.json
  heapyard record -- sort big.txt           every call of a real program, to replay

exit codes:
  0  every MUST holds (with --strict every SHOULD too)
  1  some do not
  2  could not run: one line on stderr says why, and what to do
130  interrupted or told to end (SIGTERM, SIGHUP); what was found until then is shown"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers its exit code. `arguments` default to those of the process."""
    _require_streams()
    try:
        with ending_on_request():
            code = _dispatch(arguments)
            sys.stdout.flush()
    except HeapyardError as error:
        print(f"heapyard: error: {' '.join(str(error).split())}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("heapyard: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        print(f"heapyard: error: {_system_trouble(error)}", file=sys.stderr)
        return UNUSABLE
    return code


def _require_streams() -> None:
    """Stand in for standard streams that were closed: their numbers would go to other files."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            stream = os.fdopen(number, mode, encoding="utf-8", closefd=False)
            setattr(sys, name, stream)


def _drop_output() -> None:
    """What is still to be written goes nowhere, so that leaving does not fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _system_trouble(error: OSError) -> str:
    """One line for what the system refused."""
    reason = (error.strerror or str(error)).lower()
    try:
        Path.cwd()
    except FileNotFoundError:
        return "this folder is gone: change to one that exists"
    if error.filename is None:
        return f"can't write the output: {reason}"
    return f"{error.filename}: {reason}"


def _dispatch(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        command = f"heapyard {options.verb}" if options.verb else "heapyard"
        raise UsageError(f"unrecognized arguments: {' '.join(unknown)}; see `{command} --help`")
    if options.version:
        print(f"heapyard {version()}")
        return PASSED
    if options.run is None:
        parser.print_help()
        return 0
    code: int = options.run(options)
    return code


def _parser() -> Parser:
    parser = Parser(prog="heapyard", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="store_true", help="show the version")
    parser.set_defaults(run=None)
    verbs = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="verb", parser_class=Parser
    )
    for verb in (check, fuzz, bench, rules, explain, targets, replay, record, corpus):
        verb.add(verbs)
    return parser
