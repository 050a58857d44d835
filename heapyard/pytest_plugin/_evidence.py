"""Gather what the page shows of a verdict: the failing plan is run once more, and traced."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from heapyard.errors import HeapyardError
from heapyard.report.evidence import Block, Evidence, Fault, MemoryPoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from heapyard.rules import RuleViolation, Trial
    from heapyard.trial import Outcome, Plan, Sample, Target, Trace

__all__ = ["of_failure", "of_trial"]

_CALLS_BEFORE, _CALLS_AFTER = 12, 3
_EVENTS = 1000
_BLOCKS = 250
_SAMPLES = 160
_SECONDS = 3.0
_PROGRAM = 12_000
"""Characters of a C program; a longer one is left to its file."""


def of_trial(trial: Trial) -> Evidence:
    """Of a rule that was run: its texts, and memory over time if it measured any."""
    return Evidence(
        about=trial.rule.text, bug=trial.rule.bug, memory=_memory(trial.longest_samples)
    )


def of_failure(
    trial: Trial, error: RuleViolation, target: Target, program: Path | None
) -> Evidence:
    """Of one that failed: the calls of its plan too, and the heap while they ran."""
    plain = replace(of_trial(trial), program=_text(program))
    plan = error.plan
    if plan is None:
        return plain
    outcome = _run_again(target, plan, error.outcome)
    trace = outcome.trace if outcome else None
    failing = error.outcome.op if error.outcome else None
    first, last = _around(failing, len(plan))
    return replace(
        plain,
        calls=tuple(str(call) for call in plan.calls[first:last]),
        first_call=first,
        failing_call=failing,
        call_count=len(plan),
        blocks=_blocks(trace),
        fault=_fault(outcome, trace),
        blocks_dropped=trace.dropped if trace else 0,
        memory=plain.memory or (_memory(trace.samples) if trace else ()),
    )


def _text(program: Path | None) -> str:
    if program is None:
        return ""
    with contextlib.suppress(OSError):
        text = program.read_text(encoding="utf-8")
        return text if len(text) <= _PROGRAM else ""
    return ""


def _around(failing: int | None, count: int) -> tuple[int, int]:
    """The first and the last call to show."""
    middle = count if failing is None else failing
    first = max(0, middle - _CALLS_BEFORE)
    return first, min(count, middle + _CALLS_AFTER + 1)


def _run_again(target: Target, plan: Plan, before: Outcome | None) -> Outcome | None:
    """The same run, traced; None where it can't be, or a hang would have to be waited for."""
    from heapyard.trial import Room, run_plan  # noqa: PLC0415

    if before is not None and before.status == "hang":
        return None
    room = Room(events=_EVENTS, samples=_SAMPLES)
    try:
        return run_plan(target, plan, time_limit=_SECONDS, trace=room)
    except HeapyardError:
        return None


def _blocks(trace: Trace | None) -> tuple[Block, ...]:
    """Each block with its time; those that came before the first event kept are as old as it."""
    if trace is None or not trace.events:
        return ()
    began = trace.events[0].step
    living: dict[int, Block] = {}
    found: list[Block] = []
    for event in trace.events:
        if event.has_come:
            living[event.slot] = Block(event.step, None, event.address, event.size)
            continue
        block = living.pop(event.slot, Block(began, None, event.address, event.size))
        found.append(block._replace(went=event.step))
    found.extend(living.values())
    latest = sorted(found, key=lambda block: (block.went is None, block.went or 0))[-_BLOCKS:]
    return tuple(sorted(latest, key=lambda block: block.came))


def _fault(outcome: Outcome | None, trace: Trace | None) -> Fault | None:
    if outcome is None or trace is None or outcome.held:
        return None
    op = trace.ops if outcome.op is None else outcome.op
    address = int(outcome.address, 16) if outcome.address else 0
    step = outcome.round * (trace.ops + 1) + op
    return Fault(step, outcome.kind or outcome.status, address, outcome.size or 0)


def _memory(samples: Sequence[Sample]) -> tuple[MemoryPoint, ...]:
    return tuple(MemoryPoint(s.step, s.live, s.resident, s.mapped) for s in samples)
