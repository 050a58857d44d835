"""No process stays behind: kills a child's whole family, whatever its members did to escape.

Three nets, from cheap to dear. The child leads a session and process group of its own, which is
killed whole. While a child runs this process is a *subreaper* (prctl(2)), so that members of the
family who left the group become our children when their parents die. And each member has inherited
two marks, by which strays are told from the children that the rest of this process may have: a
token in its environment, and a limit of resident memory of its own, which Linux has not enforced
since 2.4.30, so it does nothing but to outlive an exec with an empty environment.
"""

import ctypes
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

__all__ = ["TOKEN", "Family", "adopting", "end_family", "start_family"]

TOKEN = "HEAPYARD_TRIAL_CHILD"  # noqa: S105
"""The environment variable that marks a child and all that it forks."""

_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_SWEEP_SECONDS = 2.0
_FIRST_LIMIT = 1 << 62
_LIMIT = 22  # rsslim, the 25th field of a stat file; see _processes


class _Adoption:
    """How many runs want this process to adopt orphans, and what it was before the first."""

    lock = threading.Lock()
    runs = 0
    before = 0
    families = 0
    children: ClassVar[set[int]] = set()
    """Those that other calls of `end_family` will reap."""


_prctl = ctypes.CDLL(None).prctl


@contextmanager
def adopting() -> Iterator[None]:
    """Be a subreaper for the time of the block; blocks may nest and overlap across threads."""
    with _Adoption.lock:
        if _Adoption.runs == 0:
            before = ctypes.c_int(0)
            _prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before))
            _Adoption.before = before.value
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _Adoption.runs += 1
    try:
        yield
    finally:
        with _Adoption.lock:
            _Adoption.runs -= 1
            if _Adoption.runs == 0:
                _prctl(_PR_SET_CHILD_SUBREAPER, _Adoption.before)


@dataclass(frozen=True)
class Family:
    """A child that leads its own session, and how its offspring are told from other processes."""

    pid: int
    token: str
    """The value of TOKEN in its environment."""
    others: frozenset[int]
    """The children that this process had before: none of the family."""
    limit: int
    """Its limit of resident memory."""


def start_family(token: str, spawn: Callable[[], int]) -> Family:
    """Start a child with `spawn`, which answers its pid, so that no other thread reaps it."""
    with _Adoption.lock:
        others = _present_children()
        _Adoption.families += 1
        limit = _FIRST_LIMIT + _Adoption.families
        with _inherited(limit):
            pid = spawn()
        _Adoption.children.add(pid)
    return Family(pid, token, others, limit)


@contextmanager
def _inherited(limit: int) -> Iterator[None]:
    """What this process starts in the block has this limit of resident memory."""
    before = resource.getrlimit(resource.RLIMIT_RSS)
    with suppress(OSError, ValueError):  # it may not have one so high
        resource.setrlimit(resource.RLIMIT_RSS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_RSS, before)


def _present_children() -> frozenset[int]:
    """The children of this process, dead ones too."""
    if not _has_children():
        return frozenset()
    return frozenset(pid for pid, stat in _processes() if int(stat[1]) == os.getpid())


def end_family(family: Family) -> int:
    """Kill what is left of a child and its offspring, and reap all; the child's wait status.

    Takes tens of microseconds where nothing but the dead child is left, and gives up on strays
    after two seconds.
    """
    with suppress(ProcessLookupError):
        os.killpg(family.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(family.pid, signal.SIGKILL)
    deadline = time.monotonic() + _SWEEP_SECONDS
    with _Adoption.lock:
        status = os.waitpid(family.pid, 0)[1]
        _Adoption.children.discard(family.pid)
        while _end_strays(family) and time.monotonic() < deadline:
            pass
    return status


def _end_strays(family: Family) -> bool:
    """End those that are there now; whether there were any (their children may be ours now)."""
    strays = list(_strays(family)) if _has_children() else []
    for stray in strays:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(stray, signal.SIGKILL)
            os.waitpid(stray, 0)
    return bool(strays)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _processes() -> Iterator[tuple[int, list[bytes]]]:
    """Every process: its pid, and the fields of its stat file from the third (the state) on."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):
                stat = Path(entry.path, "stat").read_bytes()
                yield int(entry.name), stat.rpartition(b")")[2].split()


def _strays(family: Family) -> Iterator[int]:
    """Our children that belong to the family."""
    for pid, stat in _processes():
        if int(stat[1]) == os.getpid() and pid not in _Adoption.children | family.others:
            with suppress(OSError):
                if _belongs(pid, stat, family):
                    yield pid


def _belongs(pid: int, stat: list[bytes], family: Family) -> bool:
    """By session or by a mark; what is dead has no token, but left our session if it is adopted."""
    session = int(stat[3])
    if session == os.getsid(0):
        return False
    if stat[0] == b"Z" or session == family.pid or int(stat[_LIMIT]) == family.limit:
        return True
    mark = f"{TOKEN}={family.token}".encode()
    return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
