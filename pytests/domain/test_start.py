"""HEAPYARD_MALLOC chooses what serves the domains, at the first call."""

from __future__ import annotations

import pytest

from heapyard._native.build import current_build
from pytests.support.children import run_child


def start(value: str | None, *, variable: str = "HEAPYARD_MALLOC") -> tuple[int, str, str]:
    setting = "" if value is None else f"os.environ[{variable!r}] = {value!r}"
    ended = run_child(
        f"""
        import os
        {setting}
        from heapyard.debug import serial
        from heapyard.domain import DOMAINS
        for domain in DOMAINS:
            domain.free(domain.malloc(10))
        print(serial())
        """
    )
    return ended.exit_code, ended.output, ended.errors


@pytest.mark.parametrize("value", ["debug", "malloc_debug", "heap_debug"])
def test_with_debug_all_domains_have_hooks(value: str) -> None:
    assert start(value) == (0, "3\n", "")


@pytest.mark.parametrize("value", [None, "", "default", "malloc", "heap"])
def test_without_debug_none_has(value: str | None) -> None:
    assert start(value) == (0, "0\n", "")


@pytest.mark.parametrize(
    ("value", "on_heaps"),
    [
        ("", [False, True, True]),
        ("default", [False, True, True]),
        ("debug", [False, True, True]),
        ("heap", [True, True, True]),
        ("heap_debug", [True, True, True]),
        ("malloc", [False, False, False]),
        ("malloc_debug", [False, False, False]),
    ],
)
@pytest.mark.usefixtures("counting")
def test_the_value_says_what_serves_raw_mem_and_obj(value: str, on_heaps: list[bool]) -> None:
    """A heap's blocks are multiples of 16 bytes; glibc's are 8 more."""
    if current_build().has_sanitizer("address"):
        pytest.skip("the sanitizer's malloc has blocks of any size")
    ended = run_child(
        f"""
        import os
        os.environ["HEAPYARD_MALLOC"] = {value!r}
        from heapyard.domain import DOMAINS
        for domain in DOMAINS:
            domain.malloc(600)
        print([domain.counters().held_bytes % 16 == 0 for domain in DOMAINS])
        """
    )
    assert (ended.exit_code, ended.output) == (0, f"{on_heaps}\n"), str(ended)


ALLOWED = "default, debug, heap, malloc, heap_debug or malloc_debug"


@pytest.mark.death
@pytest.mark.parametrize("value", ["Debug", "pymalloc", "debug ", "malloc,debug"])
def test_any_other_value_ends_the_process_with_the_allowed_ones(value: str) -> None:
    line = f"heapyard: domain: invalid HEAPYARD_MALLOC={value}: must be {ALLOWED}\n"
    assert start(value) == (2, "", line)


@pytest.mark.death
def test_a_bad_wish_for_leaks_ends_the_process() -> None:
    line = "heapyard: domain: invalid HEAPYARD_MALLOC_LEAKS=yes: must be 0 or 1\n"
    assert start("yes", variable="HEAPYARD_MALLOC_LEAKS") == (2, "", line)


@pytest.mark.parametrize(
    "call",
    [
        "RAW.allocator",
        "RAW.free(None) or RAW.malloc(1)",
        "RAW.calloc(1, 1)",
        "RAW.realloc(None, 1)",
        "OBJ.counters()",
        "setup_debug_hooks()",
        "leaks()",
        "check_all()",
        "RAW.set_allocator(PythonAllocator(Allocator(0, 0, 0, 0, 0)).table)",
    ],
)
@pytest.mark.death
def test_whichever_call_is_the_first_reads_it(call: str) -> None:
    ended = run_child(
        f"""
        import os
        os.environ["HEAPYARD_MALLOC"] = "nonsense"
        from heapyard.debug import check_all, leaks, setup_debug_hooks
        from heapyard.domain import MEM, OBJ, RAW, Allocator, PythonAllocator
        {call}
        """
    )
    assert ended.exit_code == 2, str(ended)


def test_loading_the_library_alone_reads_nothing() -> None:
    ended = run_child(
        """
        import os
        os.environ["HEAPYARD_MALLOC"] = "nonsense"
        from heapyard import Bump
        Bump().close()
        """
    )
    assert ended.exit_code == 0, str(ended)
