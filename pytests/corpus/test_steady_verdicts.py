"""The same rule says the same of the same allocator, time after time, on a busy machine too.

Long: `pytest -m stress -n 1 pytests/corpus/test_steady_verdicts.py`, best while others load the
machine; `-k "RSS and jemalloc"` asks for less. A verdict that is not the same each time is named,
with how often each was seen.
"""

from collections import Counter

import pytest

from heapyard.corpus.judge import without_shrinking
from heapyard.errors import HeapyardError
from heapyard.rules import Rule, Trial, load_rules
from heapyard.trial import Target, resolve_target
from pytests.corpus.defects import corpus_target
from pytests.corpus.verdicts import claim, verdict

pytestmark = pytest.mark.stress

RULES = load_rules()
TIMES_SOUND = 10
TIMES = 5

ALLOCATORS = (
    *("libc", "musl", "heap"),
    *("libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4"),
)


@pytest.mark.parametrize("mode", ["dlopen", "preload"])
@pytest.mark.parametrize("rule", RULES, ids=claim)
def test_sound_build_passes_ten_times_of_ten(
    rule: Rule, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _verdicts(rule, corpus_target(mode), TIMES_SOUND, monkeypatch)
    assert seen == {"pass": TIMES_SOUND}


@pytest.mark.parametrize("allocator", ALLOCATORS)
@pytest.mark.parametrize("rule", RULES, ids=claim)
def test_verdict_is_the_same_five_times_of_five(
    rule: Rule, allocator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _verdicts(rule, _target(allocator), TIMES, monkeypatch)
    assert len(seen) == 1, f"{rule.id} says of {allocator}: {dict(seen)}"


def _target(allocator: str) -> Target:
    try:
        return resolve_target(allocator)
    except HeapyardError as missing:
        pytest.skip(str(missing))


def _verdicts(
    rule: Rule, target: Target, times: int, monkeypatch: pytest.MonkeyPatch
) -> Counter[str]:
    """How often each verdict came, every time as in a process of its own."""
    seen: Counter[str] = Counter()
    for _ in range(times):
        monkeypatch.setattr(Trial, "_hangs", Counter())
        with without_shrinking():
            said, _ = verdict(rule.id, target)
        seen[said] += 1
    return seen
