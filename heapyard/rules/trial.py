"""What a rule's body is given: it makes plans, runs them on one target, and says what must hold."""

from __future__ import annotations

import random
import time
from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from heapyard._tells import TELLS
from heapyard.rules.violation import NotApplicable, RuleViolation

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from heapyard.rules.definition import Rule
    from heapyard.rules.violation import Growth
    from heapyard.trial import Check, Outcome, Plan, Sample, Target

__all__ = ["FLAGS", "Trial"]

FLAGS = frozenset({"errno", "free", "realloc", "large", "release", "threads", *TELLS.values()})
"""What a rule may need beside entry points: that a failing call sets errno, that single blocks can
be freed or resized, blocks of 1 GiB, memory that can go back to the system, calls from several
threads, that misuse is told."""

PLAN_SECONDS = 10.0
"""How long one plan may run unless its rule says otherwise."""

HANGS_IN_FULL = 3
"""After so many plans of this process that hung on one target, its next ones get less time. Another
environment of the same library (a defect of the corpus, say) is another target; and what hangs
after misuse says nothing of plans without any."""

HANGING_SECONDS = 1.0
"""How long one plan may run on a target that has hung so often: most take a hundredth of it."""

SHRINK_SECONDS = 5.0
"""How long the shortest plan of one failure is looked for."""

ALL_SHRINKING_SECONDS = 40.0
"""The same for all failures of a process: where everything fails, short plans are no help."""

MEMORY_SAMPLES = 160
"""Of one plan, where memory is watched."""

HANG_AGAIN_SECONDS = 2.0
"""How long a shortened plan must run to count as hanging; the whole one had all its time."""


