"""The whole C file: what it shows, headers, the allocator's functions, helpers, and main."""

import re
import textwrap

from heapyard._version import version
from heapyard.reproducer.arrays import Arrays
from heapyard.reproducer.failure import OWNERS, Failure, NoProgramError, is_chancy
from heapyard.reproducer.figures import notes_of, write_growth
from heapyard.reproducer.functions import body_of
from heapyard.reproducer.helpers import HELPERS, headers_of, in_order, with_lock
from heapyard.reproducer.loading import Loading, loading_of
from heapyard.reproducer.misuse import takes_break
from heapyard.reproducer.repeats import with_loops
from heapyard.reproducer.script import Form, Script, has_sections, highest_thread
from heapyard.reproducer.threads import of_threads
from heapyard.reproducer.variables import Variables, fits_in_variables, without_names
from heapyard.reproducer.writer import HUGE, Writer
from heapyard.trial.encoding import slot_count
from heapyard.trial.operations import Call
from heapyard.trial.plan import Plan
from heapyard.trial.targets import Target

__all__ = ["c_program", "command_of", "listing"]

HANG_SECONDS = 5
"""How long a program waits for a call that does not return, where that is the failure..."""

LIFE_SECONDS = 30
"""...and where it is another: a machine may be slow."""

RACE_SECONDS = 5
"""For how long a program looks for what shows only now and then."""

MEMORY = 2 << 30
"""Bytes in use that count as endless growth, as in the runner."""

SHORT = 30
"""Lines that reports show of a program: its main function, and what stands for other threads."""

_WHOLE = 1 << 20
"""Blocks up to here are filled whole."""


def c_program(plan: Plan, failure: Failure, target: Target, *, file: str = "repro.c") -> str:
    """The program's text. Raises NoProgramError."""
    loading = loading_of(target)
    if loading is None:
        raise NoProgramError(f"{target.typed} is no allocator that a C program can call")
    if not loading.replaces_malloc and any(call.name == "early" for call in plan.calls):
        raise NoProgramError("only what replaces malloc is called before main")
    return _Program(plan, failure, loading).text(file)


def command_of(target: Target, file: str = "repro.c") -> str:
    """The shell command that builds a program and runs it on the target."""
    loading = loading_of(target)
    return "" if loading is None else f"{loading.build.format(file=file)} && {loading.command}"


def listing(text: str) -> str:
    """Where the calls are made: main and the functions for threads and handlers.

    Nothing where these have more than SHORT lines, or the calls stand in a table.
    """
    start = re.search(r"^(static void (part|late|at_exit)_1\(|int main\()", text, re.MULTILINE)
    assert start is not None, "every program has a main"
    lines = text[start.start() :].splitlines()
    is_table = any(line.lstrip().startswith("play(") for line in lines)
    return "" if is_table or len(lines) > SHORT else "\n".join(lines)


