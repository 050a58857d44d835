"""`heapyard bench`: how fast allocators are and how much memory they take, side by side."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard._native.build import use_build
from heapyard.cli._parser import (
    FAILED,
    PASSED,
    UsageError,
    add_library,
    add_loading,
    whole_number,
)
from heapyard.cli._ticker import Ticker
from heapyard.report import bench_html, bench_json
from heapyard.report.bench_table import legend, lines_of_plan
from heapyard.report.json import require_writable
from heapyard.report.style import style_for

if TYPE_CHECKING:
    import argparse

    from heapyard.bench import BenchReport, PlanReport, Settings
    from heapyard.cli._parser import Verbs

__all__ = ["add", "run"]

_DESCRIPTION = """\
Run plans on allocators in turn, each in a fresh child, and compare time and memory.

A target is what `heapyard targets` lists, a shared library, or a baseline: list (a free list per
size class, no bookkeeping). floor, which does nothing, is always there. The others are compared
with the first one.

plans:
  pairs          malloc, then free at once
  lifo, fifo     many mallocs, then as many frees, the last or the first block first
  random-free    the same in random order
  churn          among many live blocks, free one at random and malloc another
  FILE           a recording, or a plan's JSON file (schema heapyard.plan/1)"""

_EPILOG = """\
examples:
  heapyard bench --target libc --target libmimalloc.so.2 --target list
  heapyard bench --target ./libmine.so --target libc --plan churn --live 1000000 --sizes 8-65536
  heapyard bench --target libc --target python:obj --plan trace.hyrec --html bench.html

exit codes: 0 every run ended, 1 some crashed or could not run, 2 a mistake"""

_PLANS = ("pairs", "lifo", "fifo", "random-free", "churn")


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "bench", help="compare time and memory", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument(
        "--target", action="append", metavar="TARGET", help="may be repeated (default: libc)"
    )
    parser.add_argument(
        "--plan", action="append", metavar="PLAN", help="may be repeated (default: all five)"
    )
    _add_numbers(parser)
    parser.add_argument(
        "--sized", action="store_true", help="free with the size, where a target has free_sized"
    )
    parser.add_argument(
        "--instructions",
        action="store_true",
        help="count the instructions of a pair too, under valgrind: takes a while",
    )
    parser.add_argument("--json", metavar="FILE", help="write all samples as JSON")
    parser.add_argument("--html", metavar="FILE", help="write a page with bars")
    add_loading(parser)
    add_library(parser)
    parser.set_defaults(run=run)


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rounds",
        metavar="N",
        type=whole_number(1, 100_000),
        default=9,
        help="each target runs each plan so often (default: 9)",
    )
    parser.add_argument(
        "--live",
        metavar="N",
        type=whole_number(1, 1 << 24, "1 to 2**24"),
        default=10_000,
        help="live blocks (default: 10000)",
    )
    parser.add_argument(
        "--sizes",
        metavar="LO-HI",
        type=_sizes,
        default=(8, 512),
        help="sizes in bytes, drawn evenly (default: 8-512)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=whole_number(0, (1 << 64) - 1, "0 to 2**64 - 1"),
        default=0,
        help="of sizes and orders (default: 0)",
    )
    parser.add_argument(
        "--pairs",
        metavar="N",
        type=whole_number(1, 1 << 40, "1 to 2**40"),
        default=1 << 20,
        help="time at least so many pairs a run, repeating the plan (default: 2**20)",
    )
    parser.add_argument(
        "--time-limit",
        metavar="SECONDS",
        type=whole_number(1, 86_400),
        default=120,
        help="of one run (default: 120)",
    )


def _sizes(text: str) -> tuple[int, int]:
    import argparse  # noqa: PLC0415

    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 8 <= low <= high <= 1 << 30:
        bound = "LO-HI, a range within 8 to 2**30 bytes"
        raise argparse.ArgumentTypeError(f"{text!r} must be {bound}")
    return low, high


def run(options: argparse.Namespace) -> int:
    """Measure, print, write; answers FAILED where a row has no figures."""
    from heapyard.bench import (  # noqa: PLC0415
        find_plan,
        find_targets,
        find_valgrind,
        instructions_of,
        run_bench,
    )

    for file in (options.json, options.html):
        if file is not None:
            require_writable(Path(file).absolute())
    if options.lib:
        use_build(options.lib)
    settings = _settings(options)
    plans = [find_plan(text) for text in dict.fromkeys(options.plan or _PLANS)]
    targets = find_targets(options.target or ["libc"], prefix=options.prefix, mode=options.mode)
    counter = instructions_of if options.instructions and find_valgrind() else None
    steps = len(plans) * len(targets) * (settings.rounds + options.instructions)
    with Ticker(sys.stderr, steps) as ticker:

        def show(plan: PlanReport) -> None:
            ticker.clear()
            _show_plan(plan)

        report = run_bench(targets, plans, settings, watch=ticker.step, show=show, counter=counter)
    _show_legend(report)
    if options.json:
        bench_json.write(report, Path(options.json))
    if options.html:
        bench_html.write(report, Path(options.html))
    return FAILED if any(row.trouble for plan in report.plans for row in plan.rows) else PASSED


def _settings(options: argparse.Namespace) -> Settings:
    from heapyard.bench import Settings  # noqa: PLC0415
    from heapyard.errors import BadArgumentError  # noqa: PLC0415

    try:
        return Settings(
            rounds=options.rounds,
            live=options.live,
            sizes=options.sizes,
            sized=options.sized,
            seed=options.seed,
            pairs=options.pairs,
            time_limit=options.time_limit,
        )
    except BadArgumentError as error:
        raise UsageError(str(error)) from None


def _show_plan(plan: PlanReport) -> None:
    style = style_for(sys.stdout)
    for line in lines_of_plan(plan, style):
        print(line)
    print(flush=True)


def _show_legend(report: BenchReport) -> None:
    style = style_for(sys.stdout)
    columns = min(100, shutil.get_terminal_size().columns)
    for line in textwrap.wrap(legend(report), columns - 1):
        print(style(line, "dim"))
