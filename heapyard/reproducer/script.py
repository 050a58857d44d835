"""Who makes the calls, and when: a plan with sections as functions that threads and handlers call.

    calls of thread 2 in turn        static void part_1(void)       on_thread(2, part_1);
    parallel                         a function a thread            start, start, finish, finish
    in_destructor, at_exit           a function                     at_thread_exit(4, late_1);
    fork                             braces                         if (in_child()) { ... }

Main's own calls stand in main. What is made later than it stands in the plan is also written later:
a thread's last calls when it is joined.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from heapyard.reproducer.calls import write_end_of_round
from heapyard.reproducer.writer import Numbered, Site, Writer
from heapyard.trial.operations import BY_NAME, Call, Expect
from heapyard.trial.structure import sections_of

__all__ = ["SCRIPTED", "Form", "Script", "has_sections", "highest_thread"]

SCRIPTED = frozenset(
    {"on_thread", "join", "parallel", "end_section", "in_destructor", "fork", "at_exit"}
)
"""Operations that say who makes the calls, and when."""

_END_OF_ROUND = Call(BY_NAME["free_all"].code)

_OF_MAIN = frozenset({"measure", "trend", "await", "stir", "idle", "atfork", "early", "stack"})
"""Calls that main makes, whichever thread is the current one."""


class Form(Protocol):
    """How a program holds its blocks and writes runs of calls: in variables, or in an array."""

    def write(self, calls: Sequence[Numbered]) -> None:
        """A run of calls of one thread."""

    def copied(self) -> AbstractContextManager[None]:
        """What is written meanwhile is done by a forked child."""

    def declarations(self) -> list[str]:
        """What functions share, as C text."""


def has_sections(calls: Sequence[Call]) -> bool:
    """Whether the calls are made by several threads or processes, or at several times."""
    return any(call.operation.opens or call.name == "on_thread" for call in calls)


def highest_thread(calls: Sequence[Call]) -> int:
    """The highest number of a thread."""
    return max((call.size for call in calls if call.name == "on_thread"), default=0)


class Script:
    """One round of a plan, written from its first call to its last."""

    def __init__(self, writer: Writer, form: Form, calls: Sequence[Call]) -> None:
        self._writer = writer
        self._form = form
        self._calls: list[Numbered] = list(enumerate(calls))
        self._thread = 0
        self._ends = dict(sections_of(calls))
        self._late: dict[int, dict[int, tuple[str, list[Numbered]]]] = {}
        self._exits: list[tuple[str, list[Numbered]]] = []
        self._ticking: set[int] = set()
        self._started: set[int] = set()
        self._arrival: Numbered | None = None

    def write(self, *, ends_round: bool) -> None:
        """All of it; `ends_round`: what is live at the end is verified and freed."""
        if has_sections([call for _, call in self._calls]):
            at = 0
            while at < len(self._calls):
                at = self._write_next(at)
        else:
            self._form.write(self._calls)
        self._write_end(ends_round=ends_round)

    def _write_next(self, at: int) -> int:
        """What begins here; answers where the next begins."""
        call = self._calls[at][1]
        if call.name == "on_thread":
            self._write_on_thread(at)
        elif call.name == "join":
            self._join(call.size)
            self._thread = 0 if self._thread == call.size else self._thread
        elif call.name == "parallel":
            self._write_parallel(self._section(at), call.size)
            return self._ends[at] + 1
        elif call.name == "at_exit":
            self._write_at_exit(self._section(at))
            return self._ends[at] + 1
        elif call.name in _OF_MAIN:
            self._form.write([self._calls[at]])
        else:
            end = self._end_of_span(at)
            self._write_span(self._thread, self._calls[at:end])
            return end
        return at + 1

    def _write_on_thread(self, at: int) -> None:
        """The thread runs even if it makes no call: its errno may be what is asked for."""
        self._arrival = self._calls[at]
        self._thread = self._arrival[1].size
        if not self._is_of_thread(at + 1):
            self._write_span(self._thread, [])

    def _section(self, at: int) -> list[Numbered]:
        return self._calls[at + 1 : self._ends[at]]

    def _is_of_thread(self, at: int) -> bool:
        breaks = {"on_thread", "join", "parallel", "at_exit", *_OF_MAIN}
        return at < len(self._calls) and self._calls[at][1].name not in breaks

    def _end_of_span(self, at: int) -> int:
        while self._is_of_thread(at):
            at = self._ends.get(at, at) + 1
        return at

    # --- one thread at a time ---

    def _write_span(self, thread: int, calls: list[Numbered]) -> None:
        """Calls of one thread: in a function, unless it is main's."""
        asks = self._asks_for_errno(thread)
        if thread == 0:
            self._write_calls(0, calls)
            return
        if not calls and not asks and thread in self._started:
            return
        self._started.add(thread)
        writer = self._writer
        part = writer.own.name("part")
        with writer.function(part):
            self._write_calls(thread, calls)
        writer.say(f"{writer.helper('on_thread')}({thread}, {part});")

    def _asks_for_errno(self, thread: int) -> bool:
        return (
            self._arrival is not None
            and bool(self._arrival[1].expect & Expect.ERRNO_KEPT)
            and self._writer.wants("errno", Site.of(self._arrival[1], self._arrival[0]))
            and self._arrival[1].size == thread
        )

    def _write_calls(self, thread: int, calls: Sequence[Numbered]) -> None:
        """Calls of the current thread, with the forks and destructors among them."""
        self._check_errno(thread)
        run: list[Numbered] = []
        skip_to = -1
        for index, call in calls:
            if index is not None and index < skip_to:
                continue
            if index is not None and call.operation.opens:
                self._form.write(run)
                run = []
                skip_to = self._ends[index] + 1
                self._open(thread, index, call)
            else:
                run.append((index, call))
                if call.name == "signals":
                    (self._ticking.add if call.size else self._ticking.discard)(thread)
        self._form.write(run)
        self._note_errno(thread)

    def _open(self, thread: int, index: int, call: Call) -> None:
        if call.name == "fork":
            self._write_fork(index)
        else:
            self._write_in_destructor(thread, call.size, self._section(index))

    def _write_fork(self, index: int) -> None:
        writer = self._writer
        if index == writer.failure.op and writer.failure.dies:
            writer.say("/* Here: */")
        writer.open(f"if ({writer.helper('in_child')}())")
        with self._form.copied():
            self._form.write(self._section(index))
        writer.say("_exit(0);")
        writer.close()

    # --- errno of each thread ---

    def _looks_at_errno(self) -> bool:
        """Whether some on_thread asks whether errno is what the thread left."""
        return "errno" in self._writer.kinds and any(
            call.name == "on_thread" and call.expect & Expect.ERRNO_KEPT for _, call in self._calls
        )

    def _note_errno(self, thread: int) -> None:
        if self._looks_at_errno():
            self._writer.used.headers.add("errno.h")
            self._writer.say(f"{self._writer.helper('errno_of')}[{thread}] = errno;")

    def _check_errno(self, thread: int) -> None:
        if self._asks_for_errno(thread):
            left = f"errno_of[{thread}]"
            self._writer.helper("errno_of")
            expected = f"errno of thread {thread} as it left it: %d"
            self._writer.fail_if(f"errno != {left}", expected, "%d", left, "errno")
        self._arrival = None

    # --- all at once ---

    def _write_parallel(self, section: list[Numbered], times: int) -> None:
        """A function for each thread; main's own part is called between start and finish."""
        writer = self._writer
        shares = self._shares(section)
        if not shares:
            return
        writer.helper("threads")
        writer.helper("together")
        parts = {}
        for thread, calls in shares.items():
            parts[thread] = writer.own.name("part")
            with writer.function(parts[thread]):
                self._write_share(thread, calls, times)
        writer.say(f"(void)pthread_barrier_init(&barrier, NULL, {len(parts)});")
        others = [thread for thread in parts if thread != 0]
        self._started.update(others)
        writer.say(*(f"start({thread}, {parts[thread]});" for thread in others))
        if 0 in parts:
            writer.say(f"{parts[0]}();")
        writer.say(*(f"finish({thread});" for thread in others))

    def _write_share(self, thread: int, calls: list[Numbered], times: int) -> None:
        writer = self._writer
        kept = writer.kept
        writer.say("together();")
        if times > 1:
            writer.open(f"for (size_t turn = 0; turn < {times}; turn++)")
        self._write_calls(thread, calls)
        if times > 1:
            writer.close()
        writer.kept = kept  # a thread's errno is its own

    def _shares(self, section: list[Numbered]) -> dict[int, list[Numbered]]:
        shares: dict[int, list[Numbered]] = {}
        thread = 0
        for index, call in section:
            if call.name == "on_thread":
                thread = call.size
                shares.setdefault(thread, [])
            else:
                shares[thread].append((index, call))
        return {thread: calls for thread, calls in shares.items() if calls}

    # --- later ---

    def _write_in_destructor(self, thread: int, turn: int, section: list[Numbered]) -> None:
        writer = self._writer
        late = writer.own.name("late")
        self._late.setdefault(thread, {})[turn] = (late, section)
        if turn == 0:
            writer.say(f"{writer.helper('in_object_destructor')}({late});")
        else:
            writer.say(f"{writer.helper('at_thread_exit')}({turn}, {late});")

    def _write_at_exit(self, section: list[Numbered]) -> None:
        at_exit = self._writer.own.name("at_exit")
        self._exits.append((at_exit, section))
        self._writer.say(f"(void)atexit({at_exit});")

    def _join(self, thread: int) -> None:
        if thread not in self._started:
            return
        self._started.discard(thread)
        writer = self._writer
        if thread in self._ticking:
            self._ticking.discard(thread)
            self._write_span(thread, [(None, Call(BY_NAME["signals"].code, arg=0))])
            self._started.discard(thread)
        writer.say(f"{writer.helper('end_thread')}({thread});")
        for _, (late, section) in sorted(self._late.pop(thread, {}).items()):
            with writer.function(late):
                self._form.write(section)

    def _write_end(self, *, ends_round: bool) -> None:
        """Threads end, lowest first; then handlers of exit are called, the last one first."""
        if 0 in self._ticking:
            self._form.write([(None, Call(BY_NAME["signals"].code, arg=0))])
        if "fail_os" not in self._writer.used.helpers:  # a thread that ends blocks its signal
            for thread in sorted(self._started):
                self._join(thread)
        while self._exits:
            at_exit, section = self._exits.pop()
            with self._writer.function(at_exit):
                self._form.write(section)
                if not self._exits:
                    write_end_of_round(self._writer, Site.of(_END_OF_ROUND, None))
                    return
        if ends_round:
            write_end_of_round(self._writer, Site.of(_END_OF_ROUND, None))
