"""map: the pools and blocks drawn in the terminal and as SVG, readable at any size."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from heapyard.errors import BadArgumentError
from heapyard.heap.map import LEAST_WIDTH
from pytests.heap.verify import counters_of

if TYPE_CHECKING:
    from heapyard import Heap
    from pytests.heap.conftest import MakeHeap

ARENA = 256 << 10
SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = [LEAST_WIDTH, 80, 200]


def small_heap(make_heap: MakeHeap) -> tuple[Heap, list[int]]:
    """One arena: 48 blocks of 1,024 bytes, every other one free, and a run."""
    heap = make_heap(arena_size=1 << 20, strict=True)
    blocks = [heap.malloc(1024) for _ in range(48)]
    for block in blocks[::2]:
        heap.free(block)
    heap.malloc(70_000)
    return heap, blocks


def wide_heap(make_heap: MakeHeap, arenas: int) -> Heap:
    heap = make_heap(arena_size=ARENA)
    while counters_of(heap).arenas < arenas:
        for _ in range(50):
            heap.malloc(4000)
    return heap


def arena_lines(text: str) -> list[str]:
    return text.split("\n\n", maxsplit=1)[0].splitlines()[2:]


def test_the_map_counts_what_it_shows(make_heap: MakeHeap) -> None:
    heap, _ = small_heap(make_heap)
    heap.malloc(500_000)
    drawn = heap.map()
    assert (len(drawn.arenas), len(drawn.large_blocks)) == (1, 1)
    live = sum(span.live_bytes for span in drawn.spans)
    assert live == counters_of(heap).live_bytes
    assert drawn.draw(width=80).startswith("1 arena, 1 large block: ")
    assert f"{live / 1024:,.0f} KiB live of" in drawn.draw(width=80)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal(make_heap: MakeHeap, width: int) -> None:
    for heap in (small_heap(make_heap)[0], wide_heap(make_heap, 30)):
        text = heap.map().draw(width=width)
        bound = max(width, 60)  # a pool's line says what it must
        assert max(map(len, text.splitlines())) <= bound


def test_a_cell_shows_how_much_of_it_is_live(make_heap: MakeHeap) -> None:
    heap, blocks = small_heap(make_heap)
    cells = "".join(line[-64:] for line in arena_lines(heap.map().draw(width=88)))
    start = next(iter(heap.map().arenas)).address
    assert cells.startswith("≡")
    page = (blocks[2] - start) // 4096
    assert cells[page] in "░▒▓"
    assert "█" in cells
    assert cells.rstrip().endswith("·")


@pytest.mark.usefixtures("exact")
def test_blocks_of_a_pool_are_drawn_one_by_one(make_heap: MakeHeap) -> None:
    heap = make_heap(arena_size=ARENA, strict=True, pool_size=4096)
    blocks = sorted(heap.malloc(512) for _ in range(8))
    heap.free(blocks[1])
    heap.free(blocks[4])
    (line,) = [line for line in heap.map().draw(width=80).splitlines() if "512 B x 8" in line]
    assert line.split()[-1] == "█○██○███"
    assert " 6 live " in line


def test_the_pools_with_the_least_in_use_come_first(make_heap: MakeHeap) -> None:
    heap = make_heap(strict=True)
    full = [heap.malloc(16) for _ in range(5000)]
    sparse = heap.malloc(48)
    lines = heap.map().draw(width=100, rows=3).split("pools, those with the least")[1].splitlines()
    assert f"{sparse // 4096 * 4096:#x}" in lines[1]
    assert "more" in heap.map().draw(width=100, rows=1)
    assert full


@pytest.mark.parametrize("arenas", [1, 7, 200])
def test_a_map_of_any_number_of_arenas_is_readable(make_heap: MakeHeap, arenas: int) -> None:
    heap = wide_heap(make_heap, arenas)
    text = heap.map().draw(width=100, rows=40)
    lines = arena_lines(text)
    assert len(lines) <= 40
    assert all(line.startswith(("0x", " ")) for line in lines)
    assert text.splitlines()[0].startswith(f"{arenas} arena")
    shown = sum(line.count("│") + 1 for line in lines if line.startswith("0x"))
    assert shown == arenas


def test_an_empty_heap_can_be_drawn(heap: Heap) -> None:
    drawn = heap.map()
    assert drawn.draw(width=80).startswith("0 arenas, 0 large blocks: 0 B live of")
    ET.fromstring(drawn.svg())


def test_the_legend_names_every_sign(make_heap: MakeHeap) -> None:
    heap, _ = small_heap(make_heap)
    for width in WIDTHS:
        legend = heap.map().draw(width=width).split("\n\n")[-1]
        assert {"≡", "░▒▓█", "○", "·"} <= set(legend.split())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"width": 39}, "Invalid width=39: must be at least 40 columns"),
        ({"width": 80, "rows": 0}, "Invalid rows=0: must be at least 1 line"),
    ],
)
def test_bad_bounds_are_refused_by_name(heap: Heap, arguments: dict[str, int], text: str) -> None:
    with pytest.raises(BadArgumentError, match=text):
        heap.map().draw(**arguments)


# --- SVG ---


def titles(heap: Heap) -> list[str]:
    root = ET.fromstring(heap.map().svg())
    return [title.text or "" for title in root.iter(f"{SVG}title")]


def test_the_svg_needs_nothing_else(make_heap: MakeHeap) -> None:
    heap, _ = small_heap(make_heap)
    text = heap.map().svg()
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert {"script", "image", "use", "link"}.isdisjoint(e.tag.split("}")[1] for e in root.iter())
    assert text.count("http") == 1, "the namespace alone"


@pytest.mark.usefixtures("exact")
def test_the_svg_tells_each_pool_on_hover(make_heap: MakeHeap) -> None:
    heap, _ = small_heap(make_heap)
    pools = heap.walk_pools()
    found = titles(heap)
    for pool in pools:
        assert [title for title in found if f"at {pool.address:#x}" in title]
    used = next(pool for pool in pools if pool.block_size == 1024)
    assert any(
        title.startswith(f"1,024 bytes x {used.capacity}: {used.live} live, ") for title in found
    )


@pytest.mark.usefixtures("exact")
def test_the_svg_tells_blocks_where_they_are_wide_enough(make_heap: MakeHeap) -> None:
    heap, blocks = small_heap(make_heap)
    found = titles(heap)
    assert any(title.endswith(f"live block, 1,024 bytes at {blocks[3]:#x}") for title in found)
    assert any(title.startswith("1 free block, 1,024 bytes at ") for title in found)


def test_boxes_of_the_svg_lie_inside_it_and_do_not_overlap(make_heap: MakeHeap) -> None:
    heap, _ = small_heap(make_heap)
    root = ET.fromstring(heap.map().svg())
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    pools = [r for r in root.iter(f"{SVG}rect") if (r.get("fill") or "").startswith("hsl")]
    boxes = sorted(
        (float(r.get("y", 0)), float(r.get("x", 0)), float(r.get("width", 0))) for r in pools
    )
    assert all(x >= 0 and x + w <= width and y < height for y, x, w in boxes)
    for (y, x, w), (next_y, next_x, _) in pairwise(boxes):
        assert y < next_y or x + w <= next_x + 1e-6


def test_classes_have_colours_of_their_own(heap: Heap) -> None:
    for size in (16, 64, 500, 3000):
        heap.malloc(size)
    root = ET.fromstring(heap.map().svg())
    colours = {r.get("fill") for r in root.iter(f"{SVG}rect")} - {None}
    assert len(colours) == 4


def test_the_svg_of_a_wide_heap_stays_small(make_heap: MakeHeap) -> None:
    heap = wide_heap(make_heap, 200)
    for _ in range(20_000):
        heap.malloc(32)
    assert len(heap.map().svg()) < 4_000_000
