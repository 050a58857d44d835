"""`heapyard corpus`: build the allocator with switchable defects, and see each of them caught."""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard._native.build import use_build
from heapyard.cli._parser import FAILED, INTERRUPTED, PASSED, UsageError, add_library
from heapyard.cli._progress import Progress
from heapyard.cli._selection import add_workers, fits, require_expression
from heapyard.errors import HeapyardError
from heapyard.report import corpus_table
from heapyard.report.json import require_writable
from heapyard.report.style import style_for
from heapyard.report.terminal import plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from heapyard.cli._parser import Verbs
    from heapyard.corpus import Defect, Finding

__all__ = ["add", "run"]

_DESCRIPTION = """\
Show that the rules find what they are meant to find.

The corpus is a small malloc with defects that can be switched on one at a time, most of them
modelled on bugs that real allocators have had. It is built with your C compiler (cc, or $CC). Each
defect must be caught by the rule meant for it, as what it is (a block that overlaps is no mere
crash), and that rule must pass the build without a defect."""

_EPILOG = """\
examples:
  heapyard corpus                    every defect, its own rule
  heapyard corpus -k "ALIGN or realloc"
  heapyard corpus -k usable_short --all
  heapyard corpus --export corpus    the sources, to read, to teach with, to test suites with

exit codes: 0 every defect is caught, 1 some are not, 2 it could not run"""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "corpus",
        help="show which rule catches which defect",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("-k", metavar="EXPR", help="only defects whose name or rule fits")
    add_workers(parser)
    parser.add_argument("--all", action="store_true", help="ask every rule about each: takes long")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON")
    parser.add_argument("--export", metavar="DIR", help="write the sources to DIR, run nothing")
    add_library(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Build, judge, print; answers FAILED where a defect is not caught."""
    if options.export:
        return _export(Path(options.export))
    require_expression(options.k)
    if options.json:
        require_writable(Path(options.json).absolute())
    if options.lib:
        use_build(options.lib)
    defects = _chosen(options.k)
    findings: list[Finding] = []
    began = time.monotonic()
    interrupted = False
    try:
        _judge_all(defects, findings, options)
    except KeyboardInterrupt:
        interrupted = True
    _show_answer(findings, time.monotonic() - began, len(defects))
    if options.json:
        corpus_table.write_json(findings, Path(options.json))
    if interrupted:
        return INTERRUPTED
    return PASSED if all(finding.is_caught for finding in findings) else FAILED


def _export(folder: Path) -> int:
    from heapyard.corpus import export_sources  # noqa: PLC0415

    written = export_sources(folder)
    print(f"{plural(len(written), 'file')} in {folder}; {written[0]} tells how to use them")
    return PASSED


def _chosen(expression: str | None) -> Sequence[Defect]:
    from heapyard.corpus import DEFECTS  # noqa: PLC0415

    chosen = [each for each in DEFECTS if fits(expression, each.name, each.rule)]
    if not chosen:
        raise UsageError(f"no defect fits -k {expression!r}; leave it out to see them all")
    return chosen


def _judge_all(
    defects: Sequence[Defect], findings: list[Finding], options: argparse.Namespace
) -> None:
    """Collect the findings and print each when it is there."""
    from heapyard.corpus import compile_corpus  # noqa: PLC0415
    from heapyard.corpus.run import judge_defects  # noqa: PLC0415

    style = style_for(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="heapyard-corpus-") as folder:
        library = compile_corpus(Path(folder))
        print(corpus_table.heading(style, all_rules=options.all), flush=True)
        progress = Progress(sys.stderr, "defects")
        progress.expect(len(defects))
        try:
            for finding in judge_defects(
                library,
                defects,
                workers=options.n,
                all_rules=options.all,
                started=lambda defect: progress.started(f"[{defect}]"),
            ):
                findings.append(finding)
                progress.finished(f"[{finding.defect}]", failed=not finding.is_caught)
                with progress.paused():
                    for line in corpus_table.row(finding, style):
                        print(line, flush=True)
        except BrokenProcessPool as error:
            raise HeapyardError(f"a worker could not go on ({error}); try -n 0") from None
        finally:
            progress.close()


def _show_answer(findings: Sequence[Finding], seconds: float, expected: int) -> None:
    print()
    for line in corpus_table.closing(findings, seconds, style_for(sys.stdout), expected=expected):
        print(line)
