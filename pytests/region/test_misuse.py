"""Misuse is told apart, in one stable line, and changes nothing."""

from __future__ import annotations

import pytest

from heapyard.misuse import MisuseKind, recorded_misuse
from heapyard.region import Engine, Region
from pytests.region.blocks import ENGINES, SETUPS, Blocks, Setup, contents, hulls
from pytests.support import dies

FAST = [setup for setup in SETUPS if setup.is_fast]
LIST = [setup for setup in SETUPS if not setup.is_fast]


def refused(blocks: Blocks, address: int, size: int | None = None) -> MisuseKind:
    """Free it; the kind that was reported, where exactly one was and nothing changed."""
    before = contents(blocks.region)
    with recorded_misuse() as reports:
        blocks.region.free(address, size)
    assert len(reports) == 1, reports
    assert reports[0].address == address
    assert reports[0].part == "region"
    assert contents(blocks.region) == before
    blocks.verify_all()
    return reports[0].kind


@pytest.mark.parametrize("setup", FAST, ids=str)
@pytest.mark.parametrize("inside", [16, 32, 496, 1008, 4096, 99_984])
def test_interior_pointer_of_a_live_block_is_told(setup: Setup, inside: int) -> None:
    blocks = Blocks(setup.region(1 << 20))
    blocks.must_take(10)
    address = blocks.must_take(100_000)
    blocks.must_take(10)
    assert refused(blocks, address + inside) is MisuseKind.INTERIOR_POINTER


@pytest.mark.parametrize("inside", [0, 16, 32, 496, 1008, 4080])
def test_pointer_into_free_memory_is_a_double_free(blocks: Blocks, inside: int) -> None:
    address = blocks.must_take(4096)
    blocks.must_take(10)
    blocks.give(address)
    assert refused(blocks, address + inside, 4) is MisuseKind.DOUBLE_FREE


@pytest.mark.parametrize("odd", [1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 31])
def test_pointer_between_granules_is_misaligned(blocks: Blocks, odd: int) -> None:
    address = blocks.must_take(64)
    assert refused(blocks, address + odd, 1) is MisuseKind.MISALIGNED_POINTER


@pytest.mark.parametrize("above", [0, 16, 4096, 20_000])
def test_pointer_above_the_bump_pointer_is_unused(blocks: Blocks, above: int) -> None:
    address = blocks.must_take(64)
    assert refused(blocks, address + 64 + above, 64) is MisuseKind.UNUSED_POINTER


@pytest.mark.parametrize("place", ["header", "handle", "behind", "before", "null page", "highest"])
def test_pointer_that_is_in_no_region_is_foreign(blocks: Blocks, place: str) -> None:
    blocks.must_take(64)
    start, end = next(hulls(blocks.region))
    span = blocks.region.span
    address = {
        "header": start - 16,
        "handle": blocks.region.handle,
        "behind": max(end, span.end),
        "before": span.address - 16,
        "null page": 16,
        "highest": 2**64 - 16,
    }[place]
    assert refused(blocks, address, 64) is MisuseKind.FOREIGN_POINTER


@pytest.mark.parametrize("setup", FAST, ids=str)
def test_pointer_into_the_map_is_foreign(setup: Setup) -> None:
    blocks = Blocks(setup.region())
    _, end = next(hulls(blocks.region))
    assert refused(blocks, end) is MisuseKind.FOREIGN_POINTER
    assert refused(blocks, blocks.region.span.end - 16) is MisuseKind.FOREIGN_POINTER


