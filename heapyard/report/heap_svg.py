"""The heap of a failing plan as SVG: calls across, addresses up, a box for each block.

    address
      ^   .-----------.
      |   |  block 0  |   .---------     a block lives from the call that made it to the one that
      |   '-----------'   | block 2      freed it; bytes of two live blocks at once are red
      |  ~~~~~~~~~~~~~~~~~~~~~~~~~~~     addresses that no block has are left out
      |      .-----------------
      '-----------------------------> call

Heights grow with the logarithm of a size, or a block of 16 bytes beside one of 1 GiB could not be
seen; the order of addresses is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING

from heapyard.report.evidence import Block
from heapyard.report.page import svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.report.evidence import Fault

__all__ = ["HEAP_STYLE", "draw_heap", "overlaps_of"]

HEAP_STYLE = """\
.block { fill: var(--bar); fill-opacity: .35; stroke: var(--bar); }
.fault { fill: var(--bad); fill-opacity: .25; stroke: var(--bad); stroke-width: 2;
  stroke-dasharray: 5 3; }
.overlap { fill: var(--bad); fill-opacity: .85; } .gap { stroke: var(--line);
  stroke-dasharray: 2 4; }
.now { stroke: var(--bad); stroke-dasharray: 3 3; } .mark { fill: var(--bad); }"""

_WIDTH = 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 128, 12, 22, 26
_MOST_HEIGHT = 420
_SMALL_GAP, _GAP = 2.0, 14.0
_PAGE = 4096
"""A gap of this size, in bytes, is drawn as one; a smaller one is an allocator's own header."""
_TEXT = 22
"""Points between two addresses that are written."""
_MOST_BLOCKS = 48
_MOMENT = 12
"""The failing call has a part of the width that can be seen: one in so many."""


