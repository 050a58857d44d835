"""One run of one plan on one target, in a fresh child."""

import os
from dataclasses import dataclass
from typing import Any

from heapyard.bench.plans import BenchPlan
from heapyard.bench.settings import Settings
from heapyard.trial import Target, TargetError
from heapyard.trial.child import Descriptors, Ended, Limits, run_child
from heapyard.trial.signals import ending, signal_name

__all__ = ["Sample", "Trouble", "read_answer", "run_once"]

_SCHEMA = "heapyard.bench-run/1"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What one run measured. Memory in bytes."""

    nanoseconds: int
    """By the clock."""
    cpu_nanoseconds: int
    """Of processor time."""
    operations: int
    """Under the clock."""
    calls: int
    """Outside the clock too."""
    faults: int
    """Minor page faults, outside the clock too."""
    live_peak: int
    """The most that was asked for and live."""
    peak: int
    """Resident memory above that before the target was opened, at its highest."""
    final: int
    """The same after everything was freed."""
    trimmed: int | None
    """The same after the target's `trim`; None: it has none."""
    sized: bool
    """Whether blocks were freed with their size."""

    @property
    def pair(self) -> float:
        """Nanoseconds of processor time for two operations, a malloc and a free."""
        return 2 * self.cpu_nanoseconds / max(1, self.operations)


@dataclass(frozen=True)
class Trouble:
    """Why there is no figure: "crashed (SIGSEGV)"."""

    text: str


def run_once(
    target: Target, plan: BenchPlan, settings: Settings, packed: bytes
) -> Sample | Trouble:
    """Run it. `packed` is what `plan.load` answers.

    Raises TargetError where the child's own program does not start.
    """

    def command(files: Descriptors) -> list[str]:
        arguments = plan.arguments(settings, files.plan)
        return [*target.program, *arguments, "--result", str(files.result)]

    try:
        ended = run_child(
            command,
            target.environment,
            plan=packed,
            limits=Limits(seconds=settings.time_limit, memory=_memory_limit()),
        )
    except OSError as error:
        raise TargetError(
            f"{target.program[0]}: it does not start ({error.strerror}); build again"
        ) from error
    return _judge(ended)


def _memory_limit() -> int:
    """Bytes: three quarters of the machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4 * 3


def _judge(ended: Ended) -> Sample | Trouble:
    answer = read_answer(ended)
    if ended.reason == "itself" and os.WIFSIGNALED(ended.status):
        return Trouble(f"crashed ({signal_name(os.WTERMSIG(ended.status))})")
    if ended.reason != "itself" or ended.status != 0 or answer is None:
        return Trouble(ending(ended))
    if answer["status"] != "done":
        return Trouble(f"can't run: {answer['reason']}")
    return Sample(**{name: answer[name] for name in Sample.__dataclass_fields__})


def read_answer(ended: Ended) -> dict[str, Any] | None:
    """What the runner wrote; None where it did not come to that."""
    return ended.answer(_SCHEMA)
