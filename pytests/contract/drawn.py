"""Plans that Hypothesis draws: whole in this process, run in a child, the failure raised here.

A crash or a hang of the allocator is then a failing example like any other, which Hypothesis
shrinks; nothing is saved between runs, and the seed is the rule's.
"""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from heapyard.rules import Trial
from heapyard.trial import Plan
from heapyard.trial.strategies import leaving_no_folder, plans

__all__ = ["falsify"]

CALLS = frozenset({"malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign"})


class _FalsifiedError(Exception):
    """The plan drawn last does not hold."""


def falsify(trial: Trial, *, examples: int) -> Plan | None:
    """The shortest plan found that does not hold on the target, or None."""
    failing: list[Plan] = []

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
        if not trial.run(plan).held:
            failing.append(plan)
            raise _FalsifiedError

    try:
        with leaving_no_folder():
            search()
    except _FalsifiedError:
        return failing[-1]
    return None
