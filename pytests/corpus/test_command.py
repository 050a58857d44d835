"""`heapyard corpus`: builds the corpus anew, and says of each defect whether it is caught."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import heapyard.corpus
from heapyard._native.build import build_environment
from heapyard.cli import main
from heapyard.corpus import DEFECTS, SOURCES, Defect, Finding
from heapyard.corpus.defects import source_files
from heapyard.report.corpus_table import closing, row
from heapyard.report.style import Style
from heapyard.rules import find_rule
from heapyard.trial import Target

PLAIN = Style()
SHORT = next(defect for defect in DEFECTS if defect.name == "usable_short")

CHECKOUT = Path(__file__).resolve().parents[2]
Captured = pytest.CaptureFixture[str]


def finding(seen: str, *, sound: str = "pass", others: tuple[str, ...] | None = None) -> Finding:
    return Finding(defect=SHORT, seen=seen, text="a text", sound=sound, others=others)


@pytest.mark.parametrize(
    ("seen", "sound", "answer"),
    [
        ("usable", "pass", "caught: usable"),
        ("pass", "pass", "MISSED: pass"),
        ("skip", "pass", "MISSED: skip"),
        ("SIGSEGV", "pass", "MISSED: SIGSEGV, not usable"),
        ("usable", "usable", "no proof: the sound build gives usable"),
    ],
)
def test_caught_is_by_its_rule_as_what_it_is_and_not_without_it(
    seen: str, sound: str, answer: str
) -> None:
    assert finding(seen, sound=sound).answer == answer
    assert finding(seen, sound=sound).is_caught is answer.startswith("caught")


def test_other_rules_are_named_up_to_three() -> None:
    told = [
        next(row(finding("usable", others=("A", "B", "C", "D", "E")[:n]), PLAIN)) for n in (0, 2, 5)
    ]
    assert [line.partition("usable  ")[2].split("  ")[-1] for line in told] == [
        "-",
        "A, B",
        "A, B, C and 2 more",
    ]


def test_what_is_not_caught_says_what_goes_wrong() -> None:
    assert [line.strip() for line in row(finding("pass"), PLAIN)][1:] == [SHORT.text, "a text"]


def test_the_answer_counts_what_was_not_caught() -> None:
    lines = list(closing([finding("usable"), finding("pass")], 1.0, PLAIN, expected=3))
    assert lines == ["interrupted: 2 of 3 defects", "1 of 2 defects not caught; 1 rule, 1.0 s"]


def test_all_asks_every_rule_and_counts_what_the_sound_build_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = heapyard.corpus.compile_corpus(tmp_path)
    asked = [find_rule(f"HY-API-{n}") for n in ("11", "12", "13")]
    monkeypatch.setattr("heapyard.corpus.judge.load_rules", lambda: asked)
    found = heapyard.corpus.judge_defect(library, SHORT, all_rules=True)
    assert found.others == ()
    always = {"HY-API-11": "usable"}
    real = heapyard.corpus.verdict

    def verdict(rule: str, target: Target) -> tuple[str, str]:
        return (always[rule], "") if rule in always else real(rule, target)

    monkeypatch.setattr("heapyard.corpus.judge.verdict", verdict)
    assert heapyard.corpus.judge_defect(library, SHORT, all_rules=True).others == ()
    always.update({"HY-API-13": "content"})
    monkeypatch.setattr("heapyard.corpus.judge._sound", lambda *_: "pass")
    found = heapyard.corpus.judge_defect(library, SHORT, all_rules=True)
    assert found.others == ("HY-API-11", "HY-API-13")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_defects_of_a_compiled_corpus_are_caught(
    capsys: Captured, tmp_path: Path, workers: str
) -> None:
    told = tmp_path / "told.json"
    code = main(["corpus", "-k", "usable_short or HY-API-11", "-n", workers, "--json", str(told)])
    assert code == 0, capsys.readouterr()
    assert "2 of 2 defects caught" in capsys.readouterr().out
    content = json.loads(told.read_text())
    assert content["schema"] == "heapyard.corpus/1"
    assert [(each["name"], each["caught"]) for each in content["defects"]] == [
        ("usable_null_is_16", True),
        ("usable_short", True),
    ]


def test_a_defect_that_its_rule_does_not_see_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    wrong = Defect("usable_short", "HY-API-01", "usable", "its rule is another one")
    monkeypatch.setattr(heapyard.corpus, "DEFECTS", (wrong,))
    assert main(["corpus", "-n", "0"]) == 1
    assert "1 of 1 defect not caught" in capsys.readouterr().out


@pytest.mark.death
@pytest.mark.parametrize("until", [b"defect ", b"caught"])
def test_an_interruption_tells_what_is_there_and_leaves_nothing(
    tmp_path: Path, until: bytes
) -> None:
    environment = os.environ | build_environment() | {"TMPDIR": str(tmp_path)}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "heapyard", "corpus", "-n", "2"],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    while until not in process.stdout.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=100)
    assert process.returncode == 130, errors
    assert re.search(rb"interrupted: \d+ of \d+ defects", out)
    assert b"Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("compiler", "reason"),
    [("/nowhere/cc", "no C compiler: '/nowhere/cc'"), ("false", "can't compile the corpus")],
)
def test_a_compiler_that_is_not_there_or_does_not_compile_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, compiler: str, reason: str
) -> None:
    monkeypatch.setenv("CC", compiler)
    assert main(["corpus", "-k", "usable_short"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert reason in errors[0]
    assert "CC" in errors[0]


def test_no_defect_that_fits_is_one_line(capsys: Captured) -> None:
    assert main(["corpus", "-k", "no_such_defect"]) == 2
    assert "no defect fits" in capsys.readouterr().err


def test_exported_sources_build_as_their_readme_says(tmp_path: Path) -> None:
    folder = tmp_path / "teaching"
    assert main(["corpus", "--export", str(folder)]) == 0
    readme = (folder / "README.md").read_text()
    command = re.search(r"^    (cc .+)$", readme, re.MULTILINE)
    assert command
    subprocess.run(command[1], shell=True, cwd=folder, check=True)
    assert (folder / "libyard_corpus.so").exists()
    assert not list(folder.rglob("*.py"))


def test_an_export_overwrites_nothing(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert main(["corpus", "--export", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_cmake_and_the_command_build_the_same_files() -> None:
    listed = re.findall(r"\byard_\w+\.c\b", (SOURCES / "CMakeLists.txt").read_text())
    assert sorted(listed) == [path.name for path in source_files() if path.suffix == ".c"]
