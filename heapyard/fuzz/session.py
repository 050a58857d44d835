"""One session: a child that runs plan after plan of a request, until one does not hold."""

from dataclasses import dataclass

from heapyard.fuzz.request import Request
from heapyard.trial.child import Ended, Limits, run_child
from heapyard.trial.outcome import Outcome
from heapyard.trial.packed import PackedPlan
from heapyard.trial.run import ADDRESS_SPACE, is_sanitized, judge
from heapyard.trial.targets import Target

__all__ = ["Session", "run_session"]

SECONDS = 600.0
"""Of wall time, for targets that are very slow."""

STILL = 5.0
"""Seconds in which no call returns: it hangs."""

MEMORY = 4 << 30
"""Bytes of resident memory that are growth without end: no plan asks for a tenth."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """What came of a session."""

    operations: int
    """Done and verified, over all its plans."""
    nanoseconds: int
    """Of processor time, for them alone; 0 where the child did not live to say."""
    number: int
    """Of the plan that ran last."""
    outcome: Outcome
    """Of that plan; held: all of them did."""


def run_session(target: Target, request: Request, *, still: float = STILL) -> Session:
    """Run it in a fresh child."""
    bound = None if is_sanitized() else ADDRESS_SPACE
    ended = run_child(
        lambda files: target.command(files, address_space=bound),
        target.environment,
        plan=request.to_bytes(),
        limits=Limits(seconds=SECONDS, memory=MEMORY, still=still),
    )
    outcome, number = _judged(request, ended)
    return Session(
        operations=max(outcome.operations, ended.progress.operations),
        nanoseconds=outcome.cpu_nanoseconds,
        number=number,
        outcome=outcome,
    )


def _judged(request: Request, ended: Ended) -> tuple[Outcome, int]:
    """The outcome, told with the plan that ran last."""
    number = ended.progress.round
    if not request.first <= number < request.first + request.count:
        number = request.first  # it died before the first plan, or the page was overwritten
    outcome = judge(_Unread(), ended)
    if outcome.held or outcome.status == "refused":
        return outcome, number
    return judge(request.draw(number), ended), number


class _Unread(PackedPlan):
    """Stands for a plan that nobody needs to see, since it held."""

    def __init__(self) -> None:
        pass

    calls = ()

    def __len__(self) -> int:
        return 0
