"""`heapyard check`: the contract's rules, run by pytest, with a report of our own."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard._deadline import is_over, within
from heapyard._defendants import one_of_each, resolve_targets
from heapyard._native.build import use_build
from heapyard._version import version
from heapyard.cli._parser import (
    FAILED,
    INTERRUPTED,
    PASSED,
    UsageError,
    add_library,
    add_loading,
    add_tells,
    whole_number,
)
from heapyard.cli._selection import add_workers, require_expression
from heapyard.errors import HeapyardError
from heapyard.report import terminal
from heapyard.report.baseline import Baseline
from heapyard.report.json import require_writable
from heapyard.report.style import style_for

if TYPE_CHECKING:
    import argparse

    from heapyard._defendants import Defendant
    from heapyard.cli._parser import Verbs
    from heapyard.report.result import Report

__all__ = ["add", "run"]

_DESCRIPTION = """\
Run every rule on every target, each in a child process: a crash or a hang is a verdict too.

MUST: a standard or the platform's documented interface demands it. SHOULD: users rely on it.
PROFILE: a figure to compare. `heapyard explain RULE` tells more about each."""

_EPILOG = """\
examples:
  heapyard check libjemalloc.so.2 libmimalloc.so.2 libc
  heapyard check ./libmine.so -k ALIGN
  heapyard check ./libmine.so -k "ALIGN and not 03" -n 1 -v
  heapyard check ./libmine.so --json verdicts.json --junit verdicts.xml
  heapyard check ./libmine.so --write-baseline known.json
  heapyard check ./libmine.so --baseline known.json"""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "check", help="put allocators on trial", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="a shared library, or a name that `heapyard targets` lists"
        " (default: libc, and one of each kind of heapyard's own)",
    )
    _add_run(parser)
    _add_report(parser)
    add_loading(parser)
    add_tells(parser)
    add_library(parser)
    parser.set_defaults(run=run)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-k", metavar="EXPR", help="only rules whose id, name or target fits, as pytest's -k"
    )
    add_workers(parser)
    parser.add_argument(
        "--seed",
        metavar="N",
        type=whole_number(0, (1 << 64) - 1, "0 to 2**64 - 1"),
        default=0,
        help="the same seed makes the same plans (default: 0)",
    )
    parser.add_argument(
        "--time-limit",
        metavar="SECONDS",
        type=whole_number(1, 10**6, "1 to 1000000"),
        help="end the whole run after so long: what has no verdict by then counts as failed",
    )
    parser.add_argument("--strict", action="store_true", help="a SHOULD counts as a MUST does")
    parser.add_argument(
        "--baseline",
        metavar="FILE",
        help="failures that FILE lists do not count; what no longer fails is reported",
    )
    parser.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="write the failures to FILE: they are known from now on; beside --baseline, only take"
        " out what no longer fails",
    )


def _add_report(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("report")
    group.add_argument("-v", "--verbose", action="store_true", help="a line for every rule")
    group.add_argument(
        "--html", metavar="FILE", help="write a page: rules by targets, each failure in full"
    )
    group.add_argument("--json", metavar="FILE", help="write the verdicts as JSON")
    group.add_argument("--junit", metavar="FILE", help="write the verdicts as JUnit XML")
    group.add_argument(
        "--plans",
        metavar="DIR",
        default=".heapyard/plans",
        help="save the plans of failures there (default: .heapyard/plans)",
    )
    group.add_argument(
        "--reproducers",
        metavar="DIR",
        help="write a C program for each failure there (default: beside its plan)",
    )


def run(options: argparse.Namespace) -> int:
    """Refuse what can't be, run, report; answers the exit code."""
    with within(options.time_limit):
        return _run_in_time(options)


