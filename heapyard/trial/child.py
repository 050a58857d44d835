"""One child process: start it, watch it, end it, and say how it ended.

The child gets three files without a name (memfd_create): the plan, a result and a state that it
maps, where it notes the operation that runs. Standard output and error are pipes that are drained
all the time and kept in part. So nothing is left behind, and a child that prints megabytes, closes
its descriptors or never ends is seen for what it is.
"""

import fcntl
import itertools
import json
import os
import select
import signal
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from heapyard._deadline import seconds_left
from heapyard.trial.reaper import TOKEN, adopting, end_family, start_family

__all__ = ["Command", "Descriptors", "Ended", "Limits", "Progress", "run_child"]

TAIL_BYTES = 4096
"""How much of the end of each stream is kept."""

_RESULT_BYTES = 1 << 20
_TICK_SECONDS = 0.02
_LOOKS_AT_CHILDREN = 5
_STRETCH = 4
_STATE = struct.Struct("<QQQ")
_BEFORE_FIRST = (1 << 64) - 1
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CLOCK = os.sysconf("SC_CLK_TCK")
_SERIAL = itertools.count()


@dataclass(frozen=True)
class Descriptors:
    """The numbers under which the child finds its files."""

    plan: int
    result: int
    state: int
    trace: int | None = None
    """None: the run is not traced."""


Command = Callable[[Descriptors], Sequence[str]]
"""Makes the child's arguments; the first is the program's path."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a child is ended."""

    seconds: float = 10.0
    """Of wall time; up to four times as many where other processes leave it too little processor
    time to use half of them."""
    memory: int = 2 << 30
    """Bytes of resident memory."""
    still: float = float("inf")
    """Seconds in which its progress does not change."""


@dataclass(frozen=True)
class Progress:
    """What the state file said last."""

    op: int | None
    """Index of the operation; None: before the first one."""
    round: int
    operations: int


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a child ended."""

    reason: Literal["itself", "time", "memory", "stopped"]
    """By itself, or by us: past the time limit, past the memory limit, stopped by a signal."""
    status: int
    """As waitpid gives it."""
    seconds: float
    cpu_seconds: float
    """Processor time when it was ended for its time; else 0."""
    computing: bool
    """Whether it was on the processor, or waiting for it, when it was ended for its time."""
    still: float
    """For how many seconds its progress had not changed when it was ended for its time; else 0."""
    resident: int
    """The most resident memory seen, of it or of a process that it forked, in bytes; 0 where the
    child ended before the first look."""
    result: bytes
    progress: Progress
    stdout: bytes
    stderr: bytes
    trace: bytes = b""

    def answer(self, schema: str) -> dict[str, Any] | None:
        """The JSON object of this schema in the result; None where there is none, but other words.

        Whoever is in the child can write there: what is in the object is still to be judged.
        """
        try:
            answer = json.loads(self.result)
        except (ValueError, RecursionError):
            return None
        return answer if isinstance(answer, dict) and answer.get("schema") == schema else None


def run_child(
    command: Command,
    environment: Mapping[str, str],
    *,
    plan: bytes = b"",
    limits: Limits,
    trace: bytes = b"",
) -> Ended:
    """Run one child to its end; all that it forked is gone on return.

    `trace` is the file that the child gets for its trace; empty: it gets none. Where the whole run
    has a time limit, the child ends with it. Raises OSError where the program can't be started.
    """
    limits = replace(limits, seconds=max(0.0, min(limits.seconds, seconds_left())))
    token = f"{os.getpid()}-{next(_SERIAL)}"
    with ExitStack() as stack:
        files = _Files(stack, plan, trace)
        started = time.monotonic()
        with adopting():
            marked = {**environment, TOKEN: token}
            family = start_family(token, lambda: _spawn(command, marked, files))
            try:
                watch = _watch(family.pid, files, limits, started)
            finally:
                status = end_family(family)
        for stream in files.streams:
            stream.drain()
        return Ended(
            reason=watch.reason,
            status=status,
            seconds=time.monotonic() - started,
            cpu_seconds=watch.cpu_seconds,
            computing=watch.computing,
            still=watch.still,
            resident=watch.resident,
            result=os.pread(files.result, _RESULT_BYTES, 0),
            progress=_progress(files.state),
            stdout=bytes(files.streams[0].tail),
            stderr=bytes(files.streams[1].tail),
            trace=b"" if files.trace is None else os.pread(files.trace, len(trace), 0),
        )


class _Stream:
    """The reading end of a pipe, and the tail of what came through it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.tail = bytearray()
        os.set_blocking(descriptor, False)

    def drain(self) -> None:
        """Read what is there, up to 4 MiB, so that an endless writer does not hold us."""
        with suppress(BlockingIOError):
            for _ in range(64):
                self.tail += os.read(self.descriptor, 1 << 16)
                del self.tail[:-TAIL_BYTES]


class _Files:
    """All descriptors of one run; closed with the stack."""

    def __init__(self, stack: ExitStack, plan: bytes, trace: bytes) -> None:
        def own(descriptor: int) -> int:
            descriptor = _above_stdio(descriptor)
            stack.callback(os.close, descriptor)
            return descriptor

        self.plan = own(_memory_file("plan", plan))
        self.result = own(_memory_file("result", b""))
        self.state = own(_memory_file("state", _STATE.pack(_BEFORE_FIRST, 0, 0).ljust(64, b"\0")))
        self.trace = own(_memory_file("trace", trace)) if trace else None
        pipes = [[own(end) for end in os.pipe2(os.O_CLOEXEC)] for _ in range(2)]
        self.streams = tuple(_Stream(reading) for reading, _ in pipes)
        self.writing = tuple(writing for _, writing in pipes)


