"""`heapyard fuzz`: random plans on one target, for as long as one likes."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard._defendants import resolve_targets
from heapyard._native.build import use_build
from heapyard.cli._live import LiveLine
from heapyard.cli._parser import (
    FAILED,
    INTERRUPTED,
    PASSED,
    UsageError,
    add_library,
    add_loading,
    whole_number,
)
from heapyard.report.style import style_for
from heapyard.report.terminal import plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from heapyard.cli._parser import Verbs
    from heapyard.fuzz import Campaign, Find, Tally
    from heapyard.report.style import Style
    from heapyard.trial import Target

__all__ = ["add", "run"]

_DESCRIPTION = """\
Run random plans on one target and verify every call: contents, overlap, alignment, zeroing, errno.

Each plan draws its own mix of calls, sizes, alignments and lifetimes. What fails is shortened,
saved as a plan and as a C program, and told once: finds that are the same count as one. The same
seed gives the same plans."""

_EPILOG = """\
examples:
  heapyard fuzz ./libmine.so                     one minute
  heapyard fuzz ./libmine.so --minutes 60 --save finds
  heapyard fuzz libc --plans 100000 --seed 7

exit codes: 0 nothing found, 1 a MUST was, 2 could not run, 130 interrupted without a find"""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "fuzz", help="run random plans on one", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument("target", metavar="TARGET", help="a shared library, or a name")
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=_minutes,
        help="how long to go on (default: 1, where --plans is not given)",
    )
    parser.add_argument(
        "--plans",
        metavar="N",
        type=whole_number(1, 1 << 62, "at least 1"),
        help="how many plans to run",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=whole_number(0, (1 << 64) - 1, "0 to 2**64 - 1"),
        help="the same seed gives the same plans (default: another one each time)",
    )
    parser.add_argument(
        "--threads",
        metavar="N",
        type=whole_number(1, 16, "1 to 16"),
        help="how many threads a plan has at most; 1: no threads (default: a mix, up to 8)",
    )
    parser.add_argument(
        "--save",
        metavar="DIR",
        default=".heapyard/finds",
        help="where plans and C programs of finds go (default: .heapyard/finds)",
    )
    add_loading(parser)
    add_library(parser)
    parser.set_defaults(run=run)


def _minutes(text: str) -> float:
    import argparse  # noqa: PLC0415

    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of minutes above 0")
    return value


def run(options: argparse.Namespace) -> int:
    """Fuzz until the time or the plans are used up; answers the exit code."""
    from heapyard.fuzz import Campaign  # noqa: PLC0415
    from heapyard.fuzz.campaign import can_have_threads  # noqa: PLC0415

    if Path(options.save).exists() and not Path(options.save).is_dir():
        raise UsageError(f"--save {options.save} is a file: name a folder")
    if options.lib:
        use_build(options.lib)
    (defendant,) = resolve_targets([options.target], prefix=options.prefix, mode=options.mode)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    if (options.threads or 1) > 1 and not can_have_threads(defendant.target):
        raise UsageError(
            f"--threads {options.threads}: {options.target} does not say that threads may call it"
            " at once; leave the option out, or say 1"
        )
    campaign = Campaign(defendant.target, seed=seed, threads=options.threads)
    style = style_for(sys.stdout)
    print(f"heapyard fuzz {style(options.target, 'bold')}, seed {seed}", flush=True)
    finds, interrupted = _fuzz(campaign, defendant.target, options, style)
    for line in _closing(campaign, len(finds), style, interrupted=interrupted):
        print(line)
    if any(find.level == "MUST" for find in finds):
        return FAILED
    return INTERRUPTED if interrupted else PASSED


def _fuzz(
    campaign: Campaign, target: Target, options: argparse.Namespace, style: Style
) -> tuple[list[Find], bool]:
    """The finds, each shown and saved at once; and whether the user had enough."""
    seconds = None if options.minutes is None else options.minutes * 60
    if options.minutes is None and options.plans is None:
        seconds = 60.0
    finds: list[Find] = []
    started = time.monotonic()
    with LiveLine(sys.stderr) as live:
        try:
            for find in campaign.run(plans=options.plans, seconds=seconds):
                if find is not None:
                    finds.append(find)
                    live.clear()
                    for line in _told(find, target, options, style):
                        print(line, flush=True)
                elapsed = time.monotonic() - started
                live.show(f"{_progress(campaign.tally, elapsed)}, {plural(len(finds), 'find')}")
        except KeyboardInterrupt:
            return finds, True
    return finds, False


def _progress(tally: Tally, seconds: float) -> str:
    done = f"{tally.operations / 1e6:,.1f} M operations"
    speed = f"{tally.speed / 1e6:.1f} M/s"
    return f"{seconds:.0f} s, {plural(tally.plans, 'plan')}, {done} ({speed})"


def _told(find: Find, target: Target, options: argparse.Namespace, style: Style) -> Iterator[str]:
    from heapyard.fuzz.saving import save  # noqa: PLC0415

    outcome = find.outcome
    yield ""
    is_must = find.level == "MUST"
    yield style(outcome.headline, "red" if is_must else "yellow", "bold")
    if not is_must:
        yield "  SHOULD    POSIX leaves it open; what programs were written for serves it"
    if outcome.expected:
        yield f"  expected  {outcome.expected}"
    if outcome.seen:
        yield f"  seen      {outcome.seen}"
    if find.plan is None:
        yield f"  once only: plan {find.number} of seed {find.seed}; it did not fail again"
        return
    saved = save(find, Path(options.save), target)
    yield f"  after     {_length(find)}"
    if saved.plan is not None:
        yield f"  again     {style(saved.again, 'cyan')}"
    if saved.program is not None:
        yield f"  in C      {style(saved.command, 'cyan')}"
    yield from (f"            {line}".rstrip() for line in saved.listing.splitlines())


def _length(find: Find) -> str:
    from heapyard.trial.folding import written_length  # noqa: PLC0415

    assert find.plan is not None
    calls, written = len(find.plan), written_length(find.plan.calls)
    as_written = "" if written == calls else f", {plural(written, 'call')} as loops"
    threads = f" on {plural(find.threads, 'thread')}" if find.threads > 1 else ""
    repeat = find.plan.header.repeat
    rounds = f", {plural(repeat, 'round')}" if repeat > 1 else ""
    origin = f"plan {find.number} of seed {find.seed}"
    return f"{plural(calls, 'call')}{threads}{as_written}{rounds}; {origin}"


def _closing(campaign: Campaign, finds: int, style: Style, *, interrupted: bool) -> Iterator[str]:
    tally = campaign.tally
    yield ""
    if interrupted:
        yield style("interrupted", "yellow", "bold")
    if tally.dropped:
        yield f"seen {', '.join(tally.dropped)} so often that it was looked for no longer"
    if tally.left_out:
        yield f"asked for no longer after a find: {', '.join(tally.left_out)}"
    if campaign.is_futile:
        yield "ended early: the same failures again and again"
    colour = ("red", "bold") if finds else ("green", "bold")
    done = f"{plural(tally.plans, 'plan')}, {tally.operations:,} operations verified"
    known = f" in {plural(tally.failures, 'failure')}" if tally.failures else ""
    yield f"{style(plural(finds, 'find'), *colour)}{known}; {done}, seed {campaign.seed}"
    yield from _speeds(tally)


def _speeds(tally: Tally) -> Iterator[str]:
    one, several = tally.speed / 1e6, tally.threaded_speed / 1e6
    if one:
        yield f"{one:.1f} M operations a second of one core, drawing them included"
    if several:
        yield f"{several:.1f} M a second of processor time in plans with threads"
