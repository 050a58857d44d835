"""What is in a recording, for people: a few lines of text."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from heapyard.report.terminal import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heapyard.report.style import Style
    from heapyard.trial.recording import Recording

__all__ = ["summary"]

_EDGES = (
    (0, "0 B"),
    (4, "1 to 15 B"),
    (5, "16 to 31 B"),
    (6, "32 to 63 B"),
    (7, "64 to 127 B"),
    (8, "128 to 255 B"),
    (9, "256 to 511 B"),
    (10, "512 to 1023 B"),
    (12, "1 to 4 KiB"),
    (15, "4 to 32 KiB"),
    (20, "32 KiB to 1 MiB"),
    (60, "1 MiB and more"),
)
"""The last of `Recording.sizes` that a line counts, and its name."""

_BAR = 30
_COMMAND_SHOWN = 70


def summary(recordings: Sequence[Recording], *, again: str, style: Style) -> Iterator[str]:
    """The lines: of the first all that is known, of the others one; `again` replays the first."""
    first, *others = recordings
    yield style(f"recorded {_command(first)}", "bold")
    for label, text in _facts(first, again):
        yield f"  {style(f'{label:<8}', 'dim')} {text}"
    yield from _sizes(first, style)
    if others:
        yield style("and other programs of the same process, and children", "bold")
    for other in others:
        peak = f"peak {size_text(other.peak_bytes)}"
        yield f"  {other.path}: {plural(other.total, 'call')}, {peak}: {_command(other)}"


def _command(recording: Recording) -> str:
    text = shlex.join(recording.command)
    return text if len(text) <= _COMMAND_SHOWN else text[: _COMMAND_SHOWN - 3] + "..."


def _facts(recording: Recording, again: str) -> Iterator[tuple[str, str]]:
    by_kind = ", ".join(f"{name} {count:,}" for name, count in recording.calls.items())
    yield "calls", f"{recording.total:,}" + (f": {by_kind}" if by_kind else "")
    yield "threads", f"{recording.threads}, process {recording.process}"
    yield "asked", f"{size_text(recording.allocated)} in all"
    yield "peak", f"{size_text(recording.peak_bytes)} in {_blocks(recording.peak_blocks)}"
    left = f"{size_text(recording.live_bytes)} in {_blocks(recording.live_blocks)}"
    yield "at end", f"{left} never freed"
    yield from _remarks(recording)
    held = recording.path.stat().st_size
    each = f", {held / recording.total:.1f} bytes a call" if recording.total else ""
    yield "file", f"{recording.path}, {size_text(held)}{each}"
    yield "again", again


def _blocks(count: int) -> str:
    return "1 block" if count == 1 else f"{count:,} blocks"


def _remarks(recording: Recording) -> Iterator[tuple[str, str]]:
    """What a reader should know of, only where there is any."""
    remarks = (
        (recording.failed, "calls that failed, left out when replayed"),
        (recording.unknown, "blocks freed or resized that were there before it began"),
        (recording.lost, "blocks freed unseen"),
        (recording.cut, "words of calls that were cut off"),
    )
    for count, text in remarks:
        if count:
            yield "note", f"{count:,} {text}"
    if recording.full:
        yield "note", "incomplete: there was no more room for the file, later calls are missing"


def size_text(size: int) -> str:
    """A number of bytes for people."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 10 << shift or (size >= 1 << shift and shift > 10):
            return f"{size / (1 << shift):.1f} {unit}"
    return f"{size:,} bytes"


def _sizes(recording: Recording, style: Style) -> Iterator[str]:
    """How many blocks of which sizes, as bars."""
    total = sum(recording.sizes)
    rows = [(count, name) for count, name in _binned(recording.sizes) if count]
    most = max((count for count, _ in rows), default=1)
    for number, (count, name) in enumerate(rows):
        label = style(f"{'sizes' if number == 0 else '':<8}", "dim")
        bar = "#" * max(1, round(_BAR * count / most))
        yield f"  {label} {name:<16} {100 * count / total:5.1f} %  {bar}"


def _binned(sizes: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    start = 0
    for last, name in _EDGES:
        yield sum(sizes[start : last + 1]), name
        start = last + 1
