"""The page in a session of pytest, from workers too, and what of it stays out of other reports."""

from xml.etree import ElementTree

import pytest

from pytests.plugin.conftest import Run


@pytest.mark.parametrize("workers", ["0", "1"])
def test_it_shows_the_failing_plan_as_calls_and_drawing(
    run: Run, pytester: pytest.Pytester, workers: str
) -> None:
    run("--heapyard-html=page.html", "-n", workers)
    page = (pytester.path / "page.html").read_text()
    tree = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    marked = ["".join(each.itertext()).split(maxsplit=1)[1] for each in tree.iter("mark")]
    assert marked == ["malloc(24) -> slot 0"] * 2
    assert page.count('class="fault"') == 2
    assert "1.25" in page


def test_an_ini_file_can_name_it(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nheapyard_html = page.html")
    run("-k", "HOLD")
    assert "HY-HOLD-01" in (pytester.path / "page.html").read_text()


def test_junit_has_the_verdict_without_the_pages_evidence(
    run: Run, pytester: pytest.Pytester
) -> None:
    run("--heapyard-html=page.html", "--junitxml=out.xml", "-k", "WANT")
    text = (pytester.path / "out.xml").read_text()
    assert "HY-WANT-01" in text
    assert "evidence" not in text
