"""What the end of an object costs, in instructions and in stack: neither depends on the machine."""

from __future__ import annotations

import resource
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.program import Program
from heapyard._native.build import current_build
from pytests.support.valgrind import skip_without_valgrind

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def program() -> Path:
    build = current_build()
    path = build.source.parent / "bin" / "bench_object"
    if build.sanitizer or not path.is_file():
        pytest.skip("needs bench_object, in a build without a sanitizer")
    return path


def test_a_plain_drop_takes_a_sixth_of_the_instructions_of_the_legacy_chain(program: Path) -> None:
    skip_without_valgrind(program, "plain", "1")
    bench = Program(program, 20_000, 220_000, ("2000",))

    def cost(way: str) -> float:
        return bench.instructions(f"drop-{way}") - bench.instructions(f"make-{way}")

    assert 6 * cost("plain") <= cost("legacy")
    assert cost("plain") <= 22, "15 and the loop"


@pytest.mark.parametrize("kind", ["dealloc", "finalize", "legacy"])
def test_a_list_of_a_million_nodes_goes_on_64_kib_of_stack(program: Path, kind: str) -> None:
    def limit_stack() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (64 << 10, 64 << 10))

    done = subprocess.run(
        [program, f"chain-{kind}", "1000000"],
        capture_output=True,
        preexec_fn=limit_stack,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
