"""Session after session, until the time is over, and what was found in them."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from heapyard.fuzz.find import Find, first_signature, investigate
from heapyard.fuzz.request import Request
from heapyard.fuzz.session import SECONDS, Session, run_session
from heapyard.trial.checks import Check
from heapyard.trial.targets import Target, TargetError

__all__ = ["Campaign", "Tally"]

PLANS = 512
"""Plans of one session: about a million operations."""

MOST_ALIKE = 3
"""So many failures that look alike at first are shortened, to see whether they are the same."""

MOST_HITS = 8
"""After so many failures of a kind that harms nothing else, that is no longer looked for."""

MOST_IN_VAIN = 40
"""After so many failures in a row that were known already, the campaign ends."""

_HARMLESS = ("errno", "return_code", "refuse", "memptr", "usable", "null", "align")


@dataclass
class Tally:
    """How far a campaign is."""

    plans: int = 0
    operations: int = 0
    nanoseconds: int = 0
    """Processor time of the sessions that ended by themselves."""
    counted: int = 0
    """Operations of these."""
    failures: int = 0
    """Plans that did not hold, known ones too."""
    in_vain: int = 0
    """The last so many of them were known."""
    dropped: list[str] = field(default_factory=list)
    """Kinds of failure that are no longer looked for."""

    @property
    def speed(self) -> float:
        """Verified operations a second of processor time, drawing them included."""
        return self.counted / self.nanoseconds * 1e9 if self.nanoseconds else 0.0


class Campaign:
    """The random plans of one seed on one target.

    The same seed gives the same plans, and on a target that is deterministic the same finds: the
    sessions' bounds do not hang on time.
    """

    def __init__(self, target: Target, *, seed: int = 0) -> None:
        self.target = target
        self.seed = seed
        self.tally = Tally()
        self._checks = Check.DEFAULT
        self._alike: Counter[tuple[str, ...]] = Counter()
        self._kinds: Counter[str] = Counter()
        self._known: set[tuple[str, ...]] = set()

    @property
    def is_futile(self) -> bool:
        """Whether only known failures come any more."""
        return self.tally.in_vain >= MOST_IN_VAIN

    def run(
        self, *, plans: int | None = None, seconds: float | None = None
    ) -> Iterator[Find | None]:
        """Yield each find, and None after a session without one, until its bounds are reached."""
        ends = None if seconds is None else time.monotonic() + seconds
        while not self.is_futile:
            left = PLANS if plans is None else min(PLANS, plans - self.tally.plans)
            if left <= 0 or (ends is not None and time.monotonic() >= ends):
                return
            yield self._session(left)

    def _session(self, count: int) -> Find | None:
        request = Request.of(
            self.target,
            seed=self.seed,
            first=self.tally.plans,
            count=count,
            checks=self._checks,
        )
        session = run_session(self.target, request, seconds=SECONDS)
        self._count(request, session)
        if session.outcome.held:
            return None
        if session.outcome.status == "refused":
            raise TargetError(f"{self.target.typed} can't be fuzzed: {session.outcome.seen}")
        return self._judge(request, session)

    def _count(self, request: Request, session: Session) -> None:
        tally = self.tally
        tally.plans += request.count if session.outcome.held else session.number - request.first + 1
        tally.operations += session.operations
        if session.nanoseconds:
            tally.nanoseconds += session.nanoseconds
            tally.counted += session.operations

    def _judge(self, request: Request, session: Session) -> Find | None:
        """A find, if it is one that was not there before."""
        tally, outcome = self.tally, session.outcome
        tally.failures += 1
        tally.in_vain += 1
        self._note_kind(outcome.kind)
        alike = first_signature(outcome)
        self._alike[alike] += 1
        if self._alike[alike] > MOST_ALIKE:
            return None
        find = investigate(self.target, request, session)
        if find.signature in self._known:
            return None
        self._known.add(find.signature)
        tally.in_vain = 0
        return find

    def _note_kind(self, kind: str) -> None:
        self._kinds[kind] += 1
        if kind in _HARMLESS and self._kinds[kind] == MOST_HITS:
            self._checks &= ~Check.of([kind])
            self.tally.dropped.append(kind)
