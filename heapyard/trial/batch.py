"""Many plans in one child: each in a fork of it, until one fails in the way that is looked for."""

import signal
import struct
from collections.abc import Sequence

from heapyard.trial.checks import Check
from heapyard.trial.child import Limits, run_child
from heapyard.trial.outcome import Outcome
from heapyard.trial.plan import Plan
from heapyard.trial.run import ADDRESS_SPACE, is_sanitized
from heapyard.trial.targets import Target

__all__ = ["can_run_batches", "first_failing"]

_HEAD = struct.Struct("<8sIIQQ")
_MAGIC = b"HYBATC1\0"
_SCHEMA = "heapyard.batch/1"
_WANTED = {"violation": 0, "crash": 1, "hang": 2, "exit": 3}


def can_run_batches(target: Target, outcome: Outcome) -> bool:
    """Whether the child of this target is the native runner, and the failure one that it knows."""
    return outcome.status in _WANTED and not target.typed.startswith("python:")


def first_failing(
    target: Target,
    plans: Sequence[Plan],
    *,
    outcome: Outcome,
    time_limit: float,
    seconds: float,
) -> int | None:
    """The index of the first plan that fails as `outcome` does; None: none, or it went wrong.

    Each plan gets `time_limit` seconds, all of them `seconds`.
    """
    bound = None if is_sanitized() else ADDRESS_SPACE
    ended = run_child(
        lambda files: target.command(files, address_space=bound),
        target.environment,
        plan=_request(plans, outcome, time_limit),
        limits=Limits(seconds=seconds + time_limit, memory=8 << 30),
    )
    index = (ended.answer(_SCHEMA) or {}).get("index")
    return index if isinstance(index, int) else None


def _request(plans: Sequence[Plan], outcome: Outcome, time_limit: float) -> bytes:
    data = [plan.to_bytes() for plan in plans]
    sizes = struct.pack(f"<{len(data)}Q", *(len(each) for each in data))
    head = _HEAD.pack(
        _MAGIC, _WANTED[outcome.status], _kind(outcome), len(data), int(time_limit * 1000)
    )
    return head + sizes + b"".join(each.ljust(-(-len(each) // 8) * 8, b"\0") for each in data)


def _kind(outcome: Outcome) -> int:
    if outcome.status == "violation":
        return Check.of([outcome.kind]).value
    if outcome.status == "crash":
        try:
            return int(signal.Signals[outcome.signal])
        except KeyError:
            return int(outcome.signal.removeprefix("signal ") or 0)
    return 0
