"""Memory over time as SVG: what is live as an area, what is resident as a line above it.

^ bytes           ____
|        ________|    |___   resident
|      _|####|
|_____|######|____________   live
calls ->
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.report.page import svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.report.evidence import MemoryPoint

__all__ = ["MEMORY_STYLE", "bytes_text", "draw_memory", "memory_top"]

MEMORY_STYLE = """\
.live { fill: var(--base); fill-opacity: .6; } .resident { fill: none; stroke: var(--bar);
  stroke-width: 2; } .axis { stroke: var(--line); }"""

_WIDTH, _HEIGHT = 320, 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 6, 12, 22
_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def bytes_text(count: float) -> str:
    """In the largest unit that gives at least 1.

    >>> [bytes_text(each) for each in (17, 2048, 5.5 * 2**20)]
    ['17 B', '2 KiB', '5.5 MiB']
    """
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} B"


def memory_top(points: Sequence[MemoryPoint]) -> int:
    """The highest figure: drawings with one top can be compared."""
    return max((max(point.live, point.resident) for point in points), default=1)


def draw_memory(points: Sequence[MemoryPoint], top: int) -> str:
    """The drawing, up to `top` bytes. Needs at least two points."""
    most, last = points_most(points), points[-1]
    label = (
        f"Memory over {points[-1].step + 1} calls: at most {bytes_text(most)} live; at the end"
        f" {bytes_text(last.resident)} resident, {bytes_text(last.live)} live"
    )
    return svg(_WIDTH, _HEIGHT, label, _shapes(points, max(top, 1)))


def points_most(points: Sequence[MemoryPoint]) -> int:
    """The most that was live."""
    return max(point.live for point in points)


def _shapes(points: Sequence[MemoryPoint], top: int) -> Iterator[str]:
    first, last = points[0].step, points[-1].step
    across = (_WIDTH - _LEFT - _RIGHT) / max(1, last - first)
    up = (_HEIGHT - _TOP - _BOTTOM) / top
    floor = _HEIGHT - _BOTTOM

    def at(step: int, value: int) -> str:
        return f"{_LEFT + (step - first) * across:.1f} {floor - value * up:.1f}"

    live = " ".join(at(point.step, point.live) for point in points)
    resident = " ".join(at(point.step, point.resident) for point in points)
    yield f'<path class="live" d="M{at(first, 0)} {live} {at(last, 0)}z"/>'
    yield f'<path class="resident" d="M{resident}"/>'
    yield f'<path class="axis" d="M{_LEFT} {floor}H{_WIDTH - _RIGHT}M{_LEFT} {_TOP}V{floor}"/>'
    yield _text(_LEFT - 6, _TOP + 5, "end", bytes_text(top))
    yield _text(_LEFT - 6, floor + 4, "end", "0")
    yield _text(_LEFT, _HEIGHT - 6, "start", f"call {first}")
    yield _text(_WIDTH - _RIGHT, _HEIGHT - 6, "end", f"call {last}")


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text class="dim" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
