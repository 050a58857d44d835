"""What came of one plan on one target."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from heapyard.trial.trace import Trace

__all__ = ["Figure", "Outcome", "Status"]

Status = Literal["held", "violation", "crash", "hang", "runaway", "exit", "refused"]
"""
held        everything that the plan demands was so
violation   a check failed: `kind` says which
crash       a signal ended the child: `signal`
hang        the time limit passed, or the child stopped itself
runaway     the memory limit passed
exit        the child ended without an answer: exit(), or its descriptors were closed
refused     the plan could not run on this target: a function is missing, it can't be loaded
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value of a run."""

    name: str
    value: int
    unit: str
    op: int = 0
    """Index of the call that noted it."""
    round: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The answer of `run_plan`. Texts are for people: short, with values, without a newline."""

    status: Status
    kind: str = ""
    """For a violation the check's name ("overlap"); for a refusal its cause ("load", "symbol",
    "plan", "memory", "machine"); for a crash the signal's name; for a hang "slow" where calls went
    on until its time was over. Else empty."""
    op: int | None = None
    """Index of the call where it happened; None before the first call or after the last."""
    round: int = 0
    """Which repetition of the plan, from 0."""
    operation: str = ""
    """The call as text; "loading" before the first one, "ending" after the last one."""
    slot: int | None = None
    size: int | None = None
    address: str = ""
    expected: str = ""
    seen: str = ""
    signal: str = ""
    """The signal's name ("SIGSEGV"), for a crash."""
    exit_code: int | None = None
    """The exit status, for status "exit"."""
    figures: tuple[Figure, ...] = ()
    """What `measure` noted, in order."""
    operations: int = 0
    """How many operations the engine did, over all rounds."""
    nanoseconds: int = 0
    """The engine's own time for them, by the clock."""
    cpu_nanoseconds: int = 0
    """The same in processor time."""
    seconds: float = 0.0
    """Wall time of the child, its start included."""
    stdout: str = ""
    """The last 4 KiB that the child printed."""
    stderr: str = ""
    trace: Trace | None = field(default=None, repr=False, compare=False)
    """What the run did, where that was asked for."""

    @property
    def held(self) -> bool:
        """Whether the target did all that the plan demands."""
        return self.status == "held"

    @property
    def signature(self) -> tuple[str, str]:
        """What makes two failures the same one: status and kind."""
        return self.status, self.kind

    def values(self, name: str) -> tuple[int, ...]:
        """The figures of one name, in the order in which they were noted."""
        return tuple(figure.value for figure in self.figures if figure.name == name)

    @property
    def headline(self) -> str:
        """One line: what happened, and where."""
        what = f"{self.status}: {self.kind}" if self.kind else self.status
        if self.held:
            return f"{what}: {self.operations} operations"
        where = "" if self.op is None else f"call {self.op}, "
        return f"{what} at {where}{self.operation}" if self.operation else f"{what}: {self.seen}"

    def __str__(self) -> str:
        """The headline, then what was expected and what was seen."""
        lines = [self.headline]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.seen:
            lines.append(f"  seen:     {self.seen}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the fields that say nothing."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del fields["trace"]
        fields["figures"] = [asdict(figure) for figure in self.figures]
        return {name: value for name, value in fields.items() if value not in (None, "", [])}