def _above_stdio(descriptor: int) -> int:
    """The same file under a number that is none of 0, 1, 2 (this process may have closed them)."""
    if descriptor > 2:
        return descriptor
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return moved


def _memory_file(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(f"heapyard-{name}", os.MFD_CLOEXEC)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    return descriptor


def _spawn(command: Command, environment: Mapping[str, str], files: _Files) -> int:
    """Start the child in a session of its own; its pid.

    posix_spawn shares memory with the parent until exec (CLONE_VFORK), so its cost does not grow
    with the parent's size.
    """
    shared = Descriptors(files.plan, files.result, files.state, files.trace)
    arguments = list(command(shared))
    duplicated = [(files.writing[0], 1), (files.writing[1], 2)]
    inherited = (files.plan, files.result, files.state, files.trace)
    duplicated += [(number, number) for number in inherited if number is not None]
    return os.posix_spawn(
        arguments[0],
        arguments,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            *((os.POSIX_SPAWN_DUP2, old, new) for old, new in duplicated),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
    )


@dataclass
class _Watch:
    """What was seen of a child while it ran."""

    reason: Literal["itself", "time", "memory", "stopped"] = "itself"
    cpu_seconds: float = 0.0
    computing: bool = False
    still: float = 0.0
    resident: int = 0
    looks: int = 0
    stopped_looks: int = 0
    progress: Progress | None = None
    moved: float = 0.0
    """When it last changed."""

    def note_progress(self, state: int, now: float) -> None:
        """Read the state file."""
        progress = _progress(state)
        if progress != self.progress:
            self.progress, self.moved = progress, now

    def look(self, pid: int, limits: Limits) -> bool:
        """Read the kernel's figures; whether the child must be ended."""
        self.looks += 1
        with suppress(OSError, IndexError, ValueError):
            seen = [pid, *(_children(pid) if self.looks % _LOOKS_AT_CHILDREN == 0 else ())]
            self.resident = max(self.resident, *map(_resident, seen))
            if self.resident > limits.memory:
                self.reason = "memory"
                return True
            self.stopped_looks = self.stopped_looks + 1 if _stat(pid)[0] == b"T" else 0
            if self.stopped_looks == 2:
                self.reason = "stopped"
                return True
        return False

    def note_hang(self, pid: int, now: float) -> None:
        """Say what the child is at when its time is over."""
        self.reason = "time"
        self.still = now - self.moved
        with suppress(OSError, IndexError, ValueError):
            self.computing = _stat(pid)[0] == b"R"
            self.cpu_seconds = _cpu_seconds(pid)


def _watch(pid: int, files: _Files, limits: Limits, started: float) -> _Watch:
    """Wait for the end, or for a limit; the child is not reaped."""
    watch = _Watch(moved=started)
    end = started + limits.seconds
    last_end = started + min(_STRETCH * limits.seconds, seconds_left())
    with _Waiter(pid, files.streams) as waiter:
        next_look = started + _TICK_SECONDS
        while True:
            now = time.monotonic()
            if end <= now < last_end and _is_starved(pid, limits.seconds):
                end = now + _TICK_SECONDS
            if now >= end or now - watch.moved >= limits.still:
                watch.note_progress(files.state, now)
                watch.note_hang(pid, now)
                return watch
            if now >= next_look:
                next_look = now + _TICK_SECONDS
                watch.note_progress(files.state, now)
                if watch.look(pid, limits):
                    return watch
            if waiter.wait(min(next_look, end) - now):
                return watch


class _Waiter:
    """Waits for a child's end and drains its streams meanwhile."""

    def __init__(self, pid: int, streams: Sequence[_Stream]) -> None:
        self._end = os.pidfd_open(pid)
        self._streams = {stream.descriptor: stream for stream in streams}
        self._poll = select.poll()
        for descriptor in (self._end, *self._streams):
            self._poll.register(descriptor, select.POLLIN)

    def __enter__(self) -> "_Waiter":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._end)

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether the child has ended."""
        ready = [descriptor for descriptor, _ in self._poll.poll(max(0, seconds * 1000))]
        for descriptor in ready:
            if descriptor != self._end:
                self._streams[descriptor].drain()
        return self._end in ready


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE


def _stat(pid: int | str) -> list[bytes]:
    """The fields of /proc/PID/stat from the third (the state) on."""
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()


def _cpu_seconds(pid: int) -> float:
    """Its own, and that of the children which it has waited for."""
    return sum(map(int, _stat(pid)[11:15])) / _CLOCK


def _is_starved(pid: int, seconds: float) -> bool:
    """Whether it or a child of it has work, and all together had less than half of these seconds.

    Those that wait for what never comes have none.
    """
    family = [pid, *_children(pid)]
    with suppress(OSError, IndexError, ValueError):
        if sum(map(_cpu_seconds, family)) < seconds / 2:
            return any(_has_work(each) for each in family)
    return False


def _has_work(pid: int) -> bool:
    """Whether a thread of it is on the processor, waits for one, or for the disk."""
    return any(
        _stat(f"{pid}/task/{task.name}")[0] in {b"R", b"D"}
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def _children(pid: int) -> list[int]:
    """Those that its threads have forked, where the kernel tells; not their children."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_bytes().split())
    return found


def _progress(state: int) -> Progress:
    op, rounds, operations = _STATE.unpack(
        os.pread(state, _STATE.size, 0).ljust(_STATE.size, b"\0")
    )
    return Progress(None if op == _BEFORE_FIRST else op, rounds, operations)