class Trial:
    """One rule's run on one target.

    All that is random in a rule comes from `random` or `seed`, which follow from the run's seed
    and the rule's id alone: the same seed gives the same plans, on every target.
    """

    _shrinking_left: ClassVar[float] = ALL_SHRINKING_SECONDS
    _hangs: ClassVar[Counter[Hashable]] = Counter()

    def __init__(
        self, rule: Rule, target: Target, *, seed: int = 0, watches_memory: bool = False
    ) -> None:
        self.rule = rule
        self.target = target
        self.watches_memory = watches_memory
        """Whether plans that measure memory are traced: `longest_samples` is then what was seen."""
        self.seed = derive_seed(seed, rule.id)
        self.random = random.Random(self.seed)  # noqa: S311
        self.figures: list[dict[str, Any]] = []
        self.longest_samples: tuple[Sample, ...] = ()
        self._ends = time.monotonic() + rule.seconds

    def __repr__(self) -> str:
        return f"<Trial of {self.target.name} by {self.rule.id}>"

    def plan(self, checks: Check | None = None, **options: Any) -> Plan:
        """Start a plan named after the rule, which verifies only `checks` (none given: default).

        `options` are those of `Plan`: alignment, weak_alignment, repeat, reuse_slots.
        """
        from heapyard.trial import Plan  # noqa: PLC0415  (declaring a rule needs no engine)

        if checks is not None:
            options["checks"] = checks
        options.setdefault("seed", self.seed)
        options.setdefault("name", self.rule.id)
        return Plan(**options)

    def run(self, plan: Plan, *, time_limit: float = PLAN_SECONDS, **options: Any) -> Outcome:
        """Run the plan in a child and answer what happened; the rule judges it.

        Raises NotApplicable where the target lacks one of the plan's functions, or the machine the
        memory for it or the means to watch or count calls. On a target that has hung HANGS_IN_FULL
        times, a plan has HANGING_SECONDS.
        """
        from heapyard.trial import Room, run_plan  # noqa: PLC0415

        self._require(plan)
        wanted = self._patience(plan, time_limit)
        limit = self._limit(wanted)
        if self.watches_memory and _measures_memory(plan):
            options.setdefault("trace", Room(events=1, samples=MEMORY_SAMPLES))
        outcome = run_plan(self.target, plan, time_limit=limit, **options)
        self._note_memory(outcome)
        if outcome.status == "hang":
            if limit < min(wanted, self.rule.seconds / 2):
                self._overrun()
            Trial._hangs[self._kind_of(plan)] += 1
        if outcome.signal == "SIGSYS" and _watches_system_calls(plan):
            raise NotApplicable(
                "the target keeps SIGSYS from the engine: its calls can't be made to fail"
            )
        if outcome.status == "refused":
            _explain_refusal(plan, outcome)
        if outcome.held and _figures_of(plan) - {figure.name for figure in outcome.figures}:
            raise _engine_harmed("what the plan measured is gone", plan, outcome)
        return outcome

    def holds(self, plan: Plan, *, time_limit: float = PLAN_SECONDS, **options: Any) -> Outcome:
        """Run the plan; whatever it finds, a crash or a hang too, is a RuleViolation.

        The violation carries the shortest plan found that shows the same. Answers the outcome, for
        its figures.
        """
        outcome = self.run(plan, time_limit=time_limit, **options)
        if not outcome.held:
            raise self._violation(plan, outcome, min(time_limit, self.rule.seconds))
        return outcome

    def fail(  # noqa: PLR0913
        self,
        expected: str,
        seen: str = "",
        *,
        plan: Plan | None = None,
        growth: Growth | None = None,
        outcome: Outcome | None = None,
        topic: str = "",
    ) -> NoReturn:
        """Say that the rule is broken, where it follows from what `run` answered.

        `growth`: what a measurement of the plan exceeds, so that a C program can show it too.
        `outcome`: what the plan came to, where that is what is wrong. `topic`: what heapyard-swap
        did, where there was no plan.
        """
        place = "" if outcome is None else _place(outcome)
        raise RuleViolation(
            expected,
            seen,
            operation=place,
            plan=plan,
            outcome=outcome,
            growth=growth,
            topic=topic,
        )

    def figure(
        self,
        name: str,
        value: float,
        *,
        unit: str = "",
        better: str | None = None,
        **words: str,
    ) -> None:
        """Record a figure. Those of PROFILE rules are their verdict; the first is the table's.

        `unit`: "bytes", "ns", "us" and "s" are shown in whatever of their kind suits a row; "x",
        "%", "calls" and so on stand as they are. `better`: which target the table marks as the
        best: "less", "more", or empty for none; default: less. Where the value is a place on a
        scale (0 is worst), `word` says it, reports show that, and more is better. Any other words
        go into the JSON report.
        """
        wanted = ("more" if "word" in words else "less") if better is None else better
        figure = {"name": name, "value": value, "unit": unit, "better": wanted, **words}
        self.figures.append(figure)

    def missing(self) -> list[str]:
        """What the rule needs and the target lacks, in order of name."""
        if self.target.unloadable and self.rule.group != "LOAD":
            return ["a library that can be loaded"]
        return missing_needs(self.rule.needs, self.target)

    def _note_memory(self, outcome: Outcome) -> None:
        """Keep the samples of the plan that had the most memory live."""
        seen = outcome.trace.samples if outcome.trace else ()
        if _most_live(seen) > _most_live(self.longest_samples):
            self.longest_samples = seen

    def _require(self, plan: Plan) -> None:
        lacking = missing_needs(plan.functions, self.target)
        if lacking:
            raise NotApplicable(f"needs {', '.join(lacking)}")

    def _patience(self, plan: Plan, wanted: float) -> float:
        """`wanted`, or less where the target is known to hang."""
        return min(wanted, HANGING_SECONDS) if self._is_known_to_hang(plan) else wanted

    def _is_known_to_hang(self, plan: Plan) -> bool:
        return Trial._hangs[self._kind_of(plan)] >= HANGS_IN_FULL

    def _kind_of(self, plan: Plan) -> tuple[Hashable, bool]:
        """Plans whose hangs are counted together."""
        return (self.target.identity, plan.misuses)

    def _limit(self, wanted: float) -> float:
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            self._overrun()
        return min(wanted, remaining)

    def _overrun(self) -> NoReturn:
        """It is not the plan that hangs: those before it took the rule's time."""
        raise RuleViolation(
            f"the rule done within {self.rule.seconds:g} s", "it was still running plans"
        )

    def _violation(self, plan: Plan, outcome: Outcome, limit: float) -> RuleViolation:
        idle = outcome.status == "hang" and self._is_known_to_hang(plan)
        if Trial._shrinking_left > 0 and not idle:
            began = time.monotonic()
            plan, outcome = self._shortened(plan, outcome, limit)
            Trial._shrinking_left -= time.monotonic() - began
        return RuleViolation(
            outcome.expected,
            outcome.seen,
            operation=_place(outcome),
            plan=plan,
            outcome=outcome,
        )

    def _shortened(self, plan: Plan, outcome: Outcome, limit: float) -> tuple[Plan, Outcome]:
        """Shrink; keep the short plan only where it still shows the same."""
        from heapyard.trial import run_plan, shrink_plan  # noqa: PLC0415

        shortest = shrink_plan(self.target, plan, outcome, seconds=SHRINK_SECONDS)
        if outcome.status == "hang":
            limit = min(limit, HANG_AGAIN_SECONDS)
        again = run_plan(self.target, shortest, time_limit=limit)
        return (shortest, again) if again.signature == outcome.signature else (plan, outcome)