def draw_heap(blocks: Sequence[Block], fault: Fault | None) -> str:
    """The drawing; `fault` is where the plan failed. Needs a block, or a fault with an address.

    Of many blocks those are drawn that are the nearest to the fault: in address, or else in time.
    """
    blocks = nearest(blocks, fault)
    began = min([block.came for block in blocks] + ([fault.step] if fault else []))
    last = max((block.went or block.came for block in blocks), default=0)
    moment = fault.step if fault else 0
    end = max(last, moment) + max(1, (max(last, moment) - began) // _MOMENT)
    known = [block._replace(went=end if block.went is None else block.went) for block in blocks]
    accused = _accused(fault, end)
    everything = [*known, *accused]
    ruler = _Ruler.of(everything)
    frame = _Frame(first=began, end=end, ruler=ruler)
    label = f"{len(blocks)} blocks by call and address, {len(overlaps_of(everything))} overlaps"
    shapes = _shapes(frame, known, accused, fault)
    return svg(_WIDTH, round(ruler.height) + _TOP + _BOTTOM, label, shapes)


def nearest(blocks: Sequence[Block], fault: Fault | None) -> list[Block]:
    """At most _MOST_BLOCKS of them, in order of coming."""
    if fault is not None and fault.address:
        ordered = sorted(blocks, key=lambda block: _distance(block, fault))
    else:
        ordered = sorted(blocks, key=lambda block: -(block.went or block.came))
    return sorted(ordered[:_MOST_BLOCKS], key=lambda block: block.came)


def _distance(block: Block, fault: Fault) -> tuple[int, int]:
    """Bytes between the two, and how long before the fault it went."""
    between = max(block.address - fault.address - fault.size, fault.address - _end(block), 0)
    return between, 0 if block.went is None else fault.step - block.went


def _accused(fault: Fault | None, end: int) -> list[Block]:
    """The block that the engine complained about, from the failing call on."""
    if fault is None or not fault.address:
        return []
    return [Block(min(fault.step, end - 1), end, fault.address, max(1, fault.size))]


def overlaps_of(blocks: Sequence[Block]) -> list[Block]:
    """The bytes that two blocks have at the same time, each as a block."""
    found: list[Block] = []
    ordered = sorted(blocks, key=lambda block: block.address)
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if other.address >= _end(one):
                break
            common = _common(one, other)
            if common is not None and not _is_the_same(one, other):
                found.append(common)
    return found


def _is_the_same(one: Block, other: Block) -> bool:
    """A block that the engine took in before it complained about it."""
    return one.address == other.address and one.size == other.size and one.came == other.came


def _common(one: Block, other: Block) -> Block | None:
    came, went = max(one.came, other.came), min(one.went or 0, other.went or 0)
    end = min(_end(one), _end(other))
    if came >= went or end <= other.address:
        return None
    return Block(came, went, other.address, end - other.address)


@dataclass(frozen=True)
class _Ruler:
    """From an address to a height: each address at which a block begins or ends has its own."""

    heights: dict[int, float]
    gaps: tuple[float, ...]
    height: float

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> _Ruler:
        marks = sorted({mark for block in blocks for mark in (block.address, _end(block))})
        covered = _covered(blocks)
        steps = [
            (low, high, _tall(high - low) if low in covered else _gap(high - low))
            for low, high in pairwise(marks)
        ]
        total = sum(step for _, _, step in steps) or 1.0
        scale = min(1.0, _MOST_HEIGHT / total) if total > _MOST_HEIGHT else 1.0
        heights = {marks[0]: 0.0}
        gaps: list[float] = []
        for low, high, step in steps:
            heights[high] = heights[low] + step * scale
            if low not in covered and high - low >= _PAGE:
                gaps.append(heights[low] + step * scale / 2)
        return cls(heights, tuple(gaps), total * scale)


def _end(block: Block) -> int:
    """A block of no bytes owns one byte of address."""
    return block.address + max(1, block.size)


def _covered(blocks: Sequence[Block]) -> set[int]:
    """The marks above which there are bytes of a block."""
    covered: set[int] = set()
    reach = -1
    ordered = sorted(blocks, key=lambda block: block.address)
    for block in ordered:
        reach = max(reach, _end(block))
        covered.add(block.address)
    ends = sorted({_end(block) for block in blocks})
    covered.update(end for end in ends if any(b.address < end < _end(b) for b in ordered))
    return covered


def _gap(size: int) -> float:
    return _GAP if size >= _PAGE else _SMALL_GAP


def _tall(size: int) -> float:
    return 6 + 3 * log2(1 + size / 16)


@dataclass(frozen=True)
class _Frame:
    """From calls and addresses to points."""

    first: int
    end: int
    ruler: _Ruler

    def x(self, step: int) -> float:
        across = (_WIDTH - _LEFT - _RIGHT) / max(1, self.end - self.first)
        return _LEFT + (step - self.first) * across

    def box(self, block: Block, css: str, *, title: str = "") -> str:
        left, right = self.x(block.came), self.x(self.end if block.went is None else block.went)
        heights = self.ruler.heights
        bottom, top = heights[block.address], heights[_end(block)]
        head = f"<title>{title}</title>" if title else ""
        return (
            f'<rect class="{css}" x="{left:.1f}" y="{self.y(top):.1f}"'
            f' width="{max(1.5, right - left):.1f}" height="{max(1.0, top - bottom):.1f}">'
            f"{head}</rect>"
        )

    def y(self, height: float) -> float:
        return _TOP + self.ruler.height - height


def _shapes(
    frame: _Frame, blocks: Sequence[Block], accused: Sequence[Block], fault: Fault | None
) -> Iterator[str]:
    for gap in frame.ruler.gaps:
        yield f'<path class="gap" d="M{_LEFT} {frame.y(gap):.1f}H{_WIDTH - _RIGHT}"/>'
    yield from (frame.box(block, "block", title=_title(block)) for block in blocks)
    yield from (frame.box(block, "fault", title=_title(block)) for block in accused)
    yield from (frame.box(block, "overlap") for block in _drawn(frame, blocks, accused))
    yield from _addresses(frame, accused, blocks)
    yield from _calls(frame, fault)


def _drawn(frame: _Frame, blocks: Sequence[Block], accused: Sequence[Block]) -> Iterator[Block]:
    """The overlaps; their ends are ends of blocks, so the ruler knows them."""
    for each in overlaps_of([*blocks, *accused]):
        if each.address in frame.ruler.heights and _end(each) in frame.ruler.heights:
            yield each


def _title(block: Block) -> str:
    until = "" if block.went is None else f" to {block.went}"
    return f"{block.size:,} bytes at {block.address:#x}, calls {block.came}{until}"


def _addresses(frame: _Frame, accused: Sequence[Block], blocks: Sequence[Block]) -> Iterator[str]:
    """Where a block begins, as far as there is room; first of all where the fault is."""
    taken: list[float] = []
    marks = {block.address: "mark" for block in accused}
    marks |= {block.address: "dim" for block in blocks if block.address not in marks}
    for address, css in marks.items():
        y = frame.y(frame.ruler.heights[address])
        if all(abs(y - other) >= _TEXT for other in taken):
            taken.append(y)
            yield (
                f'<text class="{css}" x="{_LEFT - 6}" y="{y:.1f}" text-anchor="end">'
                f"{address:#x}</text>"
            )


def _calls(frame: _Frame, fault: Fault | None) -> Iterator[str]:
    floor = frame.y(0) + 18
    yield f'<text class="dim" x="{_LEFT}" y="{floor:.1f}">call {frame.first}</text>'
    if fault is None:
        return
    x = frame.x(min(fault.step, frame.end))
    anchor = "end" if x > _WIDTH / 2 else "start"
    yield f'<path class="now" d="M{x:.1f} {_TOP - 4}V{frame.y(0):.1f}"/>'
    yield (
        f'<text class="mark" x="{x:.1f}" y="{_TOP - 8}" text-anchor="{anchor}">'
        f"call {fault.step}: {fault.kind}</text>"
    )
