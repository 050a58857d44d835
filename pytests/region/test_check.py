"""check finds every single bit of a size, a link or a state that is wrong, and nothing else.

Valid because each bit is put back after its test: the region must be sound again then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heapyard.errors import CheckFailedError
from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.region import Violation
from pytests.region.anatomy import (
    Field,
    bin_fields,
    fast_block_fields,
    header_fields,
    list_block_fields,
    map_fields,
    segment_of,
)
from pytests.region.blocks import SETUPS, Blocks, Setup, free_runs
from pytests.support.memory import peek, poke

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAST = [setup for setup in SETUPS if setup.is_fast]
LIST = [setup for setup in SETUPS if not setup.is_fast]
SIZES = [16, 16, 48, 48, 48, 1008, 1024, 1040, 1040, 1040, 1300, 1500, 1700, 1900, 2000, 2032, 5000]


def worn(setup: Setup) -> Blocks:
    """A region with free blocks in lists, in trees and on nodes' lists, and live ones between."""
    blocks = Blocks(setup.region(1 << 18), setup.granule)
    pairs = [(blocks.must_take(size), blocks.must_take(size % 90)) for size in SIZES]
    blocks.must_take(40_000)
    for address, _ in pairs:
        blocks.give(address)
    blocks.verify_all()
    return blocks


def flips(field: Field) -> Iterator[int]:
    """Turn each bit of a field over, one at a time, and put it back."""
    whole = int.from_bytes(peek(field.address, field.size), "little")
    for bit in range(8 * field.size):
        poke(field.address, (whole ^ 1 << bit).to_bytes(field.size, "little"))
        yield bit
        poke(field.address, whole.to_bytes(field.size, "little"))


def violation(blocks: Blocks) -> Violation:
    try:
        blocks.region.check()
    except CheckFailedError as error:
        return Violation(error.code)
    return Violation.SOUND


def missed(blocks: Blocks, fields: Callable[[Blocks], Iterator[Field]]) -> list[str]:
    """The bits whose flip the check does not find."""
    if blocks.region.counters() is None:
        pytest.skip("built without counters")
    found = []
    for field in list(fields(blocks)):
        unseen = [bit for bit in flips(field) if violation(blocks) is Violation.SOUND]
        found += [f"bit {bit} of {field}" for bit in unseen]
        blocks.region.check()
    return found


@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_check_finds_each_wrong_bit_of_the_headers(setup: Setup) -> None:
    assert missed(worn(setup), header_fields) == []


@pytest.mark.parametrize("setup", FAST, ids=str)
def test_check_finds_each_wrong_bit_of_the_bins(setup: Setup) -> None:
    assert missed(worn(setup), bin_fields) == []


@pytest.mark.parametrize("setup", FAST, ids=str)
def test_check_finds_each_wrong_bit_of_the_map(setup: Setup) -> None:
    assert missed(worn(setup), map_fields) == []


@pytest.mark.parametrize("setup", FAST, ids=str)
def test_check_finds_each_wrong_bit_in_free_blocks_of_the_fast_engine(setup: Setup) -> None:
    assert missed(worn(setup), fast_block_fields) == []


@pytest.mark.parametrize("setup", LIST, ids=str)
def test_check_finds_each_wrong_bit_of_the_list(setup: Setup) -> None:
    assert missed(worn(setup), list_block_fields) == []


@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_walk_and_check_of_a_worn_region_agree_with_its_live_blocks(setup: Setup) -> None:
    blocks = worn(setup)
    gaps = blocks.gaps()
    assert [(run.address, run.end) for run in free_runs(blocks.region)] == gaps[:-1]


@pytest.mark.usefixtures("overwriting")
@pytest.mark.parametrize("setup", FAST, ids=str)
@pytest.mark.parametrize("word", range(4))
@pytest.mark.parametrize("size", [16, 48, 1040])
def test_a_free_block_that_was_written_over_is_reported_when_a_neighbour_is_freed(
    setup: Setup, size: int, word: int
) -> None:
    """Words 0 to 2 are its header; 3 stands for its last, whatever its size."""
    blocks = Blocks(setup.region())
    before, address, after = (blocks.must_take(n) for n in (64, size, 64))
    blocks.must_take(16)
    blocks.give(address)
    place = address + 4 * word if word < 3 else address + size - 4
    kept = peek(place, 4)
    poke(place, b"\x41\x42\x43\x44")
    live = {n: blocks.live[n] for n in (before, after)}
    with recorded_misuse() as reports:
        blocks.region.free(after)
        if not reports:
            pytest.fail("nothing was reported")
    assert {report.kind for report in reports} == {MisuseKind.CORRUPTED}
    poke(place, kept)
    blocks.live.update(live)
    blocks.verify_all()


