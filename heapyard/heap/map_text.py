"""A heap's map as text.

2 arenas, 8,192 KiB: 41 % live
one column is 32 KiB
0x7f5c00000000  41 %  ≡▓███▓█▒░·····
0x7f5c00400000   0 %  ≡··············

pools, those with the least in use first
0x7f5c00011000     16 B x 256     3 live  ░○○○······
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heapyard.block import BlockState
from heapyard.heap.pools import PoolState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from heapyard.block import Block
    from heapyard.heap.layout import HeapLayout, MapSpan
    from heapyard.heap.pools import HeapPool

__all__ = ["draw_text"]

_PAGE = 4096
_SHADES = "░▒▓█"
_NOTHING = "·"
_FREE = "○"
_HEADER = "≡"
_BETWEEN = "│"
_LEGEND = (
    "≡ header   ░▒▓█ live, by quarters of a column   ○ free blocks only   · no block yet",
    "≡ header   ░▒▓█ live, by quarters\n○ free blocks only   · no block yet",
)


def draw_text(layout: HeapLayout, width: int, rows: int) -> str:
    """The whole drawing."""
    parts = [
        "\n".join([_summary(layout), *_arena_lines(layout.arenas, width, rows)]),
        "\n".join(_large_lines(layout.large_blocks, rows)),
        "\n".join(_pool_lines(layout, width, rows)),
        next((text for text in _LEGEND if len(text) <= width), _LEGEND[-1]),
    ]
    return "\n\n".join(part for part in parts if part)


def _summary(layout: HeapLayout) -> str:
    arenas, large = layout.arenas, layout.large_blocks
    size = sum(span.size for span in layout.spans)
    live = sum(span.live_bytes for span in layout.spans)
    counts = f"{_count(len(arenas), 'arena')}, {_count(len(large), 'large block')}"
    return f"{counts}: {_bytes(live)} live of {_bytes(size)}"


# --- arenas ---


@dataclass(frozen=True)
class _Grid:
    """How the arenas share the lines: each has `lines` of them, or `together` share one."""

    pages: int
    """In a column."""
    columns: int
    """For one arena, in one line."""
    lines: int
    together: int


def _grid(pages: int, arenas: int, columns: int, rows: int) -> _Grid:
    """The finest one that needs no more than `rows` lines, where there is one."""
    if arenas > rows:
        together = min(-(-arenas // rows), (columns + 1) // 2)
        share = (columns - (together - 1)) // together
        return _Grid(-(-pages // share), share, 1, together)
    fine = 1
    while arenas * -(-pages // (fine * columns)) > rows:
        fine *= 2
    return _Grid(fine, columns, -(-pages // (fine * columns)), 1)


def _arena_lines(arenas: Sequence[MapSpan], width: int, rows: int) -> list[str]:
    if not arenas:
        return []
    label = len(f"{arenas[-1].address:#x}  100 %  ")
    pages = max(arena.size for arena in arenas) // _PAGE
    grid = _grid(pages, len(arenas), width - label, rows)
    lines = [f"one column is {_bytes(grid.pages * _PAGE)}"]
    for first in range(0, len(arenas), grid.together):
        lines += _shared_line(arenas[first : first + grid.together], grid, label)
    return lines


def _shared_line(arenas: Sequence[MapSpan], grid: _Grid, label: int) -> list[str]:
    """One arena in its lines, or several side by side in one."""
    drawings = [_arena_cells(arena, grid.pages * _PAGE) for arena in arenas]
    size = sum(arena.size for arena in arenas)
    share = 100 * sum(arena.live_bytes for arena in arenas) // size
    head = f"{arenas[0].address:#x}  {share:>3} %  "
    if grid.together > 1:
        return [head + _BETWEEN.join(drawings)]
    cells, step = drawings[0], grid.columns
    parts = [cells[start : start + step] for start in range(0, len(cells), step)]
    while len(parts) > 1 and set(parts[-1]) == {_NOTHING} == set(parts[-2]):
        parts.pop()
    return [head + parts[0], *(" " * label + part for part in parts[1:])]


def _arena_cells(arena: MapSpan, step: int) -> str:
    return _cells(arena.runs, arena.address, arena.size, step)


def _cells(runs: Iterable[Block], start: int, size: int, step: int) -> str:
    """One character for each `step` bytes."""
    count = -(-size // step)
    totals = {state: [0] * count for state in BlockState}
    for run in runs:
        if run.state != BlockState.UNUSED:
            _spread(totals[run.state], run.address - start, run.size, step)
    live, free = totals[BlockState.LIVE], totals[BlockState.FREE]
    return "".join(
        _glyph(live[n] / step, free[n] / step, totals[BlockState.METADATA][n] / step)
        for n in range(count)
    )


def _spread(cells: list[int], offset: int, size: int, step: int) -> None:
    """Add `size` bytes from `offset` on to the cells that they lie in."""
    end = offset + size
    while offset < end:
        cell = offset // step
        part = min(end, (cell + 1) * step) - offset
        cells[cell] += part
        offset += part


def _glyph(live: float, free: float, header: float) -> str:
    if header > live + free:
        return _HEADER
    if live:
        return _SHADES[min(int(live * len(_SHADES)), len(_SHADES) - 1)]
    return _FREE if free else _NOTHING


# --- large blocks and pools ---


def _large_lines(spans: Sequence[MapSpan], rows: int) -> list[str]:
    lines = [f"{span.address:#x}  a block of {_bytes(span.live_bytes)}" for span in spans[:rows]]
    return [*lines, *_rest(len(spans) - rows, "large block")]


def _pool_lines(layout: HeapLayout, width: int, rows: int) -> list[str]:
    pools = sorted(layout.pools, key=lambda pool: (_in_use(pool), pool.address))
    if not pools:
        return []
    shown = pools[:rows]
    heads = [_pool_head(pool) for pool in shown]
    columns = max(width - max(map(len, heads)), 8)
    lines = [
        head + _block_cells(layout.blocks_of(pool), pool, columns)
        for head, pool in zip(heads, shown, strict=True)
    ]
    title = "pools, those with the least in use first"
    return [title, *lines, *_rest(len(pools) - rows, "pool")]


def _in_use(pool: HeapPool) -> float:
    return 1.0 if pool.state == PoolState.FULL else pool.live / pool.capacity


def _pool_head(pool: HeapPool) -> str:
    return f"{pool.address:#x}  {pool.block_size:>5} B x {pool.capacity:<4} {pool.live:>4} live  "


def _block_cells(runs: Sequence[Block], pool: HeapPool, columns: int) -> str:
    """One character for each block, or for several where there are more than columns."""
    together = -(-pool.capacity // columns)
    blocks = pool.capacity * pool.block_size
    inside = (run for run in runs if run.address < pool.address + blocks)
    return _cells(inside, pool.address, blocks, together * pool.block_size)


def _rest(count: int, noun: str) -> list[str]:
    return [f"and {_count(count, noun)} more"] if count > 0 else []


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _bytes(size: int) -> str:
    return f"{size:,} B" if size < 1024 else f"{size / 1024:,.0f} KiB"
