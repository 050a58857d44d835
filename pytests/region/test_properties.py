"""The twelve properties of a coalescing region allocator, numbered as in docs/region.md.

Where another module holds a property for any plan, what stands here is the plain case of it.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from heapyard.block import BlockState
from heapyard.errors import CheckFailedError
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.region import Engine, Span
from pytests.region.blocks import (
    ENGINES,
    SETUPS,
    Blocks,
    Setup,
    contents,
    free_runs,
    hulls,
    unused_bytes,
    usable_bytes,
)
from pytests.region.native_tools import build, output
from pytests.support.memory import peek, poke

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIB = 1 << 10


def churn(blocks: Blocks, seed: int, calls: int = 300) -> Iterator[None]:
    """Random calls; yields after each."""
    draw = random.Random(seed)
    for _ in range(calls):
        size = draw.choice([draw.randrange(80), draw.randrange(700), draw.randrange(9000)])
        if blocks.live and draw.random() < 0.45:
            blocks.give(draw.choice(sorted(blocks.live)))
        elif blocks.live and draw.random() < 0.2:
            blocks.resize(draw.choice(sorted(blocks.live)), size)
        else:
            blocks.take(size, alignment=draw.choice([None, None, None, 64, 512]))
        yield


@pytest.mark.parametrize("seed", range(5))
def test_01_live_free_metadata_and_unused_sum_to_the_size_after_every_call(
    blocks: Blocks, seed: int
) -> None:
    for _ in churn(blocks, seed):
        counters = blocks.region.counters()
        if counters is None:
            pytest.skip("built without counters")
        parts = counters.live_bytes + counters.free_bytes + counters.metadata_bytes
        assert parts + counters.unused_bytes == counters.region_bytes == blocks.region.span.size
        assert counters.live_bytes == sum(map(blocks.occupied, blocks.live.values()))


@pytest.mark.parametrize("seed", range(5))
def test_02_the_walk_is_ordered_contiguous_and_goes_from_start_to_end(
    blocks: Blocks, seed: int
) -> None:
    span = blocks.region.span
    for _ in churn(blocks, seed):
        runs = blocks.region.walk()
        assert (runs[0].address, runs[-1].end) == (span.address, span.end)
        assert all(one.end == two.address for one, two in pairwise(runs))
        assert all(run.size > 0 for run in runs)


@pytest.mark.parametrize("seed", range(5))
def test_02_the_walk_of_the_fast_engine_shows_each_live_block(seed: int) -> None:
    blocks = Blocks(Setup(Engine.FAST).region())
    for _ in churn(blocks, seed):
        shown = [(r.address, r.size) for r in blocks.region.walk() if r.state is BlockState.LIVE]
        live = sorted(blocks.live.values(), key=lambda block: block.address)
        assert shown == [(block.address, blocks.occupied(block)) for block in live]


@pytest.mark.parametrize("seed", range(5))
def test_03_no_two_free_blocks_touch_and_none_touches_the_bump_pointer(
    blocks: Blocks, seed: int
) -> None:
    reusable = (BlockState.FREE, BlockState.UNUSED)
    for _ in churn(blocks, seed):
        for one, two in pairwise(blocks.region.walk()):
            assert not (one.state in reusable and two.state in reusable), blocks.map()


@pytest.mark.parametrize("seed", range(5))
def test_04_blocks_lie_inside_apart_and_keep_their_contents(blocks: Blocks, seed: int) -> None:
    for _ in churn(blocks, seed):
        blocks.gaps()  # fails where blocks overlap, or run out of their region
        blocks.verify_all()


@pytest.mark.parametrize("seed", range(8))
def test_05_freeing_everything_in_any_order_restores_counters_and_the_largest_block(
    setup: Setup, seed: int
) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    before, walked = blocks.region.counters(), blocks.region.walk()
    for _ in churn(blocks, seed):
        pass
    order = sorted(blocks.live)
    random.Random(seed).shuffle(order)
    for address in order:
        blocks.give(address)
    assert blocks.region.walk() == walked
    after = blocks.region.counters()
    if before is not None and after is not None:
        now = ("live_bytes", "free_bytes", "metadata_bytes", "unused_bytes", "free_blocks")
        assert [getattr(after, n) for n in now] == [getattr(before, n) for n in now]
    assert blocks.must_take(usable_bytes(blocks.region))


@pytest.mark.parametrize("size", [1, 16, 24, 40, 100, 1000, 1016, 1024, 1030, 3000, 20_000])
def test_06_what_was_freed_can_be_taken_again_on_a_full_region(blocks: Blocks, size: int) -> None:
    address = blocks.must_take(size)
    blocks.must_take(1)
    while blocks.take(1) is not None:
        pass
    for _ in range(3):
        blocks.give(address)
        assert blocks.must_take(size) == address


@pytest.mark.parametrize("size", [0, 1, 64, 2**32, 2**63, 2**64 - 16, 2**64 - 3, 2**64 - 1])
@pytest.mark.parametrize("alignment", [None, 0, 3, 2**31])
def test_07_what_fails_changes_no_byte_and_counts_a_failure_only(
    blocks: Blocks, size: int, alignment: int | None
) -> None:
    blocks.must_take(100)
    start, end = blocks.gaps()[-1]
    blocks.must_take(end - start)
    before, counted = contents(blocks.region), blocks.region.counters()
    assert blocks.take(size, alignment=alignment) is None
    assert contents(blocks.region) == before
    after = blocks.region.counters()
    if counted is not None and after is not None:
        changed = [n for n in after.names() if getattr(after, n) != getattr(counted, n)]
        assert set(changed) - {"steps", "peak_steps"} == {"failures"}


def test_08_five_wrong_frees_have_five_names() -> None:
    blocks = Blocks(Setup(Engine.FAST).region())
    one, two, _ = (blocks.must_take(64) for _ in range(3))
    blocks.give(one)
    before = contents(blocks.region)
    with recorded_misuse() as reports:
        for pointer in (one, two + 16, 4096, two + 1, two + 4096):
            blocks.region.free(pointer)
        blocks.region.free(two, 100)
    assert [report.kind for report in reports] == [
        MisuseKind.DOUBLE_FREE,
        MisuseKind.INTERIOR_POINTER,
        MisuseKind.FOREIGN_POINTER,
        MisuseKind.MISALIGNED_POINTER,
        MisuseKind.UNUSED_POINTER,
        MisuseKind.WRONG_SIZE,
    ]
    assert contents(blocks.region) == before


@pytest.mark.usefixtures("overwriting")
@pytest.mark.parametrize("setup", [s for s in SETUPS if s.poison], ids=str)
def test_09_memory_written_after_free_is_found(setup: Setup) -> None:
    """Single bits of sizes, links and states: test_check.py."""
    blocks = Blocks(setup.region(), setup.granule)
    address, _ = blocks.must_take(500), blocks.must_take(1)
    blocks.give(address)
    poke(address + 300, b"?")
    with pytest.raises(CheckFailedError, match="written after"):
        blocks.region.check()
    with recorded_misuse() as reports:
        assert blocks.take(400) is None
    assert {report.kind for report in reports} == {MisuseKind.WRITE_AFTER_FREE}


@pytest.mark.parametrize("count", [10, 100, 1000])
@pytest.mark.parametrize("setup", ENGINES, ids=str)
def test_10_steps_are_bounded(setup: Setup, count: int) -> None:
    """fast: by a constant; list: by the free blocks."""
    region = setup.region(4 << 20)
    draw = random.Random(count)
    sizes = [draw.choice([16, 48, 200, 1024, 1500, 3000]) for _ in range(count)]
    addresses = [(region.alloc(size), region.alloc(1), size)[::2] for size in sizes]
    for address, size in addresses:
        region.free(address, size)
    for _ in range(300):
        size = draw.randrange(1, 4000)
        region.free(region.alloc(size), size)
        counters = region.counters()
        if counters is None:
            pytest.skip("built without counters")
        assert counters.steps <= (60 if setup.is_fast else counters.free_blocks + 3)


@pytest.mark.parametrize("seed", range(4))
def test_11_guard_bytes_on_both_sides_stay(setup: Setup, seed: int) -> None:
    memory = Span(64 * KIB)
    poke(memory.address, bytes(range(256)) * 256)
    part = memory.part(1001 + seed, 40_000 + 7 * seed)
    blocks = Blocks(setup.region(part), setup.granule)
    for _ in churn(blocks, seed):
        pass
    blocks.give_all()
    blocks.region.reset()
    whole = bytes(range(256)) * 256
    below, above = part.address - memory.address, part.end - memory.address
    assert peek(memory.address, below) == whole[:below]
    assert peek(part.end, memory.end - part.end) == whole[above:]


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same program for 64 and for 32 bits."""
    folder = tmp_path_factory.mktemp("sequence")
    flags = ["-DHEAPYARD_COUNTERS=1", "-DHEAPYARD_ASSERT_LEVEL=2"]
    return (
        build(folder / "native", "sequence.c", flags),
        build(folder / "narrow", "sequence.c", [*flags, "-m32"]),
    )


@pytest.mark.parametrize("setup", SETUPS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_12_one_seed_gives_the_same_blocks_with_32_and_64_bits(
    sequences: tuple[Path, Path], setup: Setup, seed: int
) -> None:
    arguments = (int(setup.engine), setup.granule, int(setup.poison), seed, 10_000)
    wide, narrow = (output(program, *arguments) for program in sequences)
    assert len(wide.splitlines()) == 10_004
    assert wide.splitlines()[-1] == "0"
    assert wide == narrow


def test_everything_is_usable_again_after_a_full_region_was_emptied(setup: Setup) -> None:
    blocks = Blocks(setup.region(1 << 20), setup.granule)
    assert usable_bytes(blocks.region) >= (0.96 if setup.is_fast else 0.999) * (1 << 20)
    draw = random.Random(3)
    while blocks.take(draw.randrange(3000)) is not None:
        pass
    order = list(blocks.live)
    draw.shuffle(order)
    for address in order:
        blocks.give(address)
    assert free_runs(blocks.region) == []
    assert unused_bytes(blocks.region) == usable_bytes(blocks.region)
    assert next(hulls(blocks.region))
