"""Each defect of the corpus as a C program: it fails with the defect, and without it it does not.

The whole way: the rule catches the defect, the plan is shrunk, printed as C, compiled with all
warnings, and run with the corpus preloaded (with its defect, and sound), on the libc alone, and in
the long run with other allocators.
"""

from functools import cache
from pathlib import Path

import pytest

from heapyard._native.build import current_build
from heapyard.reproducer import Failure, NoProgramError, c_program, program, swap_program
from heapyard.rules import PROFILE, RuleViolation, Trial, find_rule
from heapyard.trial import TargetError, resolve_target
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
    "first_realloc_crashes",
    "destructor_free_crashes",
    "errno_of_first_thread",
    "last_destructor_leaks_cache",
    "heap_shared_with_child",
    "early_calloc_is_static",
    "exit_handler_ends_heap",
    "interrupted_wait_shows",
    "chunk_thrashes",
    "usable_is_twice",
    "break_is_ours",
    "aligned_alloc_left_to_libc",
    "told_remote_frees_twice",
    "frame_of_128k",
    "purge_rounds_outward",
)

OTHERS = ("libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4")
"""Allocators that a program is run with in the long run, where the machine has them."""


@cache
def breaks(target: str, rule: str) -> bool:
    """Whether an allocator of this machine does what the rule forbids."""
    return verdict(rule, resolve_target(target))[0] not in ("pass", "skip")


@cache
def path_of(library: str) -> str:
    """Where the library is; empty: nowhere."""
    try:
        return str(resolve_target(library).path)
    except TargetError:
        return ""


@pytest.fixture(autouse=True)
def _plain_process_and_time_to_shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    if current_build().sanitizer:
        pytest.skip("a sanitizer's runtime wants to be the first malloc of the process")
    monkeypatch.setattr(Trial, "_shrinking_left", 40.0)


@pytest.mark.parametrize("name", SAMPLE)
def test_program_of_a_sample_shows_its_defect(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "RACE_SECONDS", 1)
    defect = next(defect for defect in DEFECTS if defect.name == name)
    _prove(defect, compiled(_text(defect), tmp_path))


@pytest.mark.stress
@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_program_of_every_defect_shows_it(defect: Defect, tmp_path: Path) -> None:
    built = compiled(_text(defect), tmp_path)
    _prove(defect, built)
    for library in OTHERS if defect.shows != "misuse" else ():  # others promise to tell none
        path = path_of(library)
        if path and run(built, environment={"LD_PRELOAD": path}).code != 0:
            assert breaks(library, defect.rule), library


def _prove(defect: Defect, built: Path) -> None:
    preloaded = {"LD_PRELOAD": str(corpus_path())}
    broken = run(built, environment={**preloaded, "HEAPYARD_DEFECT": defect.name})
    assert broken.code == 1, broken
    assert broken.text.startswith("expected: "), broken
    assert "; seen: " in broken.text, broken
    if defect.shows == "misuse":  # the sound build ends the process, with a message
        assert run(built, environment=preloaded).code == 0
        return
    assert run(built, environment=preloaded) == Run(0, "")
    on_libc = run(built)
    if on_libc.code != 0:
        assert breaks("libc", defect.rule), on_libc


def _text(defect: Defect) -> str:
    """The C program of what the defect's rule finds."""
    target = corpus_target("dlopen", defect.name)
    if find_rule(defect.rule).level is PROFILE or defect.shows == "figure":
        pytest.skip("a rule that grades has no failure to show")
    with pytest.raises(RuleViolation) as caught:
        body_of(find_rule(defect.rule))(Trial(find_rule(defect.rule), target))
    violation = caught.value
    if violation.plan is None and not violation.topic:
        pytest.skip("the rule shows no plan")
    try:
        failure = Failure.of_violation(violation, rule=defect.text)
        if violation.plan is None:
            return swap_program(violation.topic, failure, target)
        return c_program(violation.plan, failure, target)
    except NoProgramError as error:
        pytest.skip(str(error))
