"""The table of rules by targets: what stands in it, and that it fits the terminal."""

import pytest

from heapyard.report.columns import headings
from heapyard.report.result import Report, Result, TargetReport, Verdict
from heapyard.report.style import Style
from heapyard.report.terminal import closing, failures, format_figure, table
from heapyard.rules import MUST, PROFILE, SHOULD, Level

PLAIN = Style()
TITLE = "Every block that the target gives has the property that this rule is about"


def result(rule: str, verdict: Verdict, level: Level = MUST, **more: object) -> Result:
    facts = {"target": "t", "title": TITLE, "source": "C17"} | more
    return Result(rule=rule, level=level, verdict=verdict, **facts)  # type: ignore[arg-type]


def target(name: str, *results: Result) -> TargetReport:
    return TargetReport(
        target=name, name=name, path=None, mode="builtin", capabilities={}, results=results
    )


def report(*targets: TargetReport, **more: object) -> Report:
    facts = {"version": "1", "seed": 0, "seconds": 1.0} | more
    return Report(targets=targets, **facts)  # type: ignore[arg-type]


def lines(what: Report, *, width: int = 100, verbose: bool = False) -> list[str]:
    return list(table(what, style=PLAIN, width=width, verbose=verbose))


MIXED = report(
    target(
        "libc",
        result("HY-A-01", Verdict.PASS),
        result("HY-A-02", Verdict.FAIL, expected="a", seen="b"),
        result("HY-A-03", Verdict.SKIP),
        result("HY-B-01", Verdict.FAIL, SHOULD),
        result("HY-C-01", Verdict.FIGURE, PROFILE, figure={"name": "r", "value": 1.5, "unit": "x"}),
    ),
    target(
        "bump",
        result("HY-A-01", Verdict.SKIP),
        result("HY-A-02", Verdict.PASS),
        result("HY-A-03", Verdict.SKIP),
        result("HY-B-01", Verdict.PASS, SHOULD),
        result("HY-C-01", Verdict.FAIL, PROFILE),
    ),
)


def test_failures_stand_first_then_figures_then_groups() -> None:
    shown = [" ".join(line.split()).replace(TITLE, "...") for line in lines(MIXED) if line]
    assert shown == [
        "MUST failed by some libc bump",
        "HY-A-02 ... FAIL ok",
        "SHOULD failed by some libc bump",
        "HY-B-01 ... weak ok",
        "PROFILE failed by some libc bump",
        "HY-C-01 ... ok lost",
        "figures libc bump",
        "HY-C-01 x r 1.5 lost",
        "rules that hold libc bump",
        "A 3 MUST 1/2 1",
        "B 1 SHOULD 0/1 1",
        "all 3 MUST, 1 SHOULD 1/3 2",
    ]


def heads(what: Report) -> list[str]:
    return [line.rpartition("  ")[0].strip() for line in lines(what) if line and line[0] != " "]


def test_what_all_targets_fail_stands_apart_from_what_tells_them_apart() -> None:
    both = report(
        target("a", result("HY-A-01", Verdict.FAIL), result("HY-A-02", Verdict.FAIL)),
        target("b", result("HY-A-01", Verdict.FAIL), result("HY-A-02", Verdict.PASS)),
        target("c", result("HY-A-01", Verdict.SKIP), result("HY-A-02", Verdict.SKIP)),
    )
    shown = lines(both)
    first, second = (
        next(i for i, line in enumerate(shown) if f"HY-A-0{n}" in line) for n in (2, 1)
    )
    assert shown[first - 1].startswith("MUST failed by some")
    assert shown[second - 1].startswith("MUST failed by all")
    assert first < second


def test_one_target_is_not_compared() -> None:
    one = report(target("a", result("HY-A-01", Verdict.FAIL)))
    assert lines(one)[0].startswith("MUST failed  ")


def test_known_failures_stand_in_a_section_of_their_own() -> None:
    known = report(
        target(
            "a",
            result("HY-A-01", Verdict.FAIL, known=True),
            result("HY-A-02", Verdict.FAIL),
        )
    )
    assert [line.split()[-1] for line in lines(known) if "HY-A-0" in line] == ["FAIL", "known"]
    answer = next(iter(closing(known, style=PLAIN)))
    assert answer.startswith("1 new MUST failed, 1 known failure; ")
    assert not any("HY-A-01" in line for line in failures(known, style=PLAIN, width=80))


def test_verbose_shows_every_rule() -> None:
    shown = lines(MIXED, verbose=True)
    assert sum(line.startswith("  HY-A-0") for line in shown) == 4
    assert not any(line.startswith("  all ") for line in shown)
    assert sum("MUST, every rule" in line for line in shown) == 1


