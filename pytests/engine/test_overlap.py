"""The checks `overlap` and `engine`: no two live blocks share a byte, and none is the engine's."""

from __future__ import annotations

import pytest

from pytests.engine.driver import GIB, KIB, MIB, checks, op, run

PAIRS = {
    "the-same-block-twice": (0, 32, 0, 32),
    "second-starts-inside-the-first": (0, 32, 16, 32),
    "first-starts-inside-the-second": (16, 32, 0, 32),
    "one-byte": (0, 32, 24, 9),
    "second-inside-the-first": (0, 4096, 1024, 16),
    "first-inside-the-second": (1024, 16, 0, 4096),
    "across-a-word-of-the-index": (448, 128, 512, 16),
    "across-a-word-from-below": (512, 16, 448, 128),
    "across-a-leaf-of-the-index": (16 * MIB - 64, 128, 16 * MIB + 32, 16),
    "more-than-512-bytes": (0, 4000, 3984, 32),
    "last-byte-of-a-big-block": (0, 2 * MIB, 2 * MIB - 16, 32),
    "last-byte-on-a-big-block": (2 * MIB, 2 * MIB, 2 * MIB - 16, 17),
    "big-over-small": (MIB, 32, 0, 3 * MIB),
    "small-inside-big": (0, 3 * MIB, MIB, 32),
    "big-over-big": (0, 2 * MIB, MIB, 2 * MIB),
    "huge-over-small": (512 * MIB, 32, 0, GIB - 1),
    "odd-addresses": (3, 10, 12, 10),
    "odd-inside-even": (0, 32, 13, 3),
    "even-over-odd": (13, 3, 0, 32),
    "zero-bytes-twice": (64, 0, 64, 0),
    "zero-bytes-inside-a-block": (0, 64, 32, 0),
    "a-block-over-zero-bytes": (32, 0, 0, 64),
}

NEIGHBOURS = {
    "touching": (0, 32, 32, 32),
    "touching-odd-sizes": (0, 24, 24, 8),
    "touching-odd-addresses": (0, 13, 13, 3),
    "touching-odd-addresses-below": (13, 3, 0, 13),
    "odd-then-even": (3, 5, 8, 8),
    "touching-big": (0, 2 * MIB, 2 * MIB, 2 * MIB),
    "small-after-big": (0, 2 * MIB, 2 * MIB, 16),
    "big-after-small": (0, 16, 16, 2 * MIB),
    "at-a-leaf-border": (16 * MIB - 64, 64, 16 * MIB, 64),
    "zero-bytes-after-a-block": (0, 64, 64, 0),
}


@pytest.mark.parametrize(("first", "size", "second", "other"), PAIRS.values(), ids=PAIRS)
def test_blocks_that_share_a_byte_are_told(first: int, size: int, second: int, other: int) -> None:
    done = run(
        [op("malloc", 0, size), op("malloc", 1, other)],
        script=f"{first} {second}",
        checks=checks("overlap"),
    )
    assert done.found == ("overlap", "malloc")
    assert done.result["op"] == 1
    assert f"slot 0 holds {size} bytes" in done.result["seen"]


@pytest.mark.parametrize("asked", ["engine", "overlap", "mapped", "align", "content"])
def test_a_block_that_reaches_into_the_memory_of_the_engine_is_told(asked: str) -> None:
    """The kernel maps the arena of 8 GiB below the 16 GiB that the engine has reserved before."""
    done = run([op("malloc", 0, 12 * GIB)], script="0", checks=checks(asked))
    assert done.found == ("engine", "malloc")
    assert "in memory that is the engine's" in done.result["seen"]


def test_usable_bytes_that_reach_into_the_memory_of_the_engine_are_not_written() -> None:
    plan = [op("malloc", 0, 32), op("fill_usable", 0)]
    done = run(plan, script=f"0 ={12 * GIB}", checks=checks("content"))
    assert done.found == ("engine", "fill_usable")
    assert f"{12 * GIB} bytes" in done.result["seen"]


