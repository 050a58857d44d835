"""`heapyard replay`: run one saved plan again, and show the call that broke it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heapyard._defendants import is_builtin
from heapyard._native.build import use_build
from heapyard.cli._parser import FAILED, PASSED, UsageError, add_library, add_loading
from heapyard.errors import HeapyardError
from heapyard.report.style import style_for
from heapyard.report.terminal import plural
from heapyard.trial.recording import is_recording

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from heapyard.cli._parser import Verbs
    from heapyard.report.style import Style
    from heapyard.trial import Outcome, Plan, Target
    from heapyard.trial.packed import PackedPlan

__all__ = ["add", "run"]

_DESCRIPTION = """\
Run a plan that `heapyard check` saved, or the calls that `heapyard record` recorded, in a child
process, and show what happened.

Without TARGET a plan runs on the target that it was saved for, a recording on libc. The calls of a
recording's threads run one after the other, and each block's contents are verified. Where the
target has no aligned_alloc, memalign and so on, a recording's calls of these become malloc."""

_CONTEXT = 12
"""Calls shown before the one that went wrong."""

_SECONDS_A_RECORDING = 600.0
_MEMORY = 2 << 30


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser("replay", help="run a saved plan again", description=_DESCRIPTION)
    parser.add_argument("plan", metavar="PLAN", help="a plan's JSON file, or a recording")
    parser.add_argument("target", metavar="TARGET", nargs="?", help="another target to run it on")
    parser.add_argument(
        "--c", action="store_true", help="print a C program that shows the failure by itself"
    )
    parser.add_argument("-o", metavar="FILE", help="write the C program there")
    add_loading(parser)
    add_library(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the plan; answers FAILED where it shows a failure."""
    from heapyard.trial import run_plan  # noqa: PLC0415

    if options.lib:
        use_build(options.lib)
    if options.o and not options.c:
        raise UsageError("-o goes with --c: it names the file of the C program")
    if options.c and is_recording(Path(options.plan)):
        raise UsageError(f"{options.plan} is a recording: --c prints a plan that check saved")
    if is_recording(Path(options.plan)):
        return _run_recording(Path(options.plan), options)
    plan = _read(Path(options.plan))
    typed = options.target or plan.header.origin.get("target", "")
    target = _resolve(typed, plan, options)
    if options.c:
        return _write_c(plan, target, options)
    return _show(plan, typed, run_plan(target, plan), options)


def _write_c(plan: Plan, target: Target, options: argparse.Namespace) -> int:
    """Run it to know what fails, and print the C program for that, or for all that it checks."""
    from heapyard.reproducer import (  # noqa: PLC0415
        Failure,
        NoProgramError,
        c_program,
        command_of,
    )
    from heapyard.trial import run_plan  # noqa: PLC0415

    outcome = run_plan(target, plan)
    if outcome.status == "refused":
        raise HeapyardError(f"{target.typed} can't run {options.plan}: {outcome.seen}")
    file = options.o or "repro.c"
    try:
        text = c_program(plan, Failure.of(outcome, rule=plan.name), target, file=file)
    except NoProgramError as error:
        raise HeapyardError(f"no C program of {options.plan}: {error}") from None
    if options.o:
        Path(options.o).write_text(text, encoding="utf-8")
        print(f"{options.o}: {command_of(target, shlex.quote(options.o))}")
    else:
        print(text, end="")
    return PASSED


def _run_recording(path: Path, options: argparse.Namespace) -> int:
    from heapyard.trial import resolve_target, run_plan  # noqa: PLC0415
    from heapyard.trial.packed import PackedPlan  # noqa: PLC0415
    from heapyard.trial.recording import load_recording, read_recording  # noqa: PLC0415

    typed = options.target or "libc"
    target = (
        resolve_target(typed)
        if is_builtin(typed)
        else resolve_target(typed, prefix=options.prefix, mode=options.mode)
    )
    plan = PackedPlan(load_recording(path), path.name)
    if plan.functions - target.capabilities.functions:
        plan = PackedPlan(load_recording(path, plain=True), path.name)
    memory = _MEMORY + 4 * read_recording(path).peak_bytes
    outcome = run_plan(target, plan, time_limit=_SECONDS_A_RECORDING, memory_limit=memory)
    return _show(plan, typed, outcome, options)


def _show(
    plan: Plan | PackedPlan, typed: str, outcome: Outcome, options: argparse.Namespace
) -> int:
    if outcome.status == "refused":
        raise HeapyardError(f"{typed} can't run {options.plan}: {outcome.seen or outcome.expected}")
    for line in _lines(plan, typed, outcome, style_for(sys.stdout)):
        print(line)
    return PASSED if outcome.held else FAILED


def _read(path: Path) -> Plan:
    from heapyard.trial import Plan  # noqa: PLC0415

    if path.is_char_device() or path.is_block_device():
        raise UsageError(f"can't read {path}: a device; name a saved plan")
    try:
        return Plan.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}; name a saved plan") from None
    except UnicodeDecodeError:
        raise UsageError(f"can't read {path}: not text; name a saved plan") from None
    except HeapyardError as error:
        raise UsageError(f"can't read {path}: {error}") from None


def _resolve(typed: str, plan: Plan, options: argparse.Namespace) -> Target:
    from heapyard.trial import resolve_target  # noqa: PLC0415

    if not typed:
        raise UsageError(f"{options.plan} names no target: add one after it")
    if is_builtin(typed):
        return resolve_target(typed)
    origin = {} if options.target else plan.header.origin
    prefix = options.prefix or origin.get("prefix", "")
    mode = options.mode if options.mode != "auto" else origin.get("mode", "auto")
    return resolve_target(typed, prefix=prefix, mode=mode)


def _lines(plan: Plan | PackedPlan, typed: str, outcome: Outcome, style: Style) -> Iterator[str]:
    name = style(plan.name or "plan", "bold")
    yield f"{name} on {style(typed, 'bold')}, {plural(len(plan), 'call')}"
    if outcome.held:
        yield f"  {style('held', 'green', 'bold')}: {outcome.operations} operations"
        return
    yield from _calls(plan, outcome.op, style)
    yield f"  {style(outcome.headline, 'red', 'bold')}"
    for label, text in (("expected", outcome.expected), ("seen", outcome.seen)):
        if text:
            yield f"  {style(f'{label:<8}', 'dim')} {text}"


def _calls(plan: Plan | PackedPlan, op: int | None, style: Style) -> Iterator[str]:
    """The calls up to the one that went wrong, which is marked."""
    last = len(plan) - 1 if op is None else op
    first = max(0, last - _CONTEXT)
    if first:
        yield f"        {style(f'({first} calls before)', 'dim')}"
    for number, call in enumerate(plan.calls[first : last + 1], first):
        line = f"{number:>6}  {call}"
        yield style(f"> {line[2:]}", "bold") if number == op else line