def test_a_group_that_no_target_can_be_asked_about_is_not_applicable() -> None:
    assert "n/a" in lines(report(target("libc", result("HY-A-01", Verdict.SKIP))))[1]


NAMES = ("libc", "libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4", "region:list")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("count", [1, 2, 5, 8, 20])
def test_no_line_is_wider_than_the_terminal(width: int, count: int) -> None:
    names = [*NAMES, "region:fast", "bump", "a/libmine.so", *map(str, range(100, 112))][:count]
    figure = {"name": "resident_after_all_is_freed", "value": 12345678, "unit": "bytes"}
    many = report(
        *(
            target(
                name,
                result("HY-REALLOC-02", Verdict.FAIL),
                result("HY-RSS-02", Verdict.FIGURE, PROFILE, figure=figure),
            )
            for name in names
        )
    )
    assert max(len(line) for line in lines(many, width=width)) < width


def test_where_names_do_not_fit_numbers_stand_for_them() -> None:
    many = report(*(target(name, result("HY-A-01", Verdict.FAIL)) for name in NAMES))
    shown = lines(many, width=60)
    assert [line.split() for line in shown[:5]] == [
        [str(number), name] for number, name in enumerate(NAMES, 1)
    ]
    assert shown[6].split() == ["MUST", "failed", "by", "all", "1", "2", "3", "4", "5"]


def test_where_numbers_do_not_fit_a_section_is_written_in_parts() -> None:
    many = report(*(target(str(n), result("HY-A-01", Verdict.FAIL)) for n in range(100, 120)))
    numbers = [
        word
        for line in lines(many, width=60)
        if line.startswith("MUST failed")
        for word in line.split()[4:]
    ]
    assert numbers == [str(number) for number in range(1, 21)]


def test_a_stump_of_a_sentence_is_left_out() -> None:
    many = report(*(target(name, result("HY-A-01", Verdict.FAIL)) for name in NAMES))
    row = next(line for line in lines(many, width=50) if "HY-A-01" in line)
    assert row.split() == ["HY-A-01", *["FAIL"] * 5]


def figure(value: object, **more: object) -> dict[str, object]:
    return {"name": "left_over", "value": value, "unit": "", "better": "less", **more}


def shown_figures(*figures: dict[str, object] | None) -> tuple[str, str, list[str]]:
    """Heading, label and cells of the one row."""
    what = report(
        *(
            target(
                str(n),
                result("HY-A-01", Verdict.FIGURE if each else Verdict.SKIP, PROFILE, figure=each),
            )
            for n, each in enumerate(figures)
        )
    )
    head, row = lines(what)[:2]
    return head, row[2:20].strip(), row.split()[-len(figures) :]


def test_figures_of_a_row_have_one_unit() -> None:
    _, label, cells = shown_figures(figure(5 << 20, unit="bytes"), figure(512 << 10, unit="bytes"))
    assert (label, cells) == ("HY-A-01      MiB", ["5", "*0.5"])


@pytest.mark.parametrize(("better", "best"), [("less", ["*1", "2"]), ("more", ["1", "*2"])])
def test_the_best_figure_has_a_star(better: str, best: list[str]) -> None:
    head, _, cells = shown_figures(figure(1, better=better), figure(2, better=better))
    assert cells == best
    assert "* best" in head


@pytest.mark.parametrize(
    "figures",
    [
        (figure(1), figure(1)),
        (figure(1),),
        (figure(1, better=""), figure(2, better="")),
        (figure(1), None),
        (figure(1), figure(1), figure(2)),
    ],
)
def test_no_figure_is_best_where_none_is_better(figures: tuple[dict[str, object] | None]) -> None:
    head, _, cells = shown_figures(*figures)
    assert "*" not in "".join(cells) + head


def test_a_place_on_a_scale_is_told_by_its_word() -> None:
    survives, dies = (
        figure(n, word=word, better="more") for n, word in enumerate(("lives", "dies"))
    )
    assert shown_figures(survives, dies)[2] == ["lives", "*dies"]


def test_figures_of_many_targets_keep_their_names_in_parts() -> None:
    words = {"word": "two owners", "better": "more"}
    one = {"name": "free_of_an_interior_pointer", "value": 0, "unit": "", **words}
    many = report(
        *(
            target(str(n), result("HY-MISUSE-01", Verdict.FIGURE, PROFILE, figure=one))
            for n in range(12)
        )
    )
    shown = [line for line in lines(many, width=80) if "HY-MISUSE-01" in line]
    assert len(shown) > 1
    assert all("free of an interior pointer" in line for line in shown)
    assert sum(line.count("two owners") for line in shown) == 12