class _Program:
    def __init__(self, plan: Plan, failure: Failure, loading: Loading) -> None:
        self._plan = plan
        self._failure = failure
        self._loading = loading
        self._has_sections = has_sections(plan.calls)
        self._is_chancy = is_chancy(plan, failure)
        self._short = fits_in_variables(plan)
        self._writer = self._new_writer()
        self._form: Form = (
            Variables(self._writer, shared=self._has_sections)
            if self._short
            else Arrays(self._writer, slot_count(plan.calls))
        )

    def _new_writer(self) -> Writer:
        capabilities = self._loading.target.capabilities
        everywhere = self._is_chancy or not self._short
        writer = Writer(
            self._plan.header,
            self._failure,
            alignment=capabilities.min_alignment,
            everywhere=everywhere,
        )
        writer.takes_break = any(takes_break(call) for call in self._plan.calls)
        writer.is_bulk = "bulk_free_only" in capabilities.flags
        largest = max((call.size * (call.arg or 1) for call in self._plan.calls), default=0)
        writer.spares_huge = largest > HUGE and "content" not in writer.kinds
        writer.is_concurrent = any(call.name == "parallel" for call in self._plan.calls)
        if self._is_chancy and writer.kinds & OWNERS:
            writer.kinds |= OWNERS
        return writer

    def text(self, file: str) -> str:
        """All of it."""
        writer = self._writer
        self._write_main()
        shared = self._form.declarations()
        used = writer.used
        declarations = self._loading.declarations(used)
        lines, functions = writer.own.settle(self._main())
        if self._has_sections:
            lines = [*lines[:2], *with_loops(lines[2:-1]), lines[-1]]
        helpers = in_order(used.helpers)
        own = "\n".join([*lines, *functions, *shared])
        wide = {"stdint.h"} if "_MAX" in own else set()
        includes = sorted({*used.headers, *headers_of(helpers), *wide, "stdlib.h"} - {""})
        parts = [
            self._comment(file),
            "\n".join(["#define _GNU_SOURCE", *(f"#include <{name}>" for name in includes)]),
            *declarations,
            *(self._helper(name) for name in helpers),
            *shared,
            *functions,
            "\n".join(lines),
        ]
        return "\n\n".join(parts) + "\n"

    # --- main ---

    def _write_main(self) -> None:
        writer, repeat = self._writer, self._plan.header.repeat
        self._begin()
        if repeat > 1:
            writer.open(f"for (size_t round = 0; round < {repeat}; round++)")
        calls = self._until_failure()
        Script(writer, self._form, calls).write(ends_round=self._ends_round())
        if repeat > 1:
            writer.close()
        write_growth(writer)

    def _begin(self) -> None:
        """What is done about a process that may not live, or that must be run more than once."""
        writer = self._writer
        if self._is_chancy:
            writer.say(f"{writer.helper('again_and_again')}();")
        if self._failure.status in ("exit", "runaway"):
            writer.say(f"{writer.helper('guard')}();")
        elif self._failure.dies or self._is_chancy:
            writer.say(f"{writer.helper('watch')}();")
        elif self._failure.is_damage and not self._plan.misuses:
            writer.say(f"{writer.helper('see_damage')}();")

    def _stops_at_failure(self) -> bool:
        """Whether nothing that comes after the failing call matters."""
        failure = self._failure
        is_known = failure.op is not None and bool(failure.status)
        is_before_end = (failure.op or 0) < len(self._plan.calls)
        return is_known and is_before_end and self._plan.header.repeat == 1

    def _until_failure(self) -> tuple[Call, ...]:
        calls = self._plan.calls
        if self._has_sections or not self._stops_at_failure():
            return calls
        return calls[: (self._failure.op or 0) + 1]

    def _ends_round(self) -> bool:
        return self._is_chancy or not self._stops_at_failure()

    def _main(self) -> list[str]:
        writer = self._writer
        start = [f"    {line}" for line in self._loading.start(writer.used)]
        lines = writer.lines
        if self._short and not self._has_sections:
            lines = without_names(lines)
        body = body_of(lines, writer.locals)
        end = "    _exit(77);" if "guard" in writer.used.helpers else "    return 0;"
        return [f"int main({self._loading.arguments})", "{", *start, *body, end, "}"]

    def _helper(self, name: str) -> str:
        text = HELPERS[name].text
        if name in ("fill", "same"):
            text = self._stepping(text)
        used = self._writer.used.helpers
        text = with_lock(text, locks="lock" in used)
        if name == "threads":
            text = of_threads(text, sized="stack_size" in used, watched="watch" in used)
        for word, value in (
            ("TRYING", str(RACE_SECONDS)),
            ("SECONDS", str(HANG_SECONDS if self._failure.status == "hang" else LIFE_SECONDS)),
            ("MEMORY", str(MEMORY)),
            ("FINISHED", "77"),
            ("COUNT_OF_THREADS", str(highest_thread(self._plan.calls) + 1)),
            ("NOTES", str(self._notes())),
            ("TRENDS", str(self._notes())),
        ):
            text = text.replace(word, value)
        return text

    def _notes(self) -> int:
        plan = self._plan
        return notes_of(self._failure.figure, plan.calls) * plan.header.repeat

    def _stepping(self, text: str) -> str:
        """Not every byte of a large block is looked at."""
        large = max((call.size for call in self._plan.calls), default=0) > _WHOLE
        if not large:
            return text.replace("STEP", "i++")
        used = self._writer.used.helpers
        first = "" if "next" in used else HELPERS["next"].text + "\n\n"
        used.add("next")
        return first + text.replace("STEP", "i = next(i, size)")

    def _comment(self, file: str) -> str:
        failure = self._failure
        target = self._loading.target
        lines = textwrap.wrap(failure.rule, 92) or [self._plan.name or "a plan"]
        lines.append("")
        for label, text in (("expected", failure.expected), ("seen", failure.seen)):
            if text:
                lines += textwrap.wrap(
                    f"{label + ':':<10}{text}",
                    92,
                    subsequent_indent=" " * 10,
                    break_long_words=False,
                )
        where = f", call {failure.op}" if failure.op is not None else ""
        lines += [
            f"on:       {target.typed}{where}",
            "",
            f"    {self._loading.build.format(file=file)}",
        ]
        lines += [f"    {self._loading.command}", ""]
        lines += ["It prints what was expected and seen and exits 1; on an allocator that does it"]
        lines += [f"right it exits 0. Written by heapyard {version()}."]
        body = "\n".join(f" * {line}".rstrip() for line in lines).replace("*/", "* /")
        return f"/*\n{body}\n */"
