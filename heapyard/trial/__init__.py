"""Put an allocator on trial: build plans, find targets, run plans in children, shrink failures.

plan = Plan("first", checks=Check.OVERLAP)
plan.malloc(100)
outcome = run_plan(resolve_target("libc"), plan)
assert outcome.held
"""

from heapyard.trial.capabilities import Capabilities
from heapyard.trial.checks import Check
from heapyard.trial.drawing import random_plan
from heapyard.trial.header import PTRDIFF_MAX, SIZE_MAX, PlanError
from heapyard.trial.operations import OPERATIONS, Call, Operation, OsCalls
from heapyard.trial.outcome import Figure, Outcome
from heapyard.trial.plan import Plan, Slot
from heapyard.trial.resolve import FoundTarget, list_targets, resolve_target
from heapyard.trial.run import run_plan
from heapyard.trial.shrink import shrink_plan
from heapyard.trial.slots import Slots
from heapyard.trial.targets import Target, TargetError
from heapyard.trial.trace import Event, Room, Sample, Trace

__all__ = [
    "OPERATIONS",
    "PTRDIFF_MAX",
    "SIZE_MAX",
    "Call",
    "Capabilities",
    "Check",
    "Event",
    "Figure",
    "FoundTarget",
    "Operation",
    "OsCalls",
    "Outcome",
    "Plan",
    "PlanError",
    "Room",
    "Sample",
    "Slot",
    "Slots",
    "Target",
    "TargetError",
    "Trace",
    "list_targets",
    "random_plan",
    "resolve_target",
    "run_plan",
    "shrink_plan",
]
