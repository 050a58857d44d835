"""The table, the JSON and the page."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from heapyard.bench import BenchReport
from heapyard.report import bench_html, bench_json
from heapyard.report.bench_table import legend, lines_of_plan, mebibytes
from heapyard.report.style import Style
from pytests.bench.made import crashed, report, row


@pytest.fixture
def mixed() -> BenchReport:
    """Two with figures, one that crashed, and the floor."""
    return report(
        row("libmimalloc.so.2", 8.0, 8.5, 9.0),
        row("libc", 16.0, 17.0, 18.0),
        crashed("./<bad>&.so"),
        row("floor", 4.0, 4.25, 4.5),
    )


def table(of: BenchReport) -> list[str]:
    return list(lines_of_plan(of.plans[0], Style()))


def page(of: BenchReport) -> ET.Element:
    """Parsed as XML, which wants every tag closed and every name escaped."""
    return ET.fromstring(bench_html.as_html(of).removeprefix("<!DOCTYPE html>\n"))


# --- table ---


def test_a_line_has_median_quartiles_ratios_and_memory(mixed: BenchReport) -> None:
    assert table(mixed)[3].split() == ["libc", "17.0", "16.5-17.5", "2.00", "4.00", "3.0", "1.0"]


def test_the_first_column_of_ratios_names_the_first_target(mixed: BenchReport) -> None:
    assert "x first" in table(mixed)[1]
    assert "x libc" in table(report(row("libc", 1.0), row("floor", 1.0)))[1]


def test_a_crash_is_a_line_of_its_own(mixed: BenchReport) -> None:
    assert table(mixed)[4].split(maxsplit=1) == ["./<bad>&.so", "crashed (SIGSEGV)"]


def test_ratios_to_a_target_that_crashed_are_dashes() -> None:
    lines = table(report(crashed("bad"), row("libc", 8.0), row("floor", 4.0)))
    assert lines[3].split()[3:5] == ["-", "2.00"]


def test_a_ratio_that_may_be_one_is_marked() -> None:
    lines = table(
        report(row("a", 9.0, 10.0, 11.0), row("b", 10.0, 10.0, 10.0), row("floor", *[4.0] * 3))
    )
    assert lines[3].split()[3] == "~1.00"
    assert lines[2].split()[3] == "1.00"


def test_the_table_fits_80_columns(mixed: BenchReport) -> None:
    wide = report(row("a-name-that-does-not-end-soon.so", *[12345.6] * 3), row("floor", *[1.0] * 3))
    for one in (mixed, wide):
        assert all(len(line) < 80 or line.startswith("churn") for line in table(one))


def test_columns_stay_apart_however_long_the_figures_are() -> None:
    slow = row("slow", *[2422.2, 2264.1, 98765.4])
    lines = table(report(slow, row("floor", *[1.0] * 3)))
    assert lines[2].split()[:3] == ["slow", "2,422", "2,343-50,594"]


def test_the_legend_says_how_it_was_measured(mixed: BenchReport) -> None:
    text = legend(mixed)
    assert "9 interleaved rounds, seed 0" in text
    assert "a machine" in text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0.00"), (1 << 14, "0.02"), (1 << 20, "1.0"), (3_250_000, "3.1"), (1 << 30, "1,024")],
)
def test_mebibytes_have_the_digits_that_count(size: int, text: str) -> None:
    assert mebibytes(size) == text


def test_instructions_are_net_of_the_floor() -> None:
    one, floor = row("libc", 8.0), row("floor", 4.0)
    counted = report(replace(one, instructions=120.0), replace(floor, instructions=12.4))
    text = "instructions a pair, less the 12 of the floor: libc 108"
    assert table(counted)[-1].strip() == text
    assert text in bench_html.as_html(counted)
    assert bench_json.as_json(counted)["plans"][0]["rows"][0]["instructions"] == 120.0


def test_without_instructions_nothing_is_said_of_them(mixed: BenchReport) -> None:
    assert "instructions" not in "".join(table(mixed)) + bench_html.as_html(mixed)


# --- JSON ---


def test_the_json_has_its_schema_and_survives_a_round_trip(mixed: BenchReport) -> None:
    document = bench_json.as_json(mixed)
    assert document["schema"] == "heapyard.bench/1"
    assert json.loads(json.dumps(document))["plans"][0]["title"] == mixed.plans[0].title


def test_the_json_has_a_row_for_each_target_and_a_sample_for_each_round(
    mixed: BenchReport,
) -> None:
    rows = bench_json.as_json(mixed)["plans"][0]["rows"]
    assert [each["target"] for each in rows] == [each.name for each in mixed.targets]
    assert [len(each["samples"]) for each in rows] == [3, 3, 0, 3]
    assert [each["trouble"] for each in rows] == [None, None, "crashed (SIGSEGV)", None]


def test_the_json_says_what_the_table_says(mixed: BenchReport) -> None:
    libc = bench_json.as_json(mixed)["plans"][0]["rows"][1]
    assert libc["pair"] == {"median": 17.0, "low": 16.5, "high": 17.5}
    assert libc["ratio_to_first"]["median"] == 2.0
    assert libc["ratio_to_floor"]["median"] == 4.0
    assert (libc["peak"], libc["final"], libc["trimmed"]) == (3 << 20, 1 << 20, None)
    assert libc["samples"][0]["cpu_nanoseconds"] == 16000


# --- page ---


def test_the_page_is_well_formed_and_names_are_escaped(mixed: BenchReport) -> None:
    assert "./<bad>&.so" in "".join(page(mixed).itertext())


def test_the_page_fetches_nothing_and_runs_nothing(mixed: BenchReport) -> None:
    text = bench_html.as_html(mixed)
    assert (
        re.findall(r"https?:|//|url\(|@import|<script|<link|<img|\bsrc=|\bhref=|\bon\w+=", text)
        == []
    )


def test_the_page_has_a_bar_for_each_target_with_figures(mixed: BenchReport) -> None:
    time, memory = page(mixed).iter("svg")
    assert len(list(time.iter("rect"))) == len(list(memory.iter("rect"))) == 3


def test_bars_are_as_long_as_their_figures(mixed: BenchReport) -> None:
    time = next(page(mixed).iter("svg"))
    first, second, _ = (float(bar.get("width", "0")) for bar in time.iter("rect"))
    assert second / first == pytest.approx(2.0, rel=0.01)


def test_bars_stay_inside_the_drawing(mixed: BenchReport) -> None:
    for svg in page(mixed).iter("svg"):
        width = float(svg.get("viewBox", "").split()[2])
        for bar in svg.iter("rect"):
            assert float(bar.get("x", "0")) + float(bar.get("width", "0")) < width - 60


def test_the_page_says_what_the_table_says(mixed: BenchReport) -> None:
    libc = list(page(mixed).iter("tr"))[2]
    cells = [cell.text or "" for cell in libc.iter("td")]
    assert cells[:5] == ["libc", "17.0", "16.5-17.5", "2.00", "4.00"]
    assert cells[6:9] == ["3.0", "1.0", ""]


def test_a_crash_is_in_the_page(mixed: BenchReport) -> None:
    assert "crashed (SIGSEGV)" in bench_html.as_html(mixed)


def test_a_page_of_crashes_alone_has_no_bars() -> None:
    assert list(page(report(crashed("a"), crashed("floor"))).iter("svg")) == []
