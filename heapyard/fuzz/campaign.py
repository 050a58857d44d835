"""Session after session, until the time is over, and what was found in them."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from heapyard.fuzz.find import Find, failing_plan, first_signature, investigate, is_open
from heapyard.fuzz.request import OMIT_ENDINGS, OMIT_NO_BYTES, Request
from heapyard.fuzz.session import STILL, Session, run_session
from heapyard.trial.checks import Check
from heapyard.trial.outcome import Outcome
from heapyard.trial.plan import Plan
from heapyard.trial.targets import Target, TargetError

__all__ = ["Campaign", "Tally", "can_have_threads"]

PLANS = 512
"""Plans of one session: about a million operations."""

FIRST = 64
"""Plans of the first session; each after it has twice as many, up to a whole one."""

LONG = 8.0
"""Seconds that a session should not take."""

THREADED = 64
"""Of them, so many have threads; where all have, a session has no more."""

THREADS = 8
"""So many a plan has at most, where nothing is said."""

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
    left_out: list[str] = field(default_factory=list)
    """What is no longer asked for."""

    threaded_nanoseconds: int = 0
    threaded_counted: int = 0
    """The same of sessions with threads."""

    @property
    def speed(self) -> float:
        """Verified operations a second of processor time in plans of one thread, drawn ones."""
        return self.counted / self.nanoseconds * 1e9 if self.nanoseconds else 0.0

    @property
    def threaded_speed(self) -> float:
        """The same in plans with threads, of all of them together."""
        time = self.threaded_nanoseconds
        return self.threaded_counted / time * 1e9 if time else 0.0


def can_have_threads(target: Target) -> bool:
    """Whether several threads may call it at once."""
    return target.capabilities.has("threads") and target.capabilities.has("free")


class Campaign:
    """The random plans of one seed on one target.

    The same seed gives the same plans, and on a target that is deterministic the same finds: the
    sessions' bounds do not hang on time.
    """

    def __init__(
        self,
        target: Target,
        *,
        seed: int = 0,
        threads: int | None = None,
        checks: Check = Check.DEFAULT,
        omits: int = 0,
    ) -> None:
        """`threads`: 1, or how many each plan has at most; None: some plans have some.

        `omits`: what no plan asks for.
        """
        self.target = target
        self.seed = seed
        self.threads = threads if can_have_threads(target) else 1
        self.tally = Tally()
        self._checks = checks
        self._omits = omits
        self._most = FIRST
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
            left = PLANS if plans is None else plans - self.tally.plans
            if left <= 0 or (ends is not None and time.monotonic() >= ends):
                return
            failed = self._session(left)
            yield None if failed is None else self._judge(*failed)

    def failing_plans(self, *, plans: int) -> Iterator[Plan | None]:
        """Each plan that does not hold, as it was drawn; None after a session without one."""
        while self.tally.plans < plans and not self.is_futile:
            failed = self._session(plans - self.tally.plans)
            if failed is not None:
                self.tally.in_vain += 1
            yield None if failed is None else failing_plan(self.target, *failed)

    def _stretch(self) -> tuple[int, int]:
        """How many plans are to come of one kind, and how many threads they have."""
        at = self.tally.plans % PLANS
        if self.threads == 1:
            return PLANS - at, 1
        if self.threads is not None:
            return THREADED - at % THREADED, self.threads
        if FIRST <= at < FIRST + THREADED:
            return FIRST + THREADED - at, THREADS
        return (FIRST if at < FIRST else PLANS) - at, 1

    def _session(self, left: int) -> tuple[Request, Session] | None:
        """Run one; the request and what came of it, where that did not hold."""
        count, threads = self._stretch()
        request = Request.of(
            self.target,
            seed=self.seed,
            first=self.tally.plans,
            count=min(count, left, self._most),
            checks=self._checks,
            threads=threads,
            omits=self._omits,
        )
        session = run_session(self.target, request, still=STILL)
        self._adapt(session)
        self._count(request, session)
        if session.outcome.held:
            return None
        if session.outcome.status == "refused":
            raise TargetError(f"{self.target.typed} can't be fuzzed: {session.outcome.seen}")
        return request, session

    def _adapt(self, session: Session) -> None:
        """Longer sessions, so long as the target is not slow."""
        if session.outcome.seconds > LONG:
            self._most = max(1, self._most // 4)
        elif session.outcome.seconds < LONG / 4 and session.outcome.held:
            self._most = min(2 * self._most, PLANS)

    def _count(self, request: Request, session: Session) -> None:
        tally = self.tally
        tally.plans += request.count if session.outcome.held else session.number - request.first + 1
        tally.operations += session.operations
        if session.nanoseconds and request.threads > 1:
            tally.threaded_nanoseconds += session.nanoseconds
            tally.threaded_counted += session.operations
        elif session.nanoseconds:
            tally.nanoseconds += session.nanoseconds
            tally.counted += session.operations

    def _judge(self, request: Request, session: Session) -> Find | None:
        """A find, if it is one that was not there before."""
        tally, outcome = self.tally, session.outcome
        tally.failures += 1
        tally.in_vain += 1
        self._note(outcome)
        alike = first_signature(outcome)
        self._alike[alike] += 1
        if self._alike[alike] > MOST_ALIKE:
            return None
        find = investigate(self.target, request, session)
        if find.signature in self._known:
            return None
        self._known.add(find.signature)
        tally.in_vain = 0
        self._note_endings(find)
        return find

    def _note_endings(self, find: Find) -> None:
        """What goes wrong when a thread ends comes in many forms: one of them is told."""
        calls = () if find.plan is None else find.plan.calls
        if any(call.name == "in_destructor" for call in calls):
            self._omits |= OMIT_ENDINGS
            self.tally.left_out.append("calls in destructors of threads")

    def _note(self, outcome: Outcome) -> None:
        if is_open(outcome):
            self._omits |= OMIT_NO_BYTES
            return
        kind = outcome.kind
        self._kinds[kind] += 1
        if kind in _HARMLESS and self._kinds[kind] == MOST_HITS:
            self._checks &= ~Check.of([kind])
            self.tally.dropped.append(kind)
