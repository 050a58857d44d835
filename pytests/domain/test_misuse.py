"""Every misuse is named by one line, whatever allocator is below and however hooks are stacked.

Each runs in a child, which prints the address that the line must name.
"""

from __future__ import annotations

import re

import pytest

from pytests.domain.stacks import STACKS
from pytests.support import dies, runs

MISUSES = {
    "overflow": (
        "write(block + 24, b'x'); OBJ.free(block)",
        r"overflow of BLOCK (obj block of 24 bytes, serial N: byte 24)",
    ),
    "overflow_at_realloc": (
        "write(block + 39, b'x'); OBJ.realloc(block, 100)",
        r"overflow of BLOCK (obj block of 24 bytes, serial N: byte 39)",
    ),
    "underflow": (
        "write(block - 1, b'x'); OBJ.free(block)",
        r"underflow of BLOCK (obj block of 24 bytes, serial N: byte -1)",
    ),
    "overwritten_header": (
        "write(block - 32, b'xxxxxxxx'); OBJ.free(block)",
        r"underflow of BLOCK (obj block of 24 bytes, serial N: byte -25)",
    ),
    "overflow_on_demand": (
        "write(block + 24, b'x'); check_all()",
        r"overflow of BLOCK (obj block of 24 bytes, serial N: byte 24)",
    ),
    "wrong_domain": (
        "MEM.free(block)",
        r"wrong domain of BLOCK (obj block of 24 bytes, serial N, through mem)",
    ),
    "wrong_domain_at_realloc": (
        "RAW.realloc(block, 8)",
        r"wrong domain of BLOCK (obj block of 24 bytes, serial N, through raw)",
    ),
    "double_free": (
        "OBJ.free(block); OBJ.free(block)",
        r"double free of BLOCK (obj block of 24 bytes, serial N)",
    ),
    "double_free_after_quarantine": (
        "OBJ.malloc(24); OBJ.free(block); flush(OBJ); OBJ.free(block)",
        r"double free of BLOCK (obj block of 24 bytes, serial N)",
    ),
    "realloc_after_free": (
        "OBJ.free(block); OBJ.realloc(block, 30)",
        r"double free of BLOCK (obj block of 24 bytes, serial N)",
    ),
    "free_of_what_realloc_moved": (
        "OBJ.realloc(block, 3000); OBJ.free(block)",
        r"double free of BLOCK (obj block of 24 bytes, serial N)",
    ),
    "write_after_free": (
        "OBJ.free(block); write(block + 5, b'x'); flush(OBJ)",
        r"write after free of BLOCK (obj block of 24 bytes, serial N: byte 5)",
    ),
    "write_after_free_on_demand": (
        "OBJ.free(block); write(block + 23, b'x'); check_all()",
        r"write after free of BLOCK (obj block of 24 bytes, serial N: byte 23)",
    ),
    "write_beside_after_free": (
        "OBJ.free(block); write(block + 24, b'x'); check_all()",
        r"write after free of BLOCK (obj block of 24 bytes, serial N: byte 24)",
    ),
    "foreign": (
        "block = addressof(create_string_buffer(64)); OBJ.free(block)",
        r"foreign pointer of BLOCK (not a block of obj)",
    ),
    "foreign_nowhere": (
        "block = 64; OBJ.free(block)",
        r"foreign pointer of 0x40 (not a block of obj)",
    ),
    "interior": (
        "block += 8; OBJ.free(block)",
        r"interior pointer of BLOCK (byte 8 of the obj block of 24 bytes, serial N)",
    ),
    "before_the_block": (
        "block -= 16; OBJ.free(block)",
        r"interior pointer of BLOCK (byte -16 of the obj block of 24 bytes, serial N)",
    ),
    "no_lock": (
        "declare_lock(held=False); OBJ.free(block)",
        r"use without the lock of BLOCK (obj free)",
    ),
    "no_lock_says_the_function": (
        "set_lock_check(lambda: False); OBJ.realloc(block, 3)",
        r"use without the lock of BLOCK (obj realloc)",
    ),
}

CHILD = """
from ctypes import addressof, create_string_buffer
from heapyard.debug import check_all, declare_lock, set_lock_check
from heapyard.domain import MEM, OBJ, RAW
from pytests.domain.stacks import stacked
from pytests.support.memory import write

def flush(domain):
    for _ in range(2):
        for block in [domain.malloc(500) for _ in range(9000)]:
            domain.free(block)

stacked({bottom!r}, {stack!r})
block = OBJ.malloc(24)
print(hex(block), flush=True)
{code}
"""


def line_of(text: str, block: str) -> str:
    """The pattern of the first line on standard error."""
    pattern = text.replace("(", r"\(").replace(")", r"\)").replace("N", r"\d+")
    return rf"\Aheapyard: domain: {pattern.replace('BLOCK', block)}\n    \w+ +0x"


def code_for(name: str, bottom: str, stack: str) -> str:
    code = MISUSES[name][0].replace("; ", "\n")
    if "block = " in code or "block += " in code or "block -= " in code:
        code = code.replace("\n", "\nprint(hex(block), flush=True)\n", 1)
    return CHILD.format(bottom=bottom, stack=stack, code=code)


@pytest.mark.death
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("bottom", ["malloc", "heap", "reusing"])
@pytest.mark.parametrize("name", MISUSES)
def test_misuse_aborts_with_its_line(name: str, bottom: str, stack: str) -> None:
    ended = dies(code_for(name, bottom, stack), match=r"\Aheapyard: domain: ")
    text = MISUSES[name][1]
    pattern = line_of(text, ended.output.split()[-1])
    if name.startswith("no_lock"):
        pattern = pattern.removesuffix(r"    \w+ +0x") + r"\Z"

    assert re.search(pattern, ended.errors), f"no {pattern!r} in:\n{ended}"


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("bottom", ["malloc", "heap", "reusing", "unmapping"])
def test_sound_use_is_not_reported(bottom: str, stack: str) -> None:
    runs(
        f"""
        from heapyard.debug import check_all, leaks
        from heapyard.domain import DOMAINS
        from pytests.domain.stacks import stacked
        from pytests.support.memory import fill
        stacked({bottom!r}, {stack!r})
        for domain in DOMAINS:
            blocks = []
            for size in range(200):
                block = domain.malloc(size)
                fill(block, 7, size)
                block = domain.realloc(block, 3 * size)
                fill(block, 8, 3 * size)
                blocks.append(domain.realloc(block, size // 2))
                blocks.append(domain.calloc(size, 2))
            assert check_all() == 0
            for block in blocks:
                domain.free(block)
        assert check_all() == 0
        assert leaks() == []
        """
    )
