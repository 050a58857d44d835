"""A heap's map as SVG: a row of pages, a box for each pool, in it boxes of live and free blocks.

The document needs no other file, script or font. A pool's colour is its size class; what lies
where is told in the <title> of each box, which browsers show on hover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from heapyard.block import BlockState
from heapyard.heap.pools import PoolState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from heapyard.block import Block
    from heapyard.heap.layout import HeapLayout, MapSpan
    from heapyard.heap.pools import HeapPool

__all__ = ["draw_svg"]

_PAGE = 4096
_WIDTH = 1024
_ROW = 14
_LABEL = 18
_MOST_ROWS = 256
_PAGE_WIDTHS = (64, 16, 4, 1)
_LEVELS = 4
_STYLE = """
svg{font:11px sans-serif;background:#fff}text{fill:#333}
.span{fill:#8882}.header{fill:#888}.free{fill:#fff;fill-opacity:.6}.live{fill:#000}
@media(prefers-color-scheme:dark){svg{background:#111}text{fill:#ccc}.free{fill:#111}.live{fill:#fff}}
"""


def draw_svg(layout: HeapLayout) -> str:
    """The whole document."""
    scale = _Scale(_page_width(layout))
    body: list[str] = []
    top = 0
    for span in layout.spans:
        body.append(_text(top + _LABEL - 5, _span_title(span)))
        body += _span(layout, span, scale, top + _LABEL)
        top += _LABEL + scale.rows(_shown(span)) * _ROW
    body.append(_text(top + _LABEL - 5, _LEGEND))
    height = top + 2 * _LABEL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}"><title>{escape(_heap_title(layout))}</title>'
        f"<style>{_STYLE}</style>{''.join(body)}</svg>"
    )


_LEGEND = (
    "Colour: size class. Dark: live blocks. Pale: free blocks. Plain: blocks not yet carved. "
    "Grey: headers, and pages of no pool."
)


@dataclass(frozen=True)
class _Scale:
    """From bytes inside a span to boxes: rows of pages, `page` points wide each."""

    page: int

    @property
    def row(self) -> int:
        """The bytes that one row shows."""
        return _WIDTH // self.page * _PAGE

    @property
    def point(self) -> int:
        """The bytes that one point shows."""
        return _PAGE // self.page

    def rows(self, size: int) -> int:
        """How many rows so many bytes take."""
        return -(-size // self.row)

    def boxes(self, offset: int, size: int, top: int, css: str) -> Iterator[str]:
        """One box in each row that the bytes lie in."""
        end = offset + size
        while offset < end:
            row = offset // self.row
            part = min(end, (row + 1) * self.row) - offset
            left = (offset - row * self.row) / self.point
            yield (
                f'<rect x="{left:g}" y="{top + row * _ROW}" width="{part / self.point:g}" '
                f'height="{_ROW - 2}" {css}/>'
            )
            offset += part


def _page_width(layout: HeapLayout) -> int:
    """The widest at which the drawing keeps to its rows; the narrowest where none does."""
    sizes = [_shown(span) for span in layout.spans]
    for page in _PAGE_WIDTHS:
        if sum(map(_Scale(page).rows, sizes)) <= _MOST_ROWS:
            return page
    return _PAGE_WIDTHS[-1]


def _shown(span: MapSpan) -> int:
    """The bytes of a span up to its last pool; the pages behind it are told, not drawn."""
    if not span.pools:
        return _PAGE
    return span.pools[-1].end - span.address


# --- spans, pools, blocks ---


def _span(layout: HeapLayout, span: MapSpan, scale: _Scale, top: int) -> Iterator[str]:
    yield from scale.boxes(0, _shown(span), top, 'class="span"')
    for run in span.runs:
        if run.state == BlockState.METADATA and run.address - span.address < _shown(span):
            yield _titled(
                f"header, {run.size:,} bytes",
                scale.boxes(run.address - span.address, run.size, top, 'class="header"'),
            )
    for pool in span.pools:
        yield _titled(_pool_title(pool), _pool(layout, span, pool, scale, top))


def _pool(
    layout: HeapLayout, span: MapSpan, pool: HeapPool, scale: _Scale, top: int
) -> Iterator[str]:
    hue = pool.size_class * 137 % 360
    offset = pool.address - span.address
    yield from scale.boxes(offset, pool.size, top, f'fill="hsl({hue} 60% 60%)"')
    runs = layout.blocks_of(pool)
    exact = pool.block_size >= scale.point
    parts = _merged(runs) if exact else _shaded(runs, pool, scale.point)
    for part in parts:
        boxes = scale.boxes(part.start - span.address, part.size, top, part.css)
        yield _titled(part.title, boxes) if exact else "".join(boxes)


@dataclass(frozen=True)
class _Part:
    """A run of blocks that are drawn as one box."""

    start: int
    size: int
    css: str
    title: str = ""


def _merged(runs: Iterable[Block]) -> Iterator[_Part]:
    """Neighbours of one state as one part each."""
    group: list[Block] = []
    for run in runs:
        if group and run.state != group[-1].state:
            yield from _part(group)
            group = []
        group.append(run)
    yield from _part(group)


def _part(group: Sequence[Block]) -> Iterator[_Part]:
    if not group or group[0].state not in (BlockState.LIVE, BlockState.FREE):
        return
    live = group[0].state == BlockState.LIVE
    css = 'class="live" fill-opacity=".7"' if live else 'class="free"'
    size = group[-1].end - group[0].address
    each = f" of {group[0].size:,} bytes" if len(group) > 1 else f", {size:,} bytes"
    plural = "s" if len(group) > 1 else ""
    title = f"{len(group)} {'live' if live else 'free'} block{plural}{each} at "
    yield _Part(group[0].address, size, css, f"{title}{group[0].address:#x}")


def _shaded(runs: Iterable[Block], pool: HeapPool, step: int) -> Iterator[_Part]:
    """Blocks too narrow to be drawn: points as dark as the share that is live."""
    live, carved = [0] * (pool.size // step + 1), [0] * (pool.size // step + 1)
    for run in runs:
        if run.state in (BlockState.LIVE, BlockState.FREE):
            point = (run.address - pool.address) // step
            carved[point] += run.size
            live[point] += run.size if run.state == BlockState.LIVE else 0
    levels = [
        -1 if not whole else -(-_LEVELS * part // whole)
        for part, whole in zip(live, carved, strict=True)
    ]
    start = 0
    for point in range(1, len(levels) + 1):
        if point == len(levels) or levels[point] != levels[start]:
            if levels[start] >= 0:
                yield _Part(
                    pool.address + start * step, (point - start) * step, _shade(levels[start])
                )
            start = point


def _shade(level: int) -> str:
    return (
        'class="free"' if level == 0 else f'class="live" fill-opacity="{0.7 * level / _LEVELS:g}"'
    )


# --- texts ---


def _titled(title: str, boxes: Iterable[str]) -> str:
    return f"<g><title>{escape(title)}</title>{''.join(boxes)}</g>"


def _text(y: int, text: str) -> str:
    return f'<text x="2" y="{y}">{escape(text)}</text>'


def _heap_title(layout: HeapLayout) -> str:
    return f"A heap of {len(layout.arenas)} arenas, {len(layout.large_blocks)} large blocks"


def _span_title(span: MapSpan) -> str:
    kind = "arena" if span.is_arena else "large block" if span.is_large_block else "the heap"
    text = f"{kind} at {span.address:#x}: {span.live_bytes:,} live of {span.size:,} bytes"
    left = span.size - _shown(span)
    return f"{text}; the last {left:,} are in no pool" if span.is_arena and left else text


def _pool_title(pool: HeapPool) -> str:
    if pool.state == PoolState.BLOCK:
        return f"a block of {pool.block_size:,} bytes at {pool.address:#x}"
    return (
        f"{pool.block_size:,} bytes x {pool.capacity}: {pool.live} live, "
        f"{pool.carved - pool.live} free, {pool.capacity - pool.carved} not carved; "
        f"{pool.state.name.lower()}, at {pool.address:#x}"
    )
