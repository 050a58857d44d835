"""What a small request costs beside an inlined pointer increment with a bound check.

Counted in instructions by callgrind, which does not depend on what else the machine does. The
times are in docs/performance/bump.md.
"""

from __future__ import annotations

import pytest

from bench.program import Program
from heapyard import Bump, FaultyPages
from heapyard._native.build import current_build
from pytests.support.valgrind import skip_without_valgrind


@pytest.fixture(scope="module")
def bench() -> Program:
    build = current_build()
    program = build.source.parent / "bin" / "bench_bump"
    if build.sanitizer or not program.is_file():
        pytest.skip("needs bench_bump, in a build without a sanitizer")
    skip_without_valgrind(program, "bump", "1")
    return Program(program)


def test_a_small_request_takes_at_most_twice_the_instructions_of_an_increment(
    bench: Program,
) -> None:
    assert bench.instructions("bump") <= 2.0 * bench.instructions("increment")


@pytest.mark.parametrize("size", [20, 200, 2000])
def test_close_takes_as_many_system_calls_as_there_are_blocks_of_pages(size: int) -> None:
    source = FaultyPages()
    with Bump(source=source) as bump:
        for _ in range(4_000_000 // size):
            bump.alloc(size)
        maps = source.counts.maps
    assert source.counts.unmaps == maps
    assert maps <= 4_000_000 // size * ((size + 31) // 16 * 16 + 16) // (60 << 10) + 2
