"""Plans one after the other as one plan: what a target went through before it failed."""

import struct
from collections.abc import Callable, Sequence

from heapyard.fuzz.request import Request
from heapyard.trial.encoding import CALL_SIZE, body_of
from heapyard.trial.operations import BY_NAME
from heapyard.trial.packed import PackedPlan

__all__ = ["fewest", "joined"]

_SLOTS_AT, _CALLS_AT, _ROUNDS_AT = 16, 24, 32
_OP = struct.Struct("<BBHIQ")
_JOIN, _ON_THREAD, _FREE_ALL = (BY_NAME[name].code for name in ("join", "on_thread", "free_all"))


def joined(request: Request, numbers: Sequence[int]) -> PackedPlan:
    """These plans as one, with all their rounds.

    After each round but the last all threads end and all blocks are freed, as in a session.
    """
    plans = [request.draw(number) for number in numbers]
    data = [plan.to_bytes() for plan in plans]
    rounds = [_round(each) for each in data for _ in range(_rounds_of(each))]
    head = bytearray(data[-1][: body_of(data[-1])[0]])
    slots = max(struct.unpack_from("<I", each, _SLOTS_AT)[0] for each in data)
    calls = b"".join(body + end for body, end in rounds[:-1]) + rounds[-1][0]
    struct.pack_into("<I", head, _SLOTS_AT, slots)
    struct.pack_into("<Q", head, _CALLS_AT, len(calls) // CALL_SIZE)
    struct.pack_into("<Q", head, _ROUNDS_AT, 1)
    return PackedPlan(bytes(head) + calls, plans[-1].name)


def _rounds_of(data: bytes) -> int:
    return int(struct.unpack_from("<Q", data, _ROUNDS_AT)[0])


def _round(data: bytes) -> tuple[bytes, bytes]:
    """The calls of one round, and what ends it."""
    body = data[body_of(data)[0] :]
    threads = {op[4] for op in _OP.iter_unpack(body) if op[0] == _ON_THREAD} - {0}
    ends = [_op(_JOIN, thread) for thread in sorted(threads)]
    return body, b"".join([*ends, _op(_FREE_ALL)])


def _op(code: int, size: int = 0) -> bytes:
    return _OP.pack(code, 0, 0xFFFF, 0xFFFFFFFF, size)


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
