"""In which order targets run, and what becomes of one that fails."""

from heapyard.bench import BenchPlan, BenchTarget, Sample, Settings, Trouble, run_bench
from pytests.bench.made import plan, sample, target

Ran = list[tuple[str, str]]


class Fake:
    """Runs nothing; notes the order. `bad` fails in its second round."""

    def __init__(self) -> None:
        self.ran: Ran = []

    def __call__(self, target: BenchTarget, plan: BenchPlan, _packed: bytes) -> Sample | Trouble:
        self.ran.append((plan.name, target.name))
        times = self.ran.count((plan.name, target.name))
        if target.name == "bad" and times == 2:
            return Trouble("crashed (SIGSEGV)")
        return sample(float(times))


NAMES = ("libc", "bad", "floor")


def test_every_round_runs_each_target_once_and_begins_with_another() -> None:
    fake = Fake()
    run_bench(
        [target(name) for name in ("a", "b", "floor")], [plan()], Settings(rounds=4), runner=fake
    )
    order = [name for _, name in fake.ran]
    rounds = [order[at : at + 3] for at in range(0, 12, 3)]
    assert rounds == [
        ["a", "b", "floor"],
        ["b", "floor", "a"],
        ["floor", "a", "b"],
        ["a", "b", "floor"],
    ]


def test_a_plan_is_over_before_the_next_begins() -> None:
    fake = Fake()
    plans = [plan("lifo"), plan("churn")]
    run_bench([target("a"), target("floor")], plans, Settings(rounds=3), runner=fake)
    assert [name for name, _ in fake.ran] == ["lifo"] * 6 + ["churn"] * 6


def test_what_fails_is_not_run_again_on_that_plan_and_the_others_are() -> None:
    fake = Fake()
    plans = [plan("lifo"), plan("churn")]
    report = run_bench([target(name) for name in NAMES], plans, Settings(rounds=3), runner=fake)
    assert fake.ran.count(("lifo", "bad")) == fake.ran.count(("churn", "bad")) == 2
    assert fake.ran.count(("lifo", "floor")) == 3
    libc, bad, floor = report.plans[0].rows
    assert bad.trouble == Trouble("crashed (SIGSEGV)")
    assert bad.samples == ()
    assert len(libc.samples) == len(floor.samples) == 3


def test_samples_stand_in_the_order_of_rounds() -> None:
    report = run_bench([target("a"), target("floor")], [plan()], Settings(rounds=3), runner=Fake())
    assert report.plans[0].rows[0].pairs == [1.0, 2.0, 3.0]


def test_who_watches_is_told_of_each_run() -> None:
    told: list[str] = []
    targets = [target("a"), target("floor")]
    run_bench(targets, [plan()], Settings(rounds=2), runner=Fake(), watch=told.append)
    assert told == [
        "churn on a, round 1 of 2",
        "churn on floor, round 1 of 2",
        "churn on floor, round 2 of 2",
        "churn on a, round 2 of 2",
    ]


def test_each_plan_is_shown_before_the_next_begins() -> None:
    events: list[str] = []
    run_bench(
        [target("a"), target("floor")],
        [plan("lifo"), plan("churn")],
        Settings(rounds=1),
        runner=Fake(),
        watch=lambda text: events.append(text.split()[0]),
        show=lambda report: events.append(f"shown {report.name}"),
    )
    assert events == ["lifo", "lifo", "shown lifo", "churn", "churn", "shown churn"]


def test_instructions_are_counted_once_and_not_of_what_failed() -> None:
    counted: list[str] = []

    def count(target: BenchTarget, plan: BenchPlan, _settings: Settings) -> float:
        counted.append(f"{plan.name} {target.name}")
        return 40.0

    report = run_bench(
        [target(name) for name in NAMES],
        [plan()],
        Settings(rounds=3),
        runner=Fake(),
        counter=count,
    )
    assert counted == ["churn libc", "churn floor"]
    assert [row.instructions for row in report.plans[0].rows] == [40.0, None, 40.0]