@pytest.mark.usefixtures("overwriting")
@pytest.mark.parametrize("word", [0, 1])
@pytest.mark.parametrize("setup", LIST, ids=str)
def test_a_list_that_was_written_over_is_reported_and_not_followed(setup: Setup, word: int) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    address, _ = blocks.must_take(64), blocks.must_take(64)
    blocks.give(address)
    kept = peek(address + 4 * word, 4)
    poke(address + 4 * word, b"\xff\xff\xff\xff")
    with recorded_misuse() as reports:
        assert blocks.take(200) is None
    assert reports
    assert {report.kind for report in reports} == {MisuseKind.CORRUPTED}
    poke(address + 4 * word, kept)
    blocks.verify_all()


@pytest.mark.usefixtures("overwriting")
@pytest.mark.parametrize("setup", FAST, ids=str)
@pytest.mark.parametrize("size", [16, 48, 1040])
def test_a_free_block_that_was_written_over_is_not_handed_out(setup: Setup, size: int) -> None:
    blocks = Blocks(setup.region())
    address, _ = blocks.must_take(size), blocks.must_take(16)
    blocks.give(address)
    kept = peek(address + 8, 4)
    poke(address + 8, b"\xff\xff\xff\xff")
    with recorded_misuse() as reports:
        taken = blocks.take(size)
    assert taken is None or taken != address
    if taken is None:
        assert {report.kind for report in reports} == {MisuseKind.CORRUPTED}
    poke(address + 8, kept)
    blocks.verify_all()


@pytest.mark.usefixtures("overwriting")
@pytest.mark.parametrize("setup", FAST, ids=str)
@pytest.mark.parametrize("sizes", [(48, 48), (48, 1040), (1040, 48), (2000, 1500)], ids=str)
def test_where_one_neighbour_was_written_over_the_other_stays_in_its_bin(
    setup: Setup, sizes: tuple[int, int]
) -> None:
    blocks = Blocks(setup.region())
    before, middle, after, _ = (blocks.must_take(n) for n in (sizes[0], 64, sizes[1], 16))
    blocks.give(before)
    blocks.give(after)
    kept = peek(after + 8, 4)
    poke(after + 8, b"\xff\xff\xff\xff")
    with recorded_misuse() as reports:
        blocks.region.free(middle)
    assert [report.kind for report in reports] == [MisuseKind.CORRUPTED]
    poke(after + 8, kept)
    blocks.verify_all()


@pytest.mark.usefixtures("overwriting")
@pytest.mark.parametrize("setup", FAST, ids=str)
@pytest.mark.parametrize("field", [0, 4], ids=["next", "previous"])
@pytest.mark.parametrize("size", [48, 2000])
def test_a_link_to_a_block_that_does_not_link_back_is_reported(
    setup: Setup, size: int, field: int
) -> None:
    """The link leads to a granule that may be a block's: only that block can tell."""
    blocks = Blocks(setup.region())
    pairs = [(blocks.must_take(size), blocks.must_take(64)) for _ in range(4)]
    for address, _ in pairs[:3]:
        blocks.give(address)
    address, behind = pairs[1]
    kept = peek(address + field, 4)
    poke(address + field, (pairs[3][0] - segment_of(blocks) - 448 >> 4).to_bytes(4, "little"))
    with recorded_misuse() as reports:
        blocks.region.free(behind)
    assert [report.kind for report in reports] == [MisuseKind.CORRUPTED]
    poke(address + field, kept)
    blocks.verify_all()


@pytest.mark.parametrize("setup", FAST, ids=str)
def test_check_finds_blocks_on_the_wrong_side_of_a_tree(setup: Setup) -> None:
    blocks = worn(setup)
    nodes = [f.address for f in fast_block_fields(blocks) if f.name.startswith("child 0")]
    swapped = 0
    for node in nodes:
        children = peek(node, 8)
        if children == bytes(8):
            continue
        poke(node, children[4:] + children[:4])
        assert violation(blocks) is Violation.BAD_BIN
        poke(node, children)
        swapped += 1
    assert swapped > 0
    blocks.region.check()
