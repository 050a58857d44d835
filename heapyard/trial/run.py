"""Running a plan on a target, in a child of its own, whatever the target does to it."""

import os
from collections.abc import Mapping
from typing import Any

from heapyard._native.build import current_build
from heapyard.trial.child import Ended, Limits, run_child
from heapyard.trial.operations import BY_NAME
from heapyard.trial.outcome import Figure, Outcome, Status
from heapyard.trial.packed import PackedPlan
from heapyard.trial.plan import Plan
from heapyard.trial.signals import ending, is_slow, last_words, signal_name
from heapyard.trial.targets import Target, TargetError
from heapyard.trial.trace import Room, Trace

__all__ = ["run_plan"]

ADDRESS_SPACE = 1 << 46
"""64 TiB: half of what a process can have, several times what the greediest allocator reserves."""

_SCHEMA = "heapyard.run/1"
_EARLY = BY_NAME["early"].code


def run_plan(  # noqa: PLR0913
    target: Target,
    plan: Plan | PackedPlan,
    *,
    time_limit: float = 10.0,
    memory_limit: int = 2 << 30,
    address_space: int | None = ADDRESS_SPACE,
    trace: Room | None = None,
) -> Outcome:
    """Run one plan in a fresh child and say what came of it. Nothing of the child stays behind.

    `time_limit` is in seconds of wall time (then: hang), `memory_limit` in bytes of resident memory
    (then: runaway). `address_space` (RLIMIT_AS of the child, in bytes; None: no limit) makes the
    kernel refuse mappings past it; sanitizers need all of it, so their builds set no limit.
    `trace`: keep so much of what the run does, as the outcome's `trace`; not of python:* targets.
    Raises PlanError for a plan that can't be packed, and TargetError where the child's own program
    does not start; all else is an Outcome.
    """
    missing = plan.functions - target.capabilities.functions
    if missing:
        return _refusal(target, missing)
    bound = None if is_sanitized() else address_space
    try:
        ended = run_child(
            lambda files: target.command(files, address_space=bound),
            environment_for(target, plan),
            plan=plan.to_bytes(),
            limits=Limits(seconds=time_limit, memory=memory_limit),
            trace=trace.empty() if trace is not None and target.can_be_traced else b"",
        )
    except OSError as error:
        raise TargetError(
            f"{target.program[0]}: it does not start ({error.strerror}); build again"
        ) from error
    return judge(plan, ended)


def environment_for(target: Target, plan: Plan | PackedPlan) -> Mapping[str, str]:
    """What a child of this plan inherits: blocks from before main need a library of ours."""
    if _EARLY not in plan.codes or current_build().sanitizer:
        return target.environment  # a sanitizer's runtime must be the first library of all
    libraries = [] if target.path is None else [str(target.path)]
    libraries.append(str(current_build().libheapyard_trial))
    added = {"LD_PRELOAD": " ".join(libraries), "HEAPYARD_EARLY": "1"}
    return {**target.environment, **added}


def is_sanitized() -> bool:
    build = current_build()
    return build.has_sanitizer("address") or build.has_sanitizer("thread")


def _refusal(target: Target, missing: frozenset[str]) -> Outcome:
    names = ", ".join(sorted(missing))
    return Outcome(status="refused", kind="symbol", seen=f"{target.name} has no {names}")


def judge(plan: Plan | PackedPlan, ended: Ended) -> Outcome:
    """The outcome of a child that has ended."""
    answer = ended.answer(_SCHEMA)
    facts = _place(plan, ended) | {
        "seconds": ended.seconds,
        "stdout": ended.stdout.decode(errors="replace"),
        "stderr": ended.stderr.decode(errors="replace"),
        "trace": Trace.read(ended.trace) if ended.trace else None,
    }
    if ended.reason != "itself" or ended.status != 0 or answer is None:
        return _broken(ended, facts)
    try:
        return _answered(plan, answer, facts)
    except (LookupError, TypeError, ValueError):  # no words of the engine's
        return _broken(ended, facts)


def _place(plan: Plan | PackedPlan, ended: Ended) -> dict[str, Any]:
    """Where the child was, from its state file."""
    op = ended.progress.op
    inside = op is not None and op < len(plan)
    return {
        "op": op if inside else None,
        "round": ended.progress.round,
        "operation": _text(plan, op),
        "operations": ended.progress.operations,
    }


def _text(plan: Plan | PackedPlan, op: int | None) -> str:
    if op is None:
        return "loading"
    if op < len(plan):
        return str(plan.calls[op])
    return "ending" if op == len(plan) else "unknown: the progress was overwritten"


def _broken(ended: Ended, facts: dict[str, Any]) -> Outcome:
    """The child did not answer, or did not end as one that has."""
    status: Status = "exit"
    seen = ending(ended)
    if ended.reason != "itself":
        status = "runaway" if ended.reason == "memory" else "hang"
        facts["kind"] = "slow" if is_slow(ended) else ""
    elif os.WIFSIGNALED(ended.status):
        status = "crash"
        name = signal_name(os.WTERMSIG(ended.status))
        facts |= {"signal": name, "kind": name}
    else:
        facts["exit_code"] = os.WEXITSTATUS(ended.status)
        seen += ", no result" if not ended.result else ""
    seen += last_words(facts["stderr"])
    return Outcome(status=status, expected="the call returns", seen=seen, **facts)


def _answered(plan: Plan | PackedPlan, answer: dict[str, Any], facts: dict[str, Any]) -> Outcome:
    """The engine's own answer."""
    facts = facts | {
        "figures": tuple(
            Figure(**{name: figure[name] for name in Figure.__dataclass_fields__})
            for figure in answer["figures"]
        ),
        "operations": answer.get("operations", 0),
        "nanoseconds": answer.get("nanoseconds", 0),
        "cpu_nanoseconds": answer.get("cpu_nanoseconds", 0),
    }
    if answer["status"] == "held":
        return Outcome(status="held", **facts | {"op": None, "operation": ""})
    if answer["status"] == "refused":
        return Outcome(
            status="refused",
            kind=answer.get("cause", ""),
            seen=answer.get("reason", ""),
            **facts,
        )
    facts = facts | {name: answer[name] for name in ("round", "slot", "size")}
    op = answer["op"]
    facts |= {"op": op if op is not None and op < len(plan) else None, "operation": _text(plan, op)}
    return Outcome(
        status="violation",
        kind=answer["kind"],
        address=answer.get("address", ""),
        expected=answer.get("expected", ""),
        seen=answer.get("seen", ""),
        **facts,
    )
