"""An ordinary program whose malloc is the target: what comes of memory that crosses to the libc.

heapyard-swap (native/swap) runs one topic, step by step; where a step ends the process, what it
had written before tells which. A library with the plain names can take malloc's place.
"""

import os
from collections.abc import Mapping
from typing import Any

from heapyard._native.build import current_build
from heapyard.trial.child import Descriptors, Ended, Limits, run_child
from heapyard.trial.outcome import Outcome, Status
from heapyard.trial.signals import ending, last_words, signal_name
from heapyard.trial.targets import Target, TargetError

__all__ = ["replaced_environment", "run_swap", "why_not_replaceable"]

_SCHEMA = "heapyard.swap/1"


def why_not_replaceable(target: Target) -> str:
    """What keeps the target from being the malloc of a whole process; empty: nothing does."""
    if current_build().sanitizer:
        return "a sanitizer's runtime is the malloc of this build's programs"
    if target.typed == "libc":
        return ""
    if target.path is None or target.capabilities.table or target.prefix:
        return "it does not replace malloc"
    if any(mark in str(target.path) for mark in " :$"):
        return "LD_PRELOAD can't name its path"
    return ""


def replaced_environment(target: Target, *libraries: str) -> dict[str, str]:
    """The environment of a process whose malloc is the target, and that has these libraries."""
    environment = {k: v for k, v in target.environment.items() if k != "LD_PRELOAD"}
    named = [] if target.path is None else [str(target.path)]
    preloaded = " ".join([*named, *libraries])
    return {**environment, "LD_PRELOAD": preloaded} if preloaded else environment


def run_swap(
    target: Target,
    topic: str,
    *,
    preload: bool = True,
    libraries: tuple[str, ...] = (),
    time_limit: float = 20.0,
) -> Outcome:
    """Run one topic with the target as malloc; without `preload` only the library's path is given.

    `libraries`: what the program is to have from its start, as if it were linked with them.
    Raises TargetError where the program does not start.
    """
    program = str(current_build().swap)
    library = [] if target.path is None else [str(target.path)]

    def command(files: Descriptors) -> list[str]:
        return [program, topic, str(files.result), *library]

    environment = (
        replaced_environment(target, *libraries) if preload else _plain_environment(target)
    )
    try:
        ended = run_child(command, environment, limits=Limits(seconds=time_limit))
    except OSError as error:
        raise TargetError(
            f"{program}: it does not start ({error.strerror}); build again"
        ) from error
    return _judge(ended)


def _plain_environment(target: Target) -> Mapping[str, str]:
    """As any program has it: without the tunable that gives static TLS more room."""
    return {
        name: value
        for name, value in target.environment.items()
        if name not in ("LD_PRELOAD", "GLIBC_TUNABLES")
    }


def _judge(ended: Ended) -> Outcome:
    answer = ended.answer(_SCHEMA) or {}
    facts: dict[str, Any] = {
        "operation": answer.get("operation", "loading"),
        "seconds": ended.seconds,
        "stderr": ended.stderr.decode(errors="replace"),
    }
    clean = ended.reason == "itself" and ended.status == 0
    if not clean or answer.get("status") not in ("held", "violation", "refused"):
        return _died(ended, facts)
    if answer["status"] == "violation":
        return Outcome(
            status="violation",
            kind="swap",
            expected=answer.get("expected", ""),
            seen=answer.get("seen", ""),
            **facts,
        )
    return Outcome(status=answer["status"], seen=answer.get("reason", ""), **facts)


def _died(ended: Ended, facts: dict[str, Any]) -> Outcome:
    status: Status = "exit"
    if ended.reason != "itself":
        status = "runaway" if ended.reason == "memory" else "hang"
    elif os.WIFSIGNALED(ended.status):
        status = "crash"
        name = signal_name(os.WTERMSIG(ended.status))
        facts |= {"signal": name, "kind": name}
    seen = ending(ended) + last_words(facts["stderr"])
    return Outcome(status=status, expected="the program goes on", seen=seen, **facts)
