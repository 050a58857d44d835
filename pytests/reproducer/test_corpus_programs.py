"""Each defect of the corpus as a C program: it fails with the defect, and without it it does not.

The whole way: the rule catches the defect, the plan is shrunk, printed as C, compiled with all
warnings, and run with the corpus preloaded (with its defect, and sound) and on the libc alone.
"""

from functools import cache
from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.reproducer import Failure, NoProgramError, c_program
from heapyard.rules import PROFILE, RuleViolation, Trial, find_rule
from heapyard.trial import resolve_target
from pytests.corpus.defects import DEFECTS, Defect, corpus_path, corpus_target
from pytests.corpus.verdicts import body_of, verdict
from pytests.reproducer.programs import Run, compiled, run

SAMPLE = (
    "malloc_zero_shared",
    "realloc_failure_frees",
    "usable_null_is_16",
    "free_sized_after_realloc",
    "posix_memalign_spoils_memptr",
    "free_sets_errno",
    "realloc_zero_leaks",
    "alignment_drifts",
    "calloc_wraps_to_zero",
    "mapping_short",
    "realloc_shrink_drops_half",
    "calloc_trusts_trimmed",
    "malloc_scribbles",
    "calloc_after_realloc_overlaps",
    "double_free_ignored",
    "foreign_free_ignored",
    "late_write_ignored",
)


@cache
def libc_breaks(rule: str) -> bool:
    """Whether this machine's libc does what the rule forbids."""
    return verdict(rule, resolve_target("libc"))[0] not in ("pass", "skip")


@pytest.fixture(autouse=True)
def _plain_process_and_time_to_shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    if current_build().sanitizer:
        pytest.skip("a sanitizer's runtime wants to be the first malloc of the process")
    monkeypatch.setattr(Trial, "_shrinking_left", 40.0)


@pytest.mark.parametrize("name", SAMPLE)
def test_program_of_a_sample_shows_its_defect(name: str, tmp_path: Path) -> None:
    _prove(next(defect for defect in DEFECTS if defect.name == name), tmp_path)


@pytest.mark.stress
@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_program_of_every_defect_shows_it(defect: Defect, tmp_path: Path) -> None:
    _prove(defect, tmp_path)


def _prove(defect: Defect, folder: Path) -> None:
    program = compiled(_text(defect), folder)
    preloaded = {"LD_PRELOAD": str(corpus_path())}
    broken = run(program, environment={**preloaded, "HEAPYARD_DEFECT": defect.name})
    assert broken.code == 1, broken
    assert broken.text.startswith("expected: "), broken
    assert "; seen: " in broken.text, broken
    if defect.shows == "misuse":  # the sound build ends the process, with a message
        assert run(program, environment=preloaded).code == 0
        return
    assert run(program, environment=preloaded) == Run(0, "")
    on_libc = run(program)
    if on_libc.code != 0:
        assert libc_breaks(defect.rule), on_libc


def _text(defect: Defect) -> str:
    """The C program of what the defect's rule finds."""
    target = corpus_target("dlopen", defect.name)
    if find_rule(defect.rule).level is PROFILE:
        pytest.skip("a rule that grades has no failure to show")
    with pytest.raises(RuleViolation) as caught:
        body_of(find_rule(defect.rule))(Trial(find_rule(defect.rule), target))
    plan = caught.value.plan
    if plan is None:
        pytest.skip("the rule shows no plan")
    try:
        return c_program(plan, Failure.of_violation(caught.value, rule=defect.text), target)
    except NoProgramError as error:
        pytest.skip(str(error))