def _run_in_time(options: argparse.Namespace) -> int:
    from heapyard.cli import _run  # noqa: PLC0415  (pytest takes a while to import)

    options.targets = options.targets or list(one_of_each())
    targets = _prepare(options)
    names = ", ".join(one.name for one in targets)
    head = f"heapyard {version()}, seed {options.seed}, on trial: {names}"
    print(textwrap.fill(head, _width(), subsequent_indent="  "), flush=True)
    outcome = _run.run(_arguments(options))
    if outcome.report is not None:
        _show(outcome.report, verbose=options.verbose)
        _show_baseline(options, interrupted=outcome.interrupted)
    if outcome.interrupted and outcome.report is None:
        raise KeyboardInterrupt
    if outcome.interrupted:
        return INTERRUPTED
    if is_over():
        return _give_up(outcome.report, options)
    if outcome.trouble:
        raise HeapyardError(outcome.trouble)
    if outcome.report is None:
        raise HeapyardError(f"no rule fits -k {options.k!r}; `heapyard rules` lists them all")
    return PASSED if outcome.report.passed else FAILED


def _give_up(report: Report | None, options: argparse.Namespace) -> int:
    """The time is up: PASSED only if every verdict was there by then."""
    complete = report is not None and report.expected in (None, len(report.results))
    if report is not None and complete:
        return PASSED if report.passed else FAILED
    print(f"the time limit of {options.time_limit} s has passed: what is missing counts as failed")
    return FAILED


def _prepare(options: argparse.Namespace) -> tuple[Defendant, ...]:
    """Raise HeapyardError for whatever would stop the run later."""
    require_expression(options.k)
    Path.cwd()  # raises where the folder is gone
    for file in (options.json, options.junit, options.html, options.write_baseline):
        if file is not None:
            require_writable(Path(file).absolute())
    for flag, text in (("--plans", options.plans), ("--reproducers", options.reproducers)):
        if text is not None and Path(text).exists() and not Path(text).is_dir():
            raise UsageError(f"{flag} {text} is a file: name a folder")
    _require_baseline(options)
    if options.lib:
        use_build(options.lib)
    return resolve_targets(
        options.targets, prefix=options.prefix, mode=options.mode, tells=options.tells
    )


def _require_baseline(options: argparse.Namespace) -> None:
    """Read it for its errors' sake; the plugin reads it again."""
    written = options.write_baseline
    over = written if written and Path(written).exists() else None
    file = options.baseline or over
    if file:
        Baseline.read(Path(file))


def _arguments(options: argparse.Namespace) -> list[str]:
    """Everything for pytest that the user's options say."""
    settings = {
        "--heapyard-seed": options.seed,
        "--heapyard-plans": options.plans,
        "--heapyard-reproducers": options.reproducers,
        "--allocator-mode": options.mode,
        "--allocator-prefix": options.prefix,
        "--allocator-tells": ",".join(options.tells) or None,
        "--heapyard-json": options.json,
        "--heapyard-html": options.html,
        "--heapyard-baseline": options.baseline,
        "--heapyard-write-baseline": options.write_baseline,
        "--heapyard-lib": options.lib,
        "--junitxml": options.junit,
    }
    return [
        *(f"--allocator={text}" for text in options.targets),
        *(f"{flag}={value}" for flag, value in settings.items() if value is not None),
        *([f"-k{options.k}"] if options.k is not None else []),
        *(["-n", str(options.n), "--dist=load"] if options.n > 1 else []),
        *(["--heapyard-strict"] if options.strict else []),
    ]


def _width() -> int:
    return shutil.get_terminal_size().columns


def _show(report: Report, *, verbose: bool) -> None:
    """Print the table, the failures in full, and the answer."""
    style = style_for(sys.stdout)
    print()
    for line in terminal.table(report, style=style, width=_width(), verbose=verbose):
        print(line)
    for line in terminal.failures(report, style=style, width=_width(), verbose=verbose):
        print(line)
    for line in terminal.closing(report, style=style):
        print(line)


def _show_baseline(options: argparse.Namespace, *, interrupted: bool) -> None:
    """Say what became of the file."""
    file = options.write_baseline
    if file is None:
        return
    if interrupted:
        print(f"{file} is not written: the run was interrupted")
        return
    count = len(Baseline.read(Path(file)).entries)
    print(f"{file}: {terminal.plural(count, 'known failure')}")
