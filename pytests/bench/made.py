"""Made-up samples, targets and reports: for what needs no allocator."""

from heapyard.bench import (
    BenchPlan,
    BenchReport,
    BenchTarget,
    PlanReport,
    Row,
    Sample,
    Settings,
    Trouble,
)
from heapyard.trial import Capabilities, Target

MIB = 1 << 20


def sample(pair: float = 10.0, *, peak: int = 3 * MIB, final: int = MIB) -> Sample:
    """A run of 1,000 pairs that took so many nanoseconds each."""
    return Sample(
        nanoseconds=int(pair * 1100),
        cpu_nanoseconds=int(pair * 1000),
        operations=2000,
        calls=2000,
        faults=7,
        live_peak=2 * MIB,
        peak=peak,
        final=final,
        trimmed=None,
        sized=False,
    )


def target(name: str) -> BenchTarget:
    capabilities = Capabilities(name=name, functions=frozenset({"malloc", "free"}))
    made = Target(typed=name, mode="builtin", program=("true",), capabilities=capabilities)
    return BenchTarget(typed=name, name=name, target=made)


def plan(name: str = "churn") -> BenchPlan:
    return BenchPlan(name=name)


def row(name: str, *pairs: float) -> Row:
    return Row(name, tuple(sample(each) for each in pairs))


def crashed(name: str) -> Row:
    return Row(name, (), Trouble("crashed (SIGSEGV)"))


def report(*rows: Row, title: str = "churn, 10 live, 8-512 B") -> BenchReport:
    """Of one plan."""
    return BenchReport(
        version="0.1.0",
        machine="a machine",
        settings=Settings(),
        targets=tuple(target(each.target) for each in rows),
        plans=(PlanReport(name="churn", title=title, rows=rows),),
    )
