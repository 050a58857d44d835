"""Figures that a program measures of itself, and the verdict on what has grown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapyard.reproducer.helper import Helper
from heapyard.trial.operations import FIGURES, Call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from heapyard.reproducer.writer import Writer
    from heapyard.rules.violation import Growth

__all__ = ["FIGURE_HELPERS", "OS_CALLS", "note_figure", "notes_of", "write_growth"]

_RSS = """\
/* Memory in use: what is anonymous and in RAM, less what is marked as free. */
static long rss(void)
{
    char line[256];
    long anonymous = 0, lazy = 0;
    FILE *const file = fopen("/proc/self/smaps_rollup", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "Anonymous: %ld", &anonymous);
        (void)sscanf(line, "LazyFree: %ld", &lazy);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return (anonymous - lazy) * 1024;
}"""

_MAPPED = """\
/* The size of the address space in use. */
static long mapped_bytes(void)
{
    long pages = 0;
    FILE *const file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        (void)!fscanf(file, "%ld", &pages);
        (void)fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}"""

_MAPPINGS = """\
/* How many mappings the process has. */
static long mappings(void)
{
    long lines = 0;
    int byte;
    FILE *const file = fopen("/proc/self/maps", "r");
    while (file != NULL && (byte = getc(file)) != EOF) {
        lines += byte == '\\n';
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return lines;
}"""

_OS_CALLS = """\
/* System calls for memory since they are counted. */
static long os_calls(void)
{
    return (long)os_count;
}"""

_NOTE = """\
/* What was measured, in order. */
static long figures[NOTES];
static size_t noted;

static void note(long figure)
{
    if (noted < NOTES) {
        figures[noted++] = figure;
    }
}"""

_NOTE_NOW_AND_THEN = """\
/* Measures in the 1st, 2nd, 4th, 8th ... round, and in the last one. */
static void note_now_and_then(long (*figure)(void))
{
    static size_t times;
    times++;
    if ((times & (times - 1)) == 0 || times == TRENDS) {
        note(figure());
    }
}"""

_LOWEST = """\
static long lowest(size_t from, size_t to)
{
    long least = figures[from];
    for (size_t i = from; i < to; i++) {
        least = figures[i] < least ? figures[i] : least;
    }
    return least;
}"""

_HIGHEST = """\
static long highest(size_t from, size_t to)
{
    long most = figures[from];
    for (size_t i = from; i < to; i++) {
        most = figures[i] > most ? figures[i] : most;
    }
    return most;
}"""

FIGURE_HELPERS: dict[str, Helper] = {
    "rss": Helper(_RSS, headers=("stdio.h",)),
    "mapped_bytes": Helper(_MAPPED, headers=("stdio.h", "unistd.h")),
    "mappings": Helper(_MAPPINGS, headers=("stdio.h",)),
    "note": Helper(_NOTE),
    "note_now_and_then": Helper(_NOTE_NOW_AND_THEN, ("note",)),
    "lowest": Helper(_LOWEST, ("note",)),
    "highest": Helper(_HIGHEST, ("note",)),
}
"""In an order in which they can stand in the file."""

OS_CALLS = Helper(_OS_CALLS, ("fail_os",))

_FUNCTIONS = {
    "rss": "rss",
    "mapped": "mapped_bytes",
    "mappings": "mappings",
    "os_calls": "os_calls",
}

_UNITS = {"mappings": "mappings", "os_calls": "system calls", "usable_bytes": "usable bytes"}
"""The others are bytes in use."""


def note_figure(writer: Writer, figure: str, *, in_rounds: bool = False) -> None:
    """Measure, where it is the figure that grew."""
    if figure != writer.failure.figure:
        return
    if figure == "usable_bytes":
        _note_usable_bytes(writer)
        return
    function = writer.helper(_FUNCTIONS[figure])
    if in_rounds:
        writer.say(f"{writer.helper('note_now_and_then')}({function});")
    else:
        writer.say(f"{writer.helper('note')}({function}());")


def _note_usable_bytes(writer: Writer) -> None:
    total = writer.local("size_t", "total")
    writer.say(f"{total} = 0;")
    for slot in writer.blocks.every():
        block = writer.blocks.value(slot)
        if isinstance(slot, str):
            writer.open("for (size_t x = 0; x < sizeof b / sizeof b[0]; x++)")
        writer.say(f"{total} += {writer.call('usable_size', block)};")
        if isinstance(slot, str):
            writer.close()
    writer.say(f"{writer.helper('note')}((long){total});")


def notes_of(figure: str, calls: Iterable[Call]) -> int:
    """How often these calls note the figure."""
    return sum(
        FIGURES[call.size] == figure if call.name in ("measure", "trend") else figure == "rss"
        for call in calls
        if call.name in ("measure", "trend", "await", "stir")
    )


def write_growth(writer: Writer) -> None:
    """The verdict on what was measured."""
    growth = writer.failure.growth
    if growth is None:
        return
    writer.helper("note")
    grown = writer.local("long", "grown")
    writer.say(f"{grown} = {_grown(writer, growth)};")
    unit = _UNITS.get(growth.figure, "bytes in use")
    expected = f"at most %ld {unit}" if growth.since is None else f"at most %ld more {unit}"
    writer.fail_if(f"{grown} > {growth.most}L", expected, "%ld", f"{growth.most}L", grown)


def _grown(writer: Writer, growth: Growth) -> str:
    if growth.until == "steady":
        lowest, quarter = writer.helper("lowest"), growth.since or 1
        early = f"{lowest}(noted / 4 * {quarter - 1}, noted / 4 * {quarter})"
        return f"{lowest}(noted - noted / 4, noted) - {early}"
    early = "" if growth.since is None else f" - figures[{growth.since}]"
    if growth.until == "last":
        return f"figures[noted - 1]{early}"
    since = 0 if growth.since is None else growth.since + 1
    return f"{writer.helper('highest')}({since}, noted){early}"