@pytest.mark.parametrize("setup", FAST, ids=str)
@pytest.mark.parametrize("asked", [1, 16, 17, 100, 1024, 1025, 5000])
@pytest.mark.parametrize("off", [-17, -16, 16, 17, 1000, 2**40, 2**64])
def test_any_other_size_is_told_by_the_fast_engine(setup: Setup, asked: int, off: int) -> None:
    blocks = Blocks(setup.region())
    address = blocks.must_take(asked)
    blocks.must_take(1)
    wrong = min(max(asked + off, 0), 2**64 - 1)
    if -(-max(wrong, 1) // 16) == -(-asked // 16):
        pytest.skip("the same number of granules")
    assert refused(blocks, address, wrong) is MisuseKind.WRONG_SIZE


@pytest.mark.parametrize("setup", LIST, ids=str)
@pytest.mark.parametrize("extra", [1, 16, 1000, 2**31, 2**33, 2**63, 2**64 - 65])
def test_a_size_that_overlaps_free_memory_is_told_by_the_list_engine(
    setup: Setup, extra: int
) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    address = blocks.must_take(64)
    behind = blocks.must_take(64)
    blocks.must_take(64)
    blocks.give(behind)
    assert refused(blocks, address, 64 + extra) is MisuseKind.WRONG_SIZE


@pytest.mark.parametrize("setup", LIST, ids=str)
@pytest.mark.parametrize("extra", [1, 16, 1 << 20, 2**32 - 64, 2**34, 2**63, 2**64 - 65])
def test_a_size_that_overlaps_unused_memory_is_told_by_the_list_engine(
    setup: Setup, extra: int
) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    address = blocks.must_take(64)
    assert refused(blocks, address, 64 + extra) is MisuseKind.WRONG_SIZE


@pytest.mark.parametrize("setup", LIST, ids=str)
def test_the_list_engine_wants_the_size(setup: Setup) -> None:
    blocks = Blocks(setup.region(), setup.granule)
    address = blocks.must_take(64)
    assert refused(blocks, address) is MisuseKind.BAD_ARGUMENT
    with recorded_misuse() as reports, pytest.raises(MemoryError):
        blocks.region.realloc(address, 100)
    assert [report.kind for report in reports] == [MisuseKind.BAD_ARGUMENT]


def test_free_of_null_has_no_effect(blocks: Blocks) -> None:
    before = contents(blocks.region)
    with recorded_misuse() as reports:
        blocks.region.free(None, 5)
        blocks.region.free(None)
    assert reports == []
    assert contents(blocks.region) == before


@pytest.mark.parametrize("call", ["realloc", "usable_size"])
@pytest.mark.parametrize("setup", FAST, ids=str)
def test_other_calls_check_the_pointer_too(setup: Setup, call: str) -> None:
    blocks = Blocks(setup.region())
    address = blocks.must_take(64)
    last = blocks.must_take(64)
    blocks.give(address)
    before = contents(blocks.region)
    wrong = [address, address + 16, last + 16, last + 8, last + 64, 4096]
    with recorded_misuse() as reports:
        for pointer in wrong:
            if call == "usable_size":
                assert blocks.region.usable_size(pointer) == 0
            else:
                with pytest.raises(MemoryError):
                    blocks.region.realloc(pointer, 100)
    assert [report.kind for report in reports] == [
        MisuseKind.DOUBLE_FREE,
        MisuseKind.DOUBLE_FREE,
        MisuseKind.INTERIOR_POINTER,
        MisuseKind.MISALIGNED_POINTER,
        MisuseKind.UNUSED_POINTER,
        MisuseKind.FOREIGN_POINTER,
    ]
    assert contents(blocks.region) == before


def test_misuse_counts_as_misuse_and_as_nothing_else(blocks: Blocks) -> None:
    blocks.must_take(64)
    before = blocks.region.counters()
    with recorded_misuse():
        blocks.region.free(4096, 1)
    after = blocks.region.counters()
    if before is None or after is None:
        pytest.skip("built without counters")
    changed = {n for n in after.names() if getattr(before, n) != getattr(after, n)} - {"steps"}
    assert changed == {"misuses"}
    assert after.misuses == 1


DEATHS = [
    ("free(a, 64); r.free(a, 64)", "double free"),
    ("free(4096, 64)", "foreign pointer"),
    ("free(a + 1, 64)", "misaligned pointer"),
    ("free(b + 64, 64)", "pointer into unused memory"),
    ("free(b, 65536)", "wrong size"),
]


@pytest.mark.death
@pytest.mark.parametrize("setup", ENGINES, ids=str)
@pytest.mark.parametrize(("call", "text"), DEATHS, ids=[text for _, text in DEATHS])
def test_by_default_misuse_prints_one_line_and_aborts(setup: Setup, call: str, text: str) -> None:
    code = f"""
        from heapyard.region import Engine, Region
        r = Region(65536, engine=Engine.{setup.engine.name})
        a, b = r.alloc(64), r.alloc(64)
        r.{call}
    """
    ended = dies(code, match=rf"^heapyard: region: {text} of 0x[0-9a-f]+\n$")
    assert ended.errors.count("heapyard:") == 1


@pytest.mark.death
def test_an_interior_pointer_prints_one_line_and_aborts() -> None:
    code = """
        from heapyard import Region
        r = Region(65536)
        r.free(r.alloc(64) + 16)
    """
    dies(code, match=r"^heapyard: region: interior pointer of 0x[0-9a-f]+\n$")


@pytest.mark.death
def test_the_list_engine_says_why_it_refuses_an_unsized_free() -> None:
    code = """
        from heapyard import Engine, Region
        r = Region(65536, engine=Engine.LIST)
        r.free(r.alloc(64))
    """
    dies(code, match=r"region: bad argument of 0x[0-9a-f]+ \(the list engine needs the size\)\n")


def test_regions_know_their_own_blocks_only() -> None:
    mine, other = Region(65536), Region(65536, engine=Engine.FAST)
    address = other.alloc(64)
    assert other.contains(address)
    assert not mine.contains(address)
    with recorded_misuse() as reports:
        mine.free(address)
    assert [report.kind for report in reports] == [MisuseKind.FOREIGN_POINTER]