def _measures_memory(plan: Plan) -> bool:
    return any(call.operation.name == "measure" for call in plan.calls)


def _is_a_plan(plan: Plan) -> bool:
    """Whether the plan runs on a sound target: what refused it then is not in the plan."""
    from heapyard.trial import resolve_target, run_plan  # noqa: PLC0415

    return run_plan(resolve_target("libc"), plan).status != "refused"


def _explain_refusal(plan: Plan, outcome: Outcome) -> NoReturn:
    from heapyard.trial import PlanError  # noqa: PLC0415

    if outcome.kind in ("symbol", "memory", "machine"):
        raise NotApplicable(outcome.seen or outcome.expected)
    if outcome.kind == "plan" and _is_a_plan(plan):
        raise _engine_harmed(f"the plan reads as {outcome.seen!r}", plan, outcome)
    raise PlanError(f"the plan could not run ({outcome.kind}): {outcome.seen}")


def _engine_harmed(seen: str, plan: Plan, outcome: Outcome) -> RuleViolation:
    return RuleViolation(
        "the engine's memory and files are its own",
        f"the target took or changed them: {seen}",
        operation=_place(outcome),
        plan=plan,
        outcome=outcome,
    )


def _figures_of(plan: Plan) -> set[str]:
    """What the plan measures, in any case once."""
    from heapyard.trial.operations import FIGURES  # noqa: PLC0415

    return {FIGURES[call.size] for call in plan.calls if call.name == "measure"}


def _most_live(samples: Sequence[Sample]) -> int:
    return max((sample.live for sample in samples), default=-1)


def _watches_system_calls(plan: Plan) -> bool:
    return any(call.name in ("fail_os", "count_os") for call in plan.calls)


def _place(outcome: Outcome) -> str:
    """The call at which it happened, numbered as `heapyard replay` shows it."""
    call = "" if outcome.op is None else f"call {outcome.op}: "
    again = f", in round {outcome.round}" if outcome.round else ""
    return f"{call}{outcome.operation}{again}"


def derive_seed(seed: int, identity: str) -> int:
    """The 64-bit seed of one rule in the run with `seed`."""
    return int.from_bytes(blake2b(f"{seed}:{identity}".encode(), digest_size=8).digest(), "little")


def missing_needs(needs: frozenset[str] | set[str], target: Target) -> list[str]:
    """Those of `needs` that the target lacks, in order of name."""
    return sorted(need for need in needs if not target.capabilities.has(need))
