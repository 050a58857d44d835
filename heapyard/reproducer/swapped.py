"""A C program for what fails where the target is the malloc of a whole program (`trial.swap`).

There is no plan then: the program is the topic of heapyard-swap itself, as its source stands in
`topics`, behind a few lines that print what the topic expects and sees.
"""

import textwrap
from pathlib import Path

from heapyard._version import version
from heapyard.reproducer.failure import Failure, NoProgramError
from heapyard.reproducer.loading import loading_of
from heapyard.trial.targets import Target

__all__ = ["swap_program"]

_SOURCES = Path(__file__).with_name("topics")
_FILES = {
    **dict.fromkeys(("family", "closure"), "family.c"),
    **dict.fromkeys(("strings", "grown"), "strings.c"),
    **dict.fromkeys(("operators", "deletes"), "operators.c"),
    **dict.fromkeys(("in_use", "sane", "system"), "mallinfo.c"),
    "info": "malloc_info.c",
}

_BEFORE = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *running = "start";

/* Ends the program, without a malloc. */
_Noreturn static void leave(int code, const char *text)
{
    (void)!write(STDOUT_FILENO, text, strlen(text));
    _exit(code);
}

/* A step begins. */
void swap_step(const char *name)
{
    running = name;
}

void swap_expect(bool holds, const char *expected, const char *seen, ...)
{
    char words[512], text[1024];
    va_list values;
    if (holds) {
        return;
    }
    va_start(values, seen);
    (void)vsnprintf(words, sizeof words, seen, values);
    va_end(values);
    (void)snprintf(text, sizeof text, "expected: %s; seen: %s, at %s\\n", expected, words, running);
    leave(1, text);
}

/* There is nothing to ask for here. */
_Noreturn void swap_refuse(const char *reason, ...)
{
    char words[512];
    va_list values;
    va_start(values, reason);
    (void)vsnprintf(words, sizeof words - 1, reason, values);
    va_end(values);
    leave(0, strcat(words, "\\n"));
}

static void died(int number)
{
    char text[256];
    (void)snprintf(text, sizeof text, "expected: the program goes on; seen: signal %d, at %s\\n",
                   number, running);
    leave(1, text);
}

static unsigned char byte_at(unsigned number, size_t i)
{
    return (unsigned char)((size_t)61 * number + 37 * i + i / 251 + 1);
}

void swap_fill(void *block, size_t size, unsigned number)
{
    for (size_t i = 0; i < size; i++) {
        ((unsigned char *)block)[i] = byte_at(number, i);
    }
}

bool swap_is_filled(const void *block, size_t size, unsigned number)
{
    size_t i = 0;
    while (i < size && ((const unsigned char *)block)[i] == byte_at(number, i)) {
        i++;
    }
    return i == size;
}

/* A function of the object that malloc is in, or NULL. */
void *swap_own(const char *name)
{
    Dl_info here, other;
    void *const symbol = dlsym(RTLD_DEFAULT, name);
    const bool is_own = symbol != NULL && dladdr(symbol, &here) != 0 &&
                        dladdr(dlsym(RTLD_DEFAULT, "malloc"), &other) != 0 &&
                        here.dli_fbase == other.dli_fbase;
    return is_own ? symbol : NULL;
}"""

_MAIN = """\
int main(void)
{
    static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        (void)signal(signals[i], died);
    }
    (void)alarm(30);
    swap_TOPIC(NULL);
    return 0;
}
"""


def swap_program(
    topic: str, failure: Failure, target: Target, *, step: str = "", file: str = "repro.c"
) -> str:
    """The program's text. Raises NoProgramError."""
    loading = loading_of(target)
    if topic not in _FILES or loading is None or not loading.replaces_malloc:
        raise NoProgramError(f"no C program does what {topic} does")
    lines = [failure.rule, "", f"expected: {failure.expected}", f"seen:     {failure.seen}"]
    lines += [f"on:       {target.typed}, at {step}", "", f"    {loading.build.format(file=file)}"]
    lines += [f"    {loading.command}", "", "It prints what was expected and seen and exits 1; on"]
    lines[-1] += f" an allocator that does it right it exits 0. Written by heapyard {version()}."
    return "\n\n".join([_comment(lines), _BEFORE, _source(topic), _MAIN.replace("TOPIC", topic)])


def _comment(lines: list[str]) -> str:
    body = "\n".join(f" * {line}".rstrip() for line in _wrapped(lines)).replace("*/", "* /")
    return f"/*\n{body}\n */"


def _wrapped(lines: list[str]) -> list[str]:
    """Commands stay whole."""
    return [
        part
        for line in lines
        for part in ([line] if line.startswith("    ") else textwrap.wrap(line, 92) or [""])
    ]


def _source(topic: str) -> str:
    """What the topic does, under names of its own."""
    text = (_SOURCES / _FILES[topic]).read_text(encoding="utf-8")
    return text.replace('#include "swap/swap.h"\n\n', "").replace("hy__swap_", "swap_").strip()
