"""Plans that Hypothesis draws: whole in this process, run in a child, the failure raised here.

A crash or a hang of the allocator is then a failing example like any other, which Hypothesis
shrinks; nothing is saved between runs, and the seed is the rule's.
"""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Flaky

from heapyard.rules import Trial
from heapyard.trial import Outcome, Plan
from heapyard.trial.strategies import leaving_no_folder, plans

__all__ = ["falsify"]

CALLS = frozenset({"malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign"})


class _FalsifiedError(Exception):
    """The plan drawn last does not hold."""


def falsify(trial: Trial, *, examples: int) -> tuple[Plan, Outcome] | None:
    """The shortest plan found that does not hold on the target, and what it came to, or None."""
    failing: list[tuple[Plan, Outcome]] = []

    @seeded(trial.seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(plans(CALLS & trial.target.capabilities.functions, calls=60))
    def search(drawn: Plan) -> None:
        plan = drawn.with_settings(name=trial.rule.id, seed=trial.seed)
        outcome = trial.run(plan)
        if not outcome.held:
            failing.append((plan, outcome))
            raise _FalsifiedError

    try:
        with leaving_no_folder():
            search()
    except (_FalsifiedError, Flaky):  # flaky: the same plan does not fail each time
        return failing[-1]
    return None
