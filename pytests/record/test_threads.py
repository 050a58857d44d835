"""The order of numbers is one that can have happened: eight threads that pass blocks around.

Each thread swaps its blocks with those of a shared table all the time, so most blocks are freed or
resized by another thread than the one that made them. glibc has one arena and no caches of threads
here, and other threads have their turn after each free and realloc: whatever one thread frees is
another's before the call returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytests.record.conftest import built

if TYPE_CHECKING:
    from pytests.record.conftest import Ran, Record
    from pytests.record.words import Word

THREADS = 8
ONE_ARENA = {"MALLOC_ARENA_MAX": "1", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


@pytest.fixture(scope="module")
def seen() -> dict[str, Ran]:
    return {}


@pytest.fixture
def stressed(recorded: Record, seen: dict[str, Ran]) -> list[Word]:
    """Recorded once for all tests here."""
    if "ran" not in seen:
        seen["ran"] = recorded("threads", LD_PRELOAD=str(built("slow.so")), **ONE_ARENA)
    return seen["ran"].words


def trouble(words: list[Word]) -> list[str]:
    """Addresses handed out while they were live, and freed while they were not."""
    live: set[int] = set()
    found = []
    for word in words:
        if word.kind in ("free", "realloc_start"):
            if word.address and word.address not in live:
                found.append(f"{word} ends no block")
            live.discard(word.address)
        elif word.address:
            if word.address in live:
                found.append(f"{word} is live already")
            live.add(word.address)
    return found


def test_no_address_is_live_twice_and_none_is_freed_twice(stressed: list[Word]) -> None:
    assert len(stressed) > 100_000
    assert trouble(stressed) == []


def test_every_thread_has_its_number(stressed: list[Word]) -> None:
    assert {word.thread for word in stressed} == set(range(1, THREADS + 2))


def test_blocks_did_change_hands(stressed: list[Word]) -> None:
    maker: dict[int, int] = {}
    foreign = 0
    for word in stressed:
        if word.kind in ("free", "realloc_start"):
            foreign += maker.pop(word.address, word.thread) != word.thread
        elif word.address:
            maker[word.address] = word.thread
    assert foreign > 1000


def test_the_converter_finds_no_block_unknown_or_lost(
    stressed: list[Word], seen: dict[str, Ran]
) -> None:
    recording = seen["ran"].recording
    assert stressed
    assert (recording.unknown, recording.lost, recording.cut) == (0, 0, 0)
    assert recording.threads == THREADS + 1
