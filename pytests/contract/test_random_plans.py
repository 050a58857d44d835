"""HY-FUZZ: random plans against the model, plans drawn by Hypothesis, and libc as a reference."""

from heapyard.contract.differential import libc_answers
from heapyard.contract.drawn import falsify
from heapyard.contract.drawn_in_c import first_failing
from heapyard.contract.grids import KIB, MIB
from heapyard.contract.mixes import MODEL, Mix, extend
from heapyard.rules import MUST, SHOULD, Trial, rule
from heapyard.trial import Check

SOURCE = "C17 7.22.3: each of its promises, in any order of calls"


@rule("HY-FUZZ-01", level=MUST, source=SOURCE, needs={"free", "realloc"}, seconds=60)
def test_random_calls_agree_with_the_model(trial: Trial) -> None:
    """Random calls do what a model of them says.

    Four runs of 6,000 calls on at most 400 live blocks of up to 64 KiB: malloc, calloc, realloc,
    free, and writes in between. Every result is verified: alignment, overlap, contents, zeroing,
    usable size.
    """
    weights = {"malloc": 30, "calloc": 8, "realloc": 25, "free": 25, "write": 4, "usable_size": 2}
    _random_runs(trial, Mix(weights, largest=64 * KIB, live=400), runs=4, calls=6000)


@rule("HY-FUZZ-04", level=MUST, source=SOURCE, needs={"free", "memalign"}, seconds=60)
def test_random_aligned_calls_agree_with_the_model(trial: Trial) -> None:
    """Random calls, most of them aligned, do what a model of them says.

    Three runs of 5,000 calls; alignments from 16 to 4,096 bytes.
    """
    weights = {"malloc": 8, "memalign": 20, "posix_memalign": 15, "aligned_alloc": 15,
               "realloc": 6, "free": 40, "usable_size": 2}  # fmt: skip
    _random_runs(trial, Mix(weights, largest=16 * KIB, live=300), runs=3, calls=5000)


@rule("HY-FUZZ-05", level=MUST, source=SOURCE, needs={"free", "calloc"}, seconds=60)
def test_random_zeroed_calls_agree_with_the_model(trial: Trial) -> None:
    """Random calls, most of them calloc, do what a model of them says.

    Three runs of 5,000 calls, with reallocarray and malloc_trim in between, up to 1 MiB.
    """
    weights = {"malloc": 10, "calloc": 45, "reallocarray": 8, "free": 45, "trim": 1, "write": 2}
    _random_runs(trial, Mix(weights, largest=MIB, live=120), runs=3, calls=5000)


def _random_runs(trial: Trial, mix: Mix, *, runs: int, calls: int) -> None:
    for _ in range(runs):
        plan = trial.plan(MODEL, weak_alignment=True)
        extend(trial, plan, mix, calls)
        trial.holds(plan)


@rule("HY-FUZZ-02", level=MUST, source=SOURCE, needs={"free", "realloc"}, seconds=60)
def test_plans_drawn_by_hypothesis_agree_with_the_model(trial: Trial) -> None:
    """Short plans, drawn whole by Hypothesis and run in a child, do what a model of them says.

    Sixty plans of up to 60 calls. What fails is shrunk by Hypothesis first.
    """
    failing = falsify(trial, examples=60)
    if failing is not None:
        plan, outcome = failing
        trial.holds(plan)
        trial.fail(
            outcome.expected, f"{outcome.seen}, but not each time", plan=plan, outcome=outcome
        )


@rule(
    "HY-FUZZ-03",
    level=SHOULD,
    source="glibc manual 3.2; the behaviour that programs on this platform were written for",
    bug="jemalloc 5.2.0: posix_memalign of zero bytes went wrong",
)
def test_corner_cases_are_answered_as_by_libc(trial: Trial) -> None:
    """Corner cases succeed and fail as they do on this machine's libc, with the same errno.

    Requests of zero bytes, sizes and products too large, sums that wrap, by every entry point.
    Alignments that the standards leave open are not asked for.
    """
    has = trial.target.capabilities.has
    plan = trial.plan(Check.NULL | Check.REFUSE | Check.ERRNO | Check.RETURN_CODE)
    for question, answer in libc_answers():
        if has(question.name):
            question.ask(plan, answer if has("errno") else answer.without_errno())
    trial.holds(plan)


@rule("HY-FUZZ-06", level=MUST, source=SOURCE, needs={"free", "realloc"}, seconds=60)
def test_long_histories_agree_with_the_model(trial: Trial) -> None:
    """Thousands of calls after each other, in the same process, do what a model of them says.

    1,536 plans, as `heapyard fuzz` draws them, some five million calls, in sessions of up to 512:
    what only shows after hundreds of particular calls, a counter that wraps, a list that overflows.
    Verified are places and contents.
    """
    failing = first_failing(trial, plans=1536, threads=1)
    if failing is not None:
        trial.holds(failing)


@rule("HY-FUZZ-07", level=MUST, source=SOURCE, needs={"free", "realloc", "threads"}, seconds=60)
def test_random_calls_of_threads_agree_with_the_model(trial: Trial) -> None:
    """Random calls of several threads, some of them at once, do what a model of them says.

    256 plans of two to eight threads: blocks handed over, freed and resized by other threads,
    threads that end while their blocks live. Verified are places and contents.
    """
    failing = first_failing(trial, plans=256, threads=8)
    if failing is not None:
        trial.holds(failing)
