"""Plans that Hypothesis draws: whole in this process, run in a child, the failure raised here.

A crash or a hang of the allocator is then a failing example like any other, which Hypothesis
shrinks; nothing is saved between runs, and the seed is the rule's.
"""

from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from heapyard.contract.grids import KIB, PAGE
from heapyard.contract.mixes import MODEL
from heapyard.rules import Trial
from heapyard.trial import Plan, Slot

__all__ = ["falsify"]

Drawn = tuple[str, int, int, int]
"""A call: name, place (0 to 7), alignment, size."""

_SIZES = st.one_of(
    st.integers(1, 80),
    st.sampled_from((16, 64, 256, 512, 1024, PAGE, 32 * KIB, 128 * KIB)),
    st.integers(1, 300 * KIB),
)
_ALIGNMENTS = st.sampled_from((16, 32, 64, 256, PAGE))


class _Falsified(Exception):  # noqa: N818  (a finding, not an error of this package)
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
    @given(_lists_of_calls(trial))
    def search(calls: list[Drawn]) -> None:
        plan = _build(trial, calls)
        if not trial.run(plan).held:
            failing.append(plan)
            raise _Falsified

    try:
        search()
    except _Falsified:
        return failing[-1]
    return None


def _lists_of_calls(trial: Trial) -> st.SearchStrategy[list[Drawn]]:
    has = trial.target.capabilities.has
    names = ["malloc", "realloc", "free"]
    names += [name for name in ("calloc", "posix_memalign") if has(name)]
    call = st.tuples(st.sampled_from(names), st.integers(0, 7), _ALIGNMENTS, _SIZES)
    return st.lists(call, min_size=1, max_size=40)


def _build(trial: Trial, calls: Sequence[Drawn]) -> Plan:
    """The plan of these calls: a place that holds a block is freed before it gets another."""
    plan = trial.plan(MODEL, weak_alignment=True)
    places: dict[int, Slot] = {}
    for name, place, alignment, size in calls:
        if name == "realloc" and place in places:
            plan.realloc(places[place], size)
            continue
        if place in places:
            plan.free(places.pop(place))
        if name != "free":
            places[place] = _create(plan, name, alignment, size)
    return plan


def _create(plan: Plan, name: str, alignment: int, size: int) -> Slot:
    if name == "calloc":
        return plan.calloc(1, size)
    if name == "realloc":
        return plan.realloc(None, size)
    if name == "posix_memalign":
        return plan.posix_memalign(alignment, size)
    return plan.malloc(size)
