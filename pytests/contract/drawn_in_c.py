"""Plans that the engine draws itself, as `heapyard fuzz` runs them: session after session."""

from heapyard.contract.mixes import APART
from heapyard.fuzz import Campaign
from heapyard.fuzz.request import OMIT_ENDINGS, OMIT_NO_BYTES, OMIT_REFUSED
from heapyard.rules import Trial
from heapyard.trial import Check, Plan

__all__ = ["first_failing"]

PLACES = APART | Check.ZERO | Check.MAPPED | Check.NULL
OMITS = OMIT_ENDINGS | OMIT_NO_BYTES | OMIT_REFUSED


def first_failing(trial: Trial, *, plans: int, threads: int) -> Plan | None:
    """The first plan that does not hold, with what ran before it as far as it takes; or None.

    Verified are places and contents. Calls in destructors of threads, requests that can't be
    served, errno and alignment are left to the rules that ask for them.
    """
    campaign = Campaign(trial.target, seed=trial.seed, threads=threads, checks=PLACES, omits=OMITS)
    for failing in campaign.failing_plans(plans=plans):
        if failing is not None:
            return failing.with_settings(name=trial.rule.id)
    return None
