"""Plans one after the other as one plan: what a target went through before it failed."""

import struct
from collections.abc import Callable, Sequence

from heapyard.fuzz.request import Request
from heapyard.trial.encoding import CALL_SIZE, body_of
from heapyard.trial.packed import PackedPlan

__all__ = ["fewest", "joined"]

_FREE_ALL = struct.pack("<BBHIQ", 19, 0, 0xFFFF, 0xFFFFFFFF, 0)
_SLOTS_AT, _CALLS_AT = 16, 24


def joined(request: Request, numbers: Sequence[int]) -> PackedPlan:
    """These plans as one: after each but the last, all blocks are freed, as in a session."""
    plans = [request.draw(number) for number in numbers]
    data = [plan.to_bytes() for plan in plans]
    bodies = [each[body_of(each)[0] :] for each in data]
    head = bytearray(data[-1][: body_of(data[-1])[0]])
    slots = max(struct.unpack_from("<I", each, _SLOTS_AT)[0] for each in data)
    calls = _FREE_ALL.join(bodies)
    struct.pack_into("<I", head, _SLOTS_AT, slots)
    struct.pack_into("<Q", head, _CALLS_AT, len(calls) // CALL_SIZE)
    return PackedPlan(bytes(head) + calls, plans[-1].name)


def fewest(numbers: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int] | None:
    """The last plan alone, or with as few of those before it as it takes; None: not even with all.

    First as many as double until it fails, then without any half, quarter... that need not be.
    """
    count = 1
    while not fails(numbers[-count:]):
        if count >= len(numbers):
            return None
        count = min(2 * count, len(numbers))
    return _without_needless(list(numbers[-count:]), fails)


def _without_needless(kept: list[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    chunk = len(kept) // 2
    while chunk:
        start = 0
        while start + chunk < len(kept):  # the last plan stays
            shorter = kept[:start] + kept[start + chunk :]
            if fails(shorter):
                kept = shorter
            else:
                start += chunk
        chunk //= 2
    return kept
