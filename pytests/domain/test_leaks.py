"""What is still live is listed, oldest first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from heapyard.debug import Leak, leaks, serial, setup_debug_hooks
from heapyard.domain import DOMAINS, OBJ
from heapyard.errors import OutOfMemoryError
from pytests.domain.stacks import STACKS, Reusing, stack_on
from pytests.support.children import run_child

if TYPE_CHECKING:
    from heapyard.domain import Domain


def test_leaks_are_listed_oldest_first(below: Reusing) -> None:
    before = leaks()
    with OBJ.using(stack_on(below.table, OBJ, "hooks")):
        first = serial()
        blocks = [OBJ.malloc(10 * n) for n in range(5)]
        OBJ.free(blocks.pop(1))
        blocks[0] = OBJ.realloc(blocks[0], 7)
        found = leaks()
    assert found == [
        *before,
        Leak(blocks[1], 20, first + 3, OBJ),
        Leak(blocks[2], 30, first + 4, OBJ),
        Leak(blocks[3], 40, first + 5, OBJ),
        Leak(blocks[0], 7, first + 6, OBJ),
    ]
    assert leaks(limit=len(before) + 2) == found[: len(before) + 2]
    with OBJ.using(stack_on(below.table, OBJ, "hooks")):
        for block in blocks:
            OBJ.free(block)
    assert leaks() == before


def test_a_realloc_that_fails_does_not_make_a_block_younger(below: Reusing) -> None:
    before = leaks()
    with OBJ.using(stack_on(below.table, OBJ, "hooks")):
        blocks = [OBJ.malloc(10) for _ in range(3)]
        below.fails = True
        for block in (blocks[1], blocks[0]):
            with pytest.raises(OutOfMemoryError):
                OBJ.realloc(block, 100)
        assert [leak.address for leak in leaks()[len(before) :]] == blocks
        for block in blocks:
            OBJ.free(block)


@pytest.mark.parametrize("stack", STACKS)
def test_each_leak_counts_once_under_any_stack(below: Reusing, domain: Domain, stack: str) -> None:
    before = leaks()
    with domain.using(stack_on(below.table, domain, stack)):
        blocks = [domain.malloc(24), domain.calloc(3, 8), domain.realloc(domain.malloc(1), 24)]
        found = [leak for leak in leaks() if leak not in before]
        assert [(leak.address, leak.size) for leak in found] == [(block, 24) for block in blocks]
        for block in blocks:
            domain.free(block)
        assert leaks() == before


def ended(code: str, **environment: str) -> tuple[int, str]:
    lines = "\n".join(f"os.environ[{k!r}] = {v!r}" for k, v in environment.items())
    done = run_child(f"import os\n{lines}\nfrom heapyard.domain import *\n{code}")
    return done.exit_code, re.sub(r"0x[0-9a-f]+", "ADDRESS", done.errors)


def test_leaks_are_reported_at_exit_where_the_environment_asks_for_it() -> None:
    code = "OBJ.malloc(24); MEM.free(MEM.malloc(5)); RAW.malloc(0)"
    assert ended(code, HEAPYARD_MALLOC="debug", HEAPYARD_MALLOC_LEAKS="1") == (
        0,
        "heapyard: domain: leaked 2 blocks, 24 bytes\n"
        "    serial 1: obj block of 24 bytes at ADDRESS\n"
        "    serial 3: raw block of 0 bytes at ADDRESS\n",
    )


def test_the_list_at_exit_is_capped() -> None:
    code = "for _ in range(25): OBJ.malloc(1)"
    _, errors = ended(code, HEAPYARD_MALLOC="debug", HEAPYARD_MALLOC_LEAKS="1")
    assert errors.startswith("heapyard: domain: leaked 25 blocks, 25 bytes\n    serial 1: ")
    assert errors.endswith("    serial 20: obj block of 1 bytes at ADDRESS\n    and 5 more\n")


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("debug", "heapyard: domain: no leaks\n"),
        (
            "default",
            "heapyard: domain: leaks are not known without debug hooks (HEAPYARD_MALLOC=debug)\n",
        ),
    ],
)
def test_the_report_says_so_where_there_is_nothing_to_tell(mode: str, text: str) -> None:
    code = "OBJ.free(OBJ.malloc(1))"
    assert ended(code, HEAPYARD_MALLOC=mode, HEAPYARD_MALLOC_LEAKS="1") == (0, text)


@pytest.mark.parametrize("value", ["", "0"])
def test_no_report_where_it_was_not_asked_for(value: str) -> None:
    code = "OBJ.malloc(1)"
    assert ended(code, HEAPYARD_MALLOC="debug", HEAPYARD_MALLOC_LEAKS=value) == (0, "")


def test_hooks_set_up_twice_keep_their_blocks() -> None:
    before = leaks()
    for _ in range(2):
        setup_debug_hooks()
    blocks = [domain.malloc(1) for domain in DOMAINS]
    setup_debug_hooks()
    assert len(leaks()) == len(before) + 3
    for domain, block in zip(DOMAINS, blocks, strict=True):
        domain.free(block)
    assert leaks() == before
