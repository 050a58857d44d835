"""Put an allocator on trial: build plans, find targets, run plans in children, shrink failures.

plan = Plan("first", checks=Check.OVERLAP)
plan.malloc(100)
outcome = run_plan(resolve_target("libc"), plan)
assert outcome.held
"""

from heapyard.trial.checks import Check
from heapyard.trial.header import PTRDIFF_MAX, SIZE_MAX, PlanError
from heapyard.trial.operations import OPERATIONS, Call, Operation
from heapyard.trial.plan import Plan, Slot

__all__ = [
    "OPERATIONS",
    "PTRDIFF_MAX",
    "SIZE_MAX",
    "Call",
    "Check",
    "Operation",
    "Plan",
    "PlanError",
    "Slot",
]
