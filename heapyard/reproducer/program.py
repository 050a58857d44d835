"""The whole C file: what it shows, headers, the allocator's functions, helpers, and main."""

import re
import textwrap
from collections.abc import Iterable

from heapyard._version import version
from heapyard.reproducer.arrays import array_declarations, write_with_array
from heapyard.reproducer.calls import WRITERS, write_growth
from heapyard.reproducer.failure import Failure, NoProgramError
from heapyard.reproducer.helpers import HELPERS, headers_of, in_order
from heapyard.reproducer.loading import Loading, loading_of
from heapyard.reproducer.variables import fits_in_variables, write_with_variables
from heapyard.reproducer.writer import Writer
from heapyard.trial.plan import Plan
from heapyard.trial.targets import Target

__all__ = ["c_program", "command_of", "listing"]

HANG_SECONDS = 5
"""How long a program waits for a call that does not return."""

MEMORY = 2 << 30
"""Bytes in use that count as endless growth, as in the runner."""

SHORT = 25
"""Lines of a main function that reports show whole."""

_WHOLE = 1 << 20
"""Blocks up to here are filled whole."""


def c_program(plan: Plan, failure: Failure, target: Target, *, file: str = "repro.c") -> str:
    """The program's text. Raises NoProgramError."""
    loading = loading_of(target)
    if loading is None:
        raise NoProgramError(f"{target.typed} is no allocator that a C program can call")
    unknown = sorted({call.name for call in plan.calls} - set(WRITERS))
    if unknown:
        raise NoProgramError(f"no C text for {', '.join(unknown)}")
    return _Program(plan, failure, loading).text(file)


def command_of(target: Target, file: str = "repro.c") -> str:
    """The shell command that builds a program and runs it on the target."""
    loading = loading_of(target)
    return "" if loading is None else f"{loading.build.format(file=file)} && {loading.command}"


def listing(text: str) -> str:
    """The program's main function, where it has at most SHORT lines; else nothing."""
    start = text.index("int main(")
    lines = text[start:].splitlines()
    return "\n".join(lines) if len(lines) <= SHORT else ""


class _Program:
    def __init__(self, plan: Plan, failure: Failure, loading: Loading) -> None:
        self._plan = plan
        self._failure = failure
        self._loading = loading
        header = plan.header
        self._short = fits_in_variables(plan.calls, repeat=header.repeat)
        capabilities = loading.target.capabilities
        self._writer = Writer(
            header,
            failure,
            alignment=capabilities.min_alignment,
            everywhere=not self._short,
        )
        self._writer.is_bulk = "bulk_free_only" in capabilities.flags

    def text(self, file: str) -> str:
        """All of it."""
        writer = self._writer
        table, arrays = self._write_calls()
        used = writer.used
        declarations = self._loading.declarations(used)
        main = self._main()
        helpers = in_order(used.helpers)
        wide = {"stdint.h"} if any("_MAX" in line for line in [*writer.lines, *table]) else set()
        includes = sorted({*used.headers, *headers_of(helpers), *wide, "stdlib.h"} - {""})
        parts = [
            self._comment(file),
            "\n".join(["#define _GNU_SOURCE", *(f"#include <{name}>" for name in includes)]),
            *declarations,
            *(self._helper(name) for name in helpers),
            *arrays,
            *table,
            main,
        ]
        return "\n\n".join(parts) + "\n"

    def _write_calls(self) -> tuple[list[str], list[str]]:
        writer, calls = self._writer, self._plan.calls
        if self._failure.dies:
            self._watch()
        if self._short:
            write_with_variables(writer, self._until_failure(calls))
            write_growth(writer)
            return [], []
        table = write_with_array(writer, calls, repeat=self._plan.header.repeat)
        write_growth(writer)
        return table, array_declarations(writer, calls)

    def _until_failure(self, calls: tuple) -> tuple:  # type: ignore[type-arg]
        op = self._failure.op
        return calls if op is None or not self._failure.status else calls[: op + 1]

    def _watch(self) -> None:
        grows = self._failure.status in ("exit", "runaway")
        helper = "guard" if grows else "watch"
        self._writer.say(f"{self._writer.helper(helper)}();")

    def _helper(self, name: str) -> str:
        large = max((call.size for call in self._plan.calls), default=0) > _WHOLE
        step = "i = next(i, size)" if large else "i++"
        if large and name in ("fill", "same"):
            prefix = "" if "next" in self._writer.used.helpers else HELPERS["next"].text + "\n\n"
            self._writer.used.helpers.add("next")
        else:
            prefix = ""
        text = prefix + HELPERS[name].text.replace("STEP", step)
        text = text.replace("SECONDS", str(HANG_SECONDS)).replace("MEMORY", str(MEMORY))
        return text.replace("FINISHED", "77")

    def _main(self) -> str:
        used = self._writer.used
        start = [f"    {line}" for line in self._loading.start(used)]
        lines = _without_idle(self._writer.lines, used.locals)
        text = "\n".join(lines)
        own = [
            _declared(kind, name)
            for name, kind in used.locals.items()
            if re.search(rf"\b{name.split()[0]}\b", text)
        ]
        grows = self._failure.dies and "guard" in used.helpers
        end = "    _exit(77);" if grows else "    return 0;"
        head = [f"int main({self._loading.arguments})", "{", *start, *own]
        return "\n".join([*head, *lines, end, "}"])

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


def _without_idle(lines: list[str], names: Iterable[str]) -> list[str]:
    """The same lines, results that nothing looks at no longer kept."""
    for name in names:
        uses = sum(len(re.findall(rf"\b{name}\b", line)) for line in lines)
        sets = [re.match(rf" *{name} = ", line) is not None for line in lines]
        if uses == sum(sets):
            pairs = zip(lines, sets, strict=True)
            lines = [line.replace(f"{name} = ", "(void)") if idle else line for line, idle in pairs]
    return lines


def _declared(kind: str, name: str) -> str:
    if kind.startswith("static"):
        return f"    {kind} {name};"
    value = "" if "=" in name else " = NULL" if kind.endswith("*") else " = 0"
    return f"    {kind}{'' if kind.endswith('*') else ' '}{name}{value};"
