"""mem and obj need the caller's lock; who calls them without is told, where hooks can know it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from heapyard.debug import declare_lock, set_lock_check, setup_debug_hooks
from heapyard.domain import MEM, OBJ, RAW
from heapyard.errors import OutOfMemoryError
from heapyard.misuse import MisuseKind, recorded_misuse

if TYPE_CHECKING:
    from heapyard.domain import Domain


@pytest.fixture(autouse=True)
def hooks() -> None:
    setup_debug_hooks()


@pytest.mark.parametrize("domain", [MEM, OBJ], ids=["mem", "obj"])
def test_a_thread_that_declared_not_to_hold_the_lock_is_told(domain: Domain) -> None:
    block = domain.malloc(24)
    declare_lock(held=False)
    with recorded_misuse() as reports:
        for call in ("malloc", "calloc", "realloc"):
            with pytest.raises(OutOfMemoryError):
                getattr(domain, call)(*{"malloc": (1,), "calloc": (1, 1)}.get(call, (block, 1)))
        domain.free(block)
    declare_lock(held=True)
    domain.free(block)
    assert [(r.kind, r.detail) for r in reports] == [
        (MisuseKind.NO_LOCK, f"({domain.name} {call})")
        for call in ("malloc", "calloc", "realloc", "free")
    ]
    assert [r.address for r in reports] == [0, 0, block, block]


def test_raw_needs_no_lock() -> None:
    declare_lock(held=False)
    set_lock_check(lambda: False)
    RAW.free(RAW.realloc(RAW.malloc(1), 100))


def test_the_declaration_is_that_of_one_thread() -> None:
    declare_lock(held=False)
    served: list[int] = []
    thread = threading.Thread(target=lambda: served.append(OBJ.malloc(1)))
    thread.start()
    thread.join()
    declare_lock(held=True)
    OBJ.free(served[0])


def test_a_check_of_the_lock_is_asked_before_each_call() -> None:
    lock = threading.Lock()
    set_lock_check(lock.locked)
    with lock:
        block = OBJ.malloc(24)
    with recorded_misuse() as reports:
        OBJ.free(block)
    with lock:
        OBJ.free(block)
    set_lock_check(None)
    OBJ.free(OBJ.malloc(1))
    assert [r.kind for r in reports] == [MisuseKind.NO_LOCK]


def test_an_exception_in_the_check_counts_as_no() -> None:
    def fails() -> bool:
        raise RuntimeError

    set_lock_check(fails)
    with recorded_misuse() as reports, pytest.raises(OutOfMemoryError):
        MEM.malloc(1)
    assert [r.kind for r in reports] == [MisuseKind.NO_LOCK]
