"""The page of `heapyard check --html`: one file, safe, complete, and readable without scripts."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from heapyard.report.check_html import as_html, write
from heapyard.report.evidence import Block, Evidence, Fault, MemoryPoint
from heapyard.report.heap_svg import draw_heap, nearest, overlaps_of
from heapyard.report.memory_svg import draw_memory
from heapyard.report.result import Report, Result, TargetReport, Verdict
from heapyard.rules import MUST, PROFILE, SHOULD, Level
from pytests.cli.conftest import Heapyard

EVIL = "<script>alert(1)</script>\"'&.so"
PROGRAM = "#include <stdlib.h>\nint main(void) { return malloc(1) == 0 && 1 < 2; }\n"
MEMORY = tuple(MemoryPoint(n, n << 20, n << 21, n << 22) for n in range(50))
EVIDENCE = Evidence(
    about="First paragraph\nof it.\n\nSecond.",
    bug="issue 7 of somebody's",
    calls=("malloc(10) -> slot 0", "malloc(10) -> slot 1"),
    failing_call=1,
    call_count=2,
    program=PROGRAM,
    blocks=(Block(0, None, 0x1000, 10),),
    fault=Fault(1, "overlap", 0x1004, 10),
    memory=MEMORY,
)


def result(rule: str, verdict: Verdict, level: Level = MUST, **more: object) -> Result:
    facts = {
        "target": "t",
        "title": f"Claim <b> of {rule}",
        "source": "C17 & more",
        "evidence": Evidence(about="About it."),
    } | more
    return Result(rule=rule, level=level, verdict=verdict, **facts)  # type: ignore[arg-type]


def target(name: str, *results: Result) -> TargetReport:
    return TargetReport(
        target=name, name=name, path=f"/{name}", mode="dlopen", capabilities={}, results=results
    )


def report(*targets: TargetReport) -> Report:
    return Report(version="1", seed=0, seconds=1.0, targets=targets)


def failure(name: str = "t", rule: str = "HY-A-01", level: Level = MUST) -> Result:
    return result(
        rule,
        Verdict.FAIL,
        level,
        target=name,
        expected="a < b",
        seen="b > a",
        operation="malloc(10)",
        again=f"heapyard replay '{name}'",
        kind="overlap",
        evidence=EVIDENCE,
    )


def figure(value: float) -> Result:
    figures = {"name": "left_over", "value": value, "unit": "bytes", "better": "less"}
    evidence = Evidence(memory=MEMORY)
    return result("HY-C-01", Verdict.FIGURE, PROFILE, figure=figures, evidence=evidence)


PAGE = as_html(
    report(
        target("libc", failure("libc"), result("HY-B-01", Verdict.PASS, SHOULD), figure(1 << 20)),
        target(
            EVIL, result("HY-A-01", Verdict.PASS), failure(EVIL, "HY-B-01", SHOULD), figure(3 << 20)
        ),
        target("c", result("HY-A-01", Verdict.SKIP, detail="needs <x>"), figure(2 << 20)),
    )
)
TREE = ElementTree.fromstring(PAGE.removeprefix("<!DOCTYPE html>\n"))


def texts(css: str) -> list[str]:
    return [
        "".join(each.itertext()) for each in TREE.iter() if css in (each.get("class") or "").split()
    ]


def test_it_has_no_scripts_and_fetches_nothing() -> None:
    tags = {each.tag for each in TREE.iter()}
    assert not tags & {"script", "link", "iframe", "img", "object", "embed", "base", "form"}
    for each in TREE.iter():
        assert not any(name.startswith("on") or name == "src" for name in each.attrib), each.attrib
    assert not re.search(r"url\(|@import|https?:", PAGE)


def test_whatever_is_not_ours_is_text() -> None:
    assert "<script>" not in PAGE
    assert EVIL in [each.rstrip() for each in texts("case")[1].partition("expected")[:1]]
    assert "Claim <b> of HY-A-01" in texts("title")


def test_each_rule_is_a_row_with_a_cell_for_each_target() -> None:
    assert texts("id") == ["HY-A-01", "HY-B-01", "HY-C-01"]
    assert len(texts("cell")) == 9


def test_cells_say_in_words_and_signs_what_their_colours_say() -> None:
    assert texts("cell") == [
        *("\u2715 FAIL", "\u2713", "n/a"),
        *("\u2713", "\u25b2 weak", ""),
        *("\u2605 1 MiB", "3 MiB", "2 MiB"),
    ]


def test_a_link_leads_to_each_rule_that_failed() -> None:
    links = [each.get("href") for each in TREE.iter("a")]
    assert links == ["#HY-A-01", "#HY-B-01"]
    places = {each.get("id") for each in TREE.iter()}
    assert {"HY-A-01", "HY-B-01"} <= places


def test_rows_can_be_filtered_by_what_they_are() -> None:
    kinds = [
        set((each.get("class") or "").split()) - {"rule"}
        for each in TREE.iter("details")
        if "rule" in (each.get("class") or "").split()
    ]
    assert kinds == [{"bad-row", "differ"}, {"bad-row", "differ"}, {"figure"}]
    filters = [each.get("id") for each in TREE.iter("input")]
    assert filters == ["f-all", "f-bad", "f-differ", "f-figure"]
    assert [each.get("for") for each in TREE.iter("label")] == filters


def test_a_failure_is_told_in_full() -> None:
    case = texts("case")[0]
    for part in ("a < b", "b > a", "malloc(10)", "heapyard replay 'libc'", PROGRAM):
        assert part in case
    assert [each.text for each in TREE.iter("mark")] == ["    1  malloc(10) -> slot 1"] * 2


def test_a_rule_is_told_whatever_came_of_it() -> None:
    body = texts("body")
    assert "First paragraph of it." in body[0]
    assert "issue 7 of somebody's" in body[0]
    assert "n/a on t: needs <x>" in body[0]
    assert "left over, MiB" in body[2]


def test_a_place_on_a_scale_is_told_by_its_word_in_cell_and_table() -> None:
    facts = {"name": "grade", "unit": "", "better": "more"}
    grades = [facts | {"value": n, "word": word} for n, word in enumerate(("lives", "dies"))]
    page = as_html(
        report(
            *(
                target(str(n), result("HY-A-01", Verdict.FIGURE, PROFILE, figure=each))
                for n, each in enumerate(grades)
            )
        )
    )
    assert re.findall(r"<td>([^<]*)</td>", page)[-3:] == ["grade", "lives", "\u2605 dies"]
    assert 'class="hbar"' not in page


def test_memory_is_drawn_for_each_target_with_one_scale() -> None:
    drawings = [each for each in TREE.iter("svg") if "resident" in (each.get("aria-label") or "")]
    of_figures = drawings[-3:]
    assert {each[3].text for each in of_figures} == {"98 MiB"}


def test_targets_that_failed_in_the_same_way_are_one_case() -> None:
    names = [f"t{n}" for n in range(4)]
    page = as_html(report(*(target(name, failure(name)) for name in names)))
    assert page.count('class="case"') == 1
    assert "t1, t2, t3" in page


def test_a_page_of_twelve_targets_where_all_fails_is_below_2_mb() -> None:
    blocks = tuple(Block(n, None, 4096 * n, 100) for n in range(250))
    rules = [f"HY-A-{n:02}" for n in range(1, 99)] + [f"HY-B-{n:02}" for n in range(1, 99)]
    wild = Evidence(
        about="word " * 100,
        calls=("malloc(100) -> slot 1",) * 16,
        program="int x;\n" * 1500,
        blocks=blocks,
        fault=Fault(250, "overlap", 4100, 100),
        memory=tuple(MemoryPoint(n, n << 20, n << 20, n << 20) for n in range(160)),
    )
    targets = [
        target(
            f"t{number}",
            *(
                result(
                    rule,
                    Verdict.FAIL,
                    target=f"t{number}",
                    expected="a",
                    seen="b",
                    kind=f"{number}",
                    again="heapyard replay " + "x" * 80,
                    evidence=wild,
                )
                for rule in rules
            ),
        )
        for number in range(12)
    ]
    page = as_html(report(*targets))
    assert len(page.encode()) < 2_000_000
    assert "are left out, since the page is large" in page
    assert "since the page is large" not in PAGE


# --- drawings ---


def test_two_blocks_overlap_where_they_share_bytes_at_the_same_time() -> None:
    blocks = [Block(0, 10, 100, 50), Block(5, 12, 140, 50), Block(10, 12, 100, 50)]
    assert sorted(overlaps_of(blocks)) == [Block(5, 10, 140, 10), Block(10, 12, 140, 10)]


def test_blocks_side_by_side_or_one_after_the_other_do_not_overlap() -> None:
    assert overlaps_of([Block(0, 10, 100, 50), Block(0, 10, 150, 50)]) == []
    assert overlaps_of([Block(0, 10, 100, 50), Block(10, 20, 100, 50)]) == []


def boxes(drawing: str, css: str) -> list[dict[str, float]]:
    return [
        {name: float(each.get(name, "")) for name in ("x", "y", "width", "height")}
        for each in ElementTree.fromstring(drawing).iter("rect")
        if each.get("class") == css
    ]


def test_the_faulty_block_is_marked_and_what_it_shares_is_red() -> None:
    drawing = draw_heap([Block(0, None, 0x1000, 64)], Fault(9, "overlap", 0x1020, 64))
    block, fault, overlap = (boxes(drawing, css)[0] for css in ("block", "fault", "overlap"))
    assert overlap["x"] == fault["x"] > block["x"]
    assert overlap["height"] < min(block["height"], fault["height"])
    assert "call 9: overlap" in drawing


def test_higher_addresses_are_higher_up() -> None:
    low, high = boxes(draw_heap([Block(0, 2, 16, 16), Block(1, 2, 32, 16)], None), "block")
    assert high["y"] + high["height"] <= low["y"] + 0.2


def test_large_gaps_are_compressed() -> None:
    near = draw_heap([Block(0, 2, 16, 16), Block(1, 2, 32, 16)], None)
    far = draw_heap([Block(0, 2, 16, 16), Block(1, 2, 1 << 46, 16)], None)
    tall = [float(re.findall(r'viewBox="0 0 \d+ (\d+)"', each)[0]) for each in (near, far)]
    assert 0 < tall[1] - tall[0] < 30
    assert far.count('class="gap"') == 1
    assert 'class="gap"' not in near


def test_of_many_blocks_those_near_the_fault_are_drawn() -> None:
    blocks = [Block(n, None, 1000 * n, 10) for n in range(200)]
    drawn = nearest(blocks, Fault(200, "overlap", 100_000, 10))
    assert 76 <= min(b.came for b in drawn) <= max(b.came for b in drawn) <= 124
    latest = nearest(blocks, Fault(200, "SIGSEGV", 0, 0))
    assert min(block.came for block in latest) > 150


def test_memory_over_time_keeps_to_its_frame() -> None:
    drawing = draw_memory(MEMORY, 98 << 20)
    line = re.findall(r'class="resident" d="M([^"]*)"', drawing)[0]
    numbers = [float(each) for each in line.split()]
    assert numbers[0::2] == sorted(numbers[0::2])
    assert max(numbers[0::2]) <= 320
    assert 12 <= min(numbers[1::2]) <= max(numbers[1::2]) <= 108


def test_a_run_writes_it_with_calls_and_drawings(
    heapyard: Heapyard, corpus: str, folder: Path
) -> None:
    defect = {"HEAPYARD_DEFECT": "aligned_zero_shared"}
    arguments = ("-k", "HY-API-21 or HY-REALLOC-11", "-n", "2", "--html", "page.html")
    ran = heapyard("check", corpus, "libc", *arguments, **defect)
    assert ran.code == 1, ran
    page = (folder / "page.html").read_text()
    assert 'class="overlap"' in page
    assert 'class="resident"' in page
    assert "int main" in page
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def test_a_page_that_can_not_be_written_is_one_line(here: Heapyard) -> None:
    assert "can't write" in here("check", "libc", "--html", "none/page.html").error


@pytest.mark.parametrize("bad", ["\ud800", "\x00", "\x1b[31m"])
def test_odd_characters_do_not_break_the_page(bad: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write(report(target("t", result("HY-A-01", Verdict.SKIP, detail=f"seen {bad}"))), file)
    assert b"seen " in file.read_bytes()
    ElementTree.fromstring(file.read_text().removeprefix("<!DOCTYPE html>\n"))
