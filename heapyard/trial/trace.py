"""What a run did, call by call: the blocks that came and went, and memory over time.

The child writes it into a file that both sides map (native/trial/trace.h), so that it is there
after a crash too.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Event", "Room", "Sample", "Trace"]

_HEADER = struct.Struct("<5Q24x")
_EVENT = struct.Struct("<3Q2I")
_SAMPLE = struct.Struct("<4Q")


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much of a run is kept."""

    events: int = 5000
    """The last so many are kept; at least 1."""
    samples: int = 200

    def empty(self) -> bytes:
        """The file as the child finds it."""
        size = _HEADER.size + self.events * _EVENT.size + self.samples * _SAMPLE.size
        return _HEADER.pack(self.events, self.samples, 0, 0, 0).ljust(size, b"\0")


@dataclass(frozen=True, slots=True)
class Event:
    """A block came or went."""

    step: int
    """The index of the call, over all rounds; the end of a round counts as one too."""
    address: int
    size: int
    slot: int
    has_come: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory after one call, in bytes."""

    step: int
    live: int
    """Asked for, over all live blocks."""
    resident: int
    """Anonymous memory in RAM, less the engine's own."""
    mapped: int


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The events and samples of one run."""

    events: tuple[Event, ...] = ()
    samples: tuple[Sample, ...] = ()
    dropped: int = 0
    """How many events came before the first that was kept."""
    ops: int = 0
    """Calls in a round."""

    @classmethod
    def read(cls, data: bytes) -> "Trace":
        """From the file, which a child that runs wild may have written over."""
        if len(data) < _HEADER.size:
            return cls()
        event_room, sample_room, events, samples, ops = _HEADER.unpack_from(data)
        body = memoryview(data)[_HEADER.size :]
        most = len(body) // _EVENT.size
        if not 0 < event_room <= most or sample_room > most - event_room or samples > sample_room:
            return cls()
        ring = body[: event_room * _EVENT.size]
        rest = body[event_room * _EVENT.size :]
        return cls(
            events=tuple(_events(ring, events, event_room)),
            samples=tuple(Sample(*_SAMPLE.unpack_from(rest, n * 32)) for n in range(samples)),
            dropped=max(0, events - event_room),
            ops=ops,
        )


def _events(ring: memoryview, count: int, room: int) -> Iterator[Event]:
    """From the oldest that is kept to the last."""
    for number in range(max(0, count - room), count):
        step, address, size, slot, has_come = _EVENT.unpack_from(ring, number % room * _EVENT.size)
        yield Event(step, address, size, slot, bool(has_come))