@pytest.mark.parametrize(("first", "size", "second", "other"), NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_neighbours_do_not_overlap(first: int, size: int, second: int, other: int) -> None:
    done = run(
        [op("malloc", 0, size), op("malloc", 1, other), op("free", 0), op("free", 1)],
        script=f"{first} {second}",
        checks=checks("overlap", "content"),
    )
    assert done.status == "held"


@pytest.mark.parametrize("size", [0, 1, 16, 100, 512, 520, 4 * KIB, 3 * MIB])
@pytest.mark.parametrize("offset", [0, 5, 16 * MIB - 40])
def test_an_address_is_free_again_after_free(size: int, offset: int) -> None:
    twice = [op("malloc", 0, size), op("free", 0)] * 2
    assert run(twice, script=f"{offset} - {offset}", checks=checks("overlap")).status == "held"


@pytest.mark.parametrize("kept", [0, 2])
def test_freeing_one_block_leaves_its_neighbours_taken(kept: int) -> None:
    plan = [
        *(op("malloc", i, 24) for i in range(3)),
        op("free", 1),
        op("malloc", 3, 24),
    ]
    done = run(plan, script=f"0 24 48 - {kept * 24}", checks=checks("overlap"))
    assert f"slot {kept} holds" in done.result["seen"]


def test_freeing_a_block_at_an_odd_address_leaves_its_neighbour_taken() -> None:
    plan = [op("malloc", 0, 13), op("malloc", 1, 3), op("free", 1), op("malloc", 2, 4)]
    assert run(plan, script="0 13 - 8", checks=checks("overlap")).found == ("overlap", "malloc")


@pytest.mark.parametrize("size", [16, 2 * MIB])
def test_a_neighbour_of_a_big_block_comes_and_goes(size: int) -> None:
    """More often than there are slots: nothing of it may stay in the index."""
    neighbour = [op("malloc", 1, size), op("free", 1)] * 8
    script = "0" + f" {2 * MIB} -" * 8
    assert run([op("malloc", 0, 2 * MIB), *neighbour], script=script).status == "held"


def test_a_moved_block_leaves_its_old_addresses() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 128), op("malloc", 1, 64)]
    assert run(plan, script="0 4096+64 0").status == "held"


def test_a_moved_block_takes_its_new_addresses() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 128), op("malloc", 1, 64)]
    assert run(plan, script="0 4096+64 4112").found == ("overlap", "malloc")


def test_realloc_may_answer_a_block_over_the_old_one() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 128)]
    assert run(plan, script="32 0+64").status == "held"


def test_realloc_onto_another_block_is_told() -> None:
    plan = [op("malloc", 0, 64), op("malloc", 1, 64), op("realloc", 0, 128)]
    assert run(plan, script="0 128 64+64").found == ("overlap", "realloc")


def test_a_failed_realloc_keeps_the_old_addresses() -> None:
    plan = [op("malloc", 0, 64), op("realloc", 0, 128, expect=2), op("malloc", 1, 64)]
    assert run(plan, script="0 enomem 32").found == ("overlap", "malloc")


def test_a_block_that_wraps_around_the_address_space_is_told() -> None:
    done = run([op("malloc", 0, 1 << 63)], script="0", checks=checks("overlap"))
    assert done.found == ("overlap", "malloc")


def test_with_the_check_off_overlaps_are_not_reported() -> None:
    plan = [op("malloc", 0, 32), op("malloc", 1, 32), op("free", 0), op("free", 1)]
    assert run(plan, script="0 0", checks=checks("null", "mapped")).status == "held"


def test_a_forgotten_block_leaves_the_model() -> None:
    plan = [op("malloc", 0, 32), op("forget", 0), op("malloc", 0, 32)]
    assert run(plan, script="0 0").status == "held"