def test_more_figures_of_a_rule_are_told_with_verbose() -> None:
    several = figure(1, more=[{"name": "second", "value": 7, "unit": "x"}])
    what = report(target("a", result("HY-A-01", Verdict.FIGURE, PROFILE, figure=several)))
    assert not any("second" in line for line in lines(what))
    assert any("second" in line and line.endswith("7") for line in lines(what, verbose=True))


def test_headings_are_the_names_that_people_say() -> None:
    assert headings(NAMES) == ("libc", "jemalloc", "mimalloc", "tcmalloc_minimal", "region:list")


def test_headings_stay_different() -> None:
    assert headings(("libx.so.1", "libx.so.2")) == ("libx.so.1", "libx.so.2")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.0, "1"),
        (64, "64"),
        (9999, "9999"),
        (12345, "12.3k"),
        (2.5e6, "2.5M"),
        (3e9, "3G"),
        (0.00421, "0.00421"),
        (1.0732, "1.07"),
        (-1.5, "-1.5"),
    ],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert format_figure(value) == text


def test_a_rules_claim_stands_once_above_its_failures() -> None:
    both = report(
        *(
            target(name, result("HY-A-01", Verdict.FAIL, target=name, expected="a", seen="b"))
            for name in ("libc", "bump")
        )
    )
    assert list(failures(both, style=PLAIN, width=100)) == [
        f"HY-A-01 (MUST)  {TITLE}",
        "  source: C17",
        "  libc",
        "    expected  a",
        "    seen      b",
        "  bump",
        "    expected  a",
        "    seen      b",
        "",
    ]


def failed_alike(count: int) -> Report:
    return report(
        *(
            target(name, result("HY-A-01", Verdict.FAIL, target=name, expected="a", kind="align"))
            for name in (f"t{n}" for n in range(count))
        )
    )


def test_targets_that_fail_in_the_same_way_stand_in_one_line() -> None:
    told = [line.strip() for line in failures(failed_alike(3), style=PLAIN, width=80)]
    assert told[2:6] == ["source: C17", "t0", "expected  a", "also      t1, t2"], told
    every = [*failures(failed_alike(3), style=PLAIN, width=80, verbose=True)]
    assert sum("expected" in line for line in every) == 3


def test_after_twenty_rules_the_others_are_counted() -> None:
    many = report(
        target("a", *(result(f"HY-A-{n:02}", Verdict.FAIL, expected="a") for n in range(1, 31)))
    )
    told = [*failures(many, style=PLAIN, width=80)]
    assert sum(line.startswith("HY-A-") for line in told) == 20
    assert told[-2].startswith("10 more rules failed: -v")
    every = [*failures(many, style=PLAIN, width=80, verbose=True)]
    assert sum(line.startswith("HY-A-") for line in every) == 30


def test_long_texts_are_wrapped_and_commands_are_not() -> None:
    long = result("HY-A-01", Verdict.FAIL, expected="word " * 40, seen="b", again="x " * 60)
    shown = list(failures(report(target("libc", long)), style=PLAIN, width=60))
    assert all(len(line) <= 60 for line in shown if "x x" not in line)
    assert f"    again     {'x ' * 60}" in shown


@pytest.mark.parametrize(
    ("level", "strict", "passed"),
    [(MUST, False, False), (SHOULD, False, True), (SHOULD, True, False), (PROFILE, True, True)],
)
def test_levels_decide_whether_a_run_passes(level: Level, strict: bool, passed: bool) -> None:
    failed = report(target("libc", result("HY-A-01", Verdict.FAIL, level)), strict=strict)
    assert failed.passed is passed


def test_the_last_line_answers() -> None:
    assert list(closing(MIXED, style=PLAIN)) == [
        "1 MUST failed, 1 SHOULD failed; 10 verdicts on 2 targets in 1.0 s, seed 0"
    ]


def test_an_interrupted_run_says_how_much_is_missing() -> None:
    cut = report(target("libc", result("HY-A-01", Verdict.PASS)), expected=9)
    assert next(iter(closing(cut, style=PLAIN))) == "interrupted: 1 of 9 verdicts"


def test_colour_adds_nothing_but_colour() -> None:
    coloured = "\n".join(table(MIXED, style=Style(colour=True), width=100))
    stripped = coloured.replace("\x1b[0m", "")
    for code in ("1", "2", "31", "32", "33", "36", "31;1", "32;1", "33;1", "2;1"):
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert [line.rstrip() for line in stripped.splitlines()] == [
        line.rstrip() for line in "\n".join(lines(MIXED)).splitlines()
    ]
