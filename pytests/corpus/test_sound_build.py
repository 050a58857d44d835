"""No rule fails without reason: the corpus without a defect passes them all, in both modes."""

import sys
from collections.abc import Mapping
from os import environ
from subprocess import run

import pytest

from heapyard._native.build import current_build
from heapyard.rules import Rule, load_rules
from pytests.corpus.defects import corpus_path, corpus_target
from pytests.corpus.verdicts import claim, verdict

RULES = load_rules()

REPLACE_MALLOC = {"HY-LIFE-08", "HY-LIFE-10"}
"""Rules that preload the target, however it is put on trial."""

COUNT_SYSTEM_CALLS = {"HY-COST-09", "HY-COST-10", "HY-COST-11"}
"""Rules that watch the target's system calls, beside all of HY-OOM."""

NEEDS_PLAIN_PROCESS = "a sanitizer's runtime wants to be the first malloc of the process"


def require_sight(rule: str) -> None:
    """Skip what watches system calls where a sanitizer's runtime makes them too."""
    build = current_build()
    is_blind = build.has_sanitizer("address") or build.has_sanitizer("thread")
    if is_blind and (rule in COUNT_SYSTEM_CALLS or rule.startswith("HY-OOM-")):
        pytest.skip("a sanitizer's runtime maps memory for itself: its calls can't be told apart")


@pytest.mark.parametrize("rule", RULES, ids=claim)
def test_sound_build_passes_by_dlopen(rule: Rule) -> None:
    if rule.id in REPLACE_MALLOC:
        _require_plain_process()
    require_sight(rule.id)
    assert verdict(rule.id, corpus_target("dlopen")) == ("pass", "")


@pytest.mark.parametrize("rule", RULES, ids=claim)
def test_sound_build_passes_by_preload(rule: Rule) -> None:
    _require_plain_process()
    assert verdict(rule.id, corpus_target("preload")) == ("pass", "")


def test_memory_that_never_comes_back_is_not_blamed_for_gigabytes_of_blocks() -> None:
    """C asks no allocator to use memory again; HY-RSS and HY-FRAG say that this one does not."""
    target = corpus_target("dlopen", "mapping_never_unmapped")
    assert verdict("HY-DATA-13", target)[0] == "skip"


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(1, 21))
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.group == "FUZZ"], ids=claim)
def test_sound_build_passes_with_any_seed(rule: Rule, seed: int) -> None:
    assert verdict(rule.id, corpus_target("dlopen"), seed=seed) == ("pass", "")


def test_threads_and_forks_of_a_real_program_work_on_it() -> None:
    _require_plain_process()
    assert _python(THREADS_AND_FORKS, {}) == (0, "96000 3\n", "")


def test_unknown_defect_ends_the_process_with_a_message() -> None:
    _require_plain_process()
    code, _, errors = _python("", {"HEAPYARD_DEFECT": "no_such_defect"})
    assert (code, "names no defect" in errors) == (125, True)


THREADS_AND_FORKS = """
import os, threading
kept = []
def churn():
    for turn in range(40):
        kept.append([bytes(size) for size in range(0, 60000, 1000)])
        if turn % 4:
            kept.pop(0)
threads = [threading.Thread(target=churn) for _ in range(4)]
for thread in threads: thread.start()
codes = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        os._exit(sum(map(len, [bytes(size) for size in range(5000)])) != 12497500)
    codes.append(os.waitpid(child, 0)[1])
for thread in threads: thread.join()
print(sum(len(block) for block in kept[0]) - 1674000, codes.count(0))
"""


def _python(program: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run a program in a fresh Python whose malloc is the corpus in every domain."""
    settings = {"LD_PRELOAD": str(corpus_path()), "PYTHONMALLOC": "malloc", **environment}
    done = run(
        [sys.executable, "-s", "-P", "-W", "ignore::DeprecationWarning", "-c", program],
        env={**environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _require_plain_process() -> None:
    if current_build().sanitizer:
        pytest.skip(NEEDS_PLAIN_PROCESS)
