"""HY-LOAD: a process can have the library at all."""

from __future__ import annotations

from heapyard.rules import MUST, NotApplicable, Trial, rule
from heapyard.trial import Outcome


@rule("HY-LOAD-01", level=MUST, source="dlopen(3), LD_PRELOAD in ld.so(8)", needs={"malloc"})
def test_a_process_lives_that_loads_it(trial: Trial) -> None:
    """A process that loads the library goes on, and can allocate and free.

    Its constructors return: they neither crash, exit, hang, nor eat memory without bound, and
    leave the process what two calls need. Where they do not, no other rule can be asked, and this
    one says why.
    """
    why = trial.target.unloadable
    if why:
        died = Outcome(status="violation", kind="load", operation="loading", seen=why)
        trial.fail("a process that goes on when it loads the library", why, outcome=died)
    plan = trial.plan()
    block = plan.malloc(16)
    if trial.target.capabilities.has("free"):
        plan.free(block)
    try:
        trial.holds(plan)
    except NotApplicable as refusal:  # the program that was there before it gets nothing
        died = Outcome(status="violation", kind="load", operation="loading", seen=str(refusal))
        trial.fail("a process that goes on when it loads the library", str(refusal), outcome=died)
