"""`heapyard record`: run a program and record every call of its allocator."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard._native.build import use_build
from heapyard.cli._parser import UsageError, add_library
from heapyard.report.recording import summary
from heapyard.report.style import style_for

if TYPE_CHECKING:
    from heapyard.cli._parser import Verbs

__all__ = ["add", "run"]

_DESCRIPTION = """\
Run a program, with its own input, output and exit code, and record every call of malloc, calloc,
realloc, free and the others of their family, in all its threads. What was recorded is summed up on
stderr; `heapyard replay` runs it on any target.

The program must be linked dynamically with glibc. Programs with an allocator of their own show only
what that one takes from malloc: for Python set PYTHONMALLOC=malloc."""

_EPILOG = """\
examples:
  heapyard record -- sort big.txt
  PYTHONMALLOC=malloc heapyard record -o json.hyrec -- python3 -m json.tool big.json
  heapyard record --children -o gc.hyrec -- git gc
  heapyard replay json.hyrec ./libmine.so

exit codes:
  that of the program (128 + the signal that ended it); 2 where it could not be recorded"""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "record",
        help="record the calls of a program",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        usage="heapyard record [-o FILE] [--children] [--lib PATH] [--] PROGRAM [ARGUMENTS...]",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the recording to write (default: the program's name with .hyrec, in this folder)",
    )
    parser.add_argument(
        "--children",
        action="store_true",
        help="record child processes too, each in FILE.PID",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="no summary")
    add_library(parser)
    parser.add_argument("program", metavar="PROGRAM", nargs=argparse.REMAINDER, help="what to run")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the program; answers its exit code."""
    from heapyard.trial.recorder import record  # noqa: PLC0415
    from heapyard.trial.recording import read_recording  # noqa: PLC0415

    if options.lib:
        use_build(options.lib)
    arguments = _arguments(options.program)
    output = Path(options.output or f"{Path(arguments[0]).name}.hyrec")
    recorded = record(arguments, output, children=options.children)
    if not options.quiet:
        recordings = [read_recording(path) for path in recorded.paths]
        again = f"heapyard replay {shlex.quote(str(output))}"
        for line in summary(recordings, again=again, style=style_for(sys.stderr)):
            print(line, file=sys.stderr)
    return recorded.code


def _arguments(words: list[str]) -> list[str]:
    """What is to be run: a first `--` only ends the options."""
    arguments = words[1:] if words[:1] == ["--"] else words
    if not arguments or not arguments[0]:
        raise UsageError("no program to record; see `heapyard record --help`")
    if arguments[0].startswith("-"):
        raise UsageError(
            f"unrecognized option {arguments[0]}; see `heapyard record --help` (after `--` it would"
            " be a program)"
        )
    return arguments
