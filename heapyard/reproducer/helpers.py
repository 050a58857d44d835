"""The functions that a program may need beside `main`. Only those that it calls are printed."""

from collections.abc import Iterable

from heapyard.reproducer.figures import FIGURE_HELPERS, OS_CALLS
from heapyard.reproducer.helper import Helper
from heapyard.reproducer.processes import (
    AT_THREAD_EXIT,
    ATFORK,
    CHILD,
    EARLY,
    OBJECT_DESTRUCTOR,
    SIGNAL_EVERY,
)
from heapyard.reproducer.shortage import FAIL_OS, LIMIT_SPACE
from heapyard.reproducer.threads import (
    END_THREAD,
    LOCK,
    ON_THREAD,
    STACK_SIZE,
    THREADS,
    TOGETHER,
)

__all__ = ["HELPERS", "headers_of", "in_order", "with_lock"]


_FAILED = """\
/* Says what was expected and seen, without a malloc, and ends the program: this heap can't be
 * trusted any more. */
__attribute__((format(printf, 1, 2), noreturn)) static void failed(const char *format, ...)
{
    char text[512];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    (void)!write(STDOUT_FILENO, text, strlen(text));
    _exit(1);
}"""

_BYTE_AT = """\
/* What byte i of a block is filled with; `number` tells the blocks apart. Never zero. */
static unsigned char byte_at(unsigned number, size_t i)
{
    return (unsigned char)((37 * i + i / 256 + i / 65536 + 61 * number) | 1);
}"""

_NEXT = """\
/* The next byte to look at: all of the first and last 64 KiB, one in each page between. */
static size_t next(size_t i, size_t size)
{
    return i < 65535 || size - i <= 65536 ? i + 1 : (i | 4095) + 1;
}"""

_FILL = """\
static void fill(unsigned char *block, size_t size, unsigned number)
{
    for (size_t i = 0; block != NULL && i < size; STEP) {
        block[i] = byte_at(number, i);
    }
}"""

_SAME = """\
static void same(const unsigned char *block, size_t size, unsigned number)
{
    for (size_t i = 0; block != NULL && i < size; STEP) {
        if (block[i] != byte_at(number, i)) {
            failed("expected: 0x%02x in byte %zu, as it was written; seen: 0x%02x\\n",
                   byte_at(number, i), i, block[i]);
        }
    }
}"""

_APART = """\
static void apart(const void *new, size_t new_size, const void *old, size_t old_size)
{
    const uintptr_t a = (uintptr_t)new;
    const uintptr_t b = (uintptr_t)old;
    if (a != 0 && b != 0 && a < b + old_size + !old_size && b < a + new_size + !new_size) {
        failed("expected: %zu bytes that no live block owns; seen: %zu bytes at %p,"
               " where %zu bytes at %p are live\\n",
               new_size, new_size, new, old_size, old);
    }
    if (a + new_size < a) {
        failed("expected: a block inside the address space; seen: %zu bytes at %p\\n", new_size,
               new);
    }
}"""

_MAPPED = """\
/* Every page of the block can be reached: msync says ENOMEM where one is not mapped. */
static void mapped(const void *block, size_t size)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = (uintptr_t)block & ~(page - 1);
    const uintptr_t end = ((uintptr_t)block + size + !size + page - 1) & ~(page - 1);
    if (block == NULL || size == 0) {
        return;
    }
    if (msync((void *)first, end - first, MS_ASYNC) != 0 && errno == ENOMEM) {
        failed("expected: a block in mapped memory; seen: %zu bytes at %p, where a page is not\\n",
               size, block);
    }
}"""

_ZERO = """\
static void zero(const unsigned char *block, size_t size)
{
    for (size_t i = 0; block != NULL && i < size; i++) {
        if (block[i] != 0) {
            failed("expected: %zu bytes of zero; seen: 0x%02x in byte %zu\\n", size, block[i], i);
        }
    }
}"""

_LEAST = """\
static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}"""

_LOOK_UP = """\
/* A function by its name; where there is none, there is nothing to show. */
static void *look_up(void *library, const char *name)
{
    void *const found = dlsym(library, name);
    if (found == NULL) {
        (void)printf("not applicable: this allocator has no %s\\n", name);
        exit(0);
    }
    return found;
}"""

_OWN = """\
/* A function that must come with malloc; if another library has it, there is nothing to show. */
static void own(const char *name)
{
    Dl_info mine, other;
    if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &mine) == 0 ||
        dladdr(dlsym(RTLD_DEFAULT, name), &other) == 0 || mine.dli_fbase != other.dli_fbase) {
        (void)printf("not applicable: this allocator has no %s\\n", name);
        exit(0);
    }
}"""

_DIED = """\
/* The process may not live through it: then this says so. */
static void died(int signal)
{
    if (signal == SIGALRM) {
        failed("expected: the call returns; seen: still running after %d s\\n", SECONDS);
    }
    failed("expected: the call returns; seen: signal %d (%s)\\n", signal,
           signal == SIGSEGV   ? "SIGSEGV"
           : signal == SIGABRT ? "SIGABRT"
           : signal == SIGBUS  ? "SIGBUS"
           : signal == SIGILL  ? "SIGILL"
           : signal == SIGFPE  ? "SIGFPE"
           : signal == SIGTRAP ? "SIGTRAP"
                               : "another");
}

/* Signals have a stack of their own: that of a thread may be used up. */
static void use_other_stack(void)
{
    const int all = PROT_READ | PROT_WRITE;
    void *const pages = mmap(NULL, 65536, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const stack_t other = {.ss_sp = pages, .ss_size = 65536};
    (void)sigaltstack(&other, NULL);
}

static void watch(void)
{
    static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS,  SIGILL,
                                  SIGFPE,  SIGTRAP, SIGSYS, SIGALRM};
    struct sigaction action = {.sa_handler = died, .sa_flags = SA_ONSTACK | SA_NODEFER};
    use_other_stack();
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        (void)sigaction(signals[i], &action, NULL);
    }
    (void)alarm(SECONDS);
}"""

_SEE_DAMAGE = """\
/* What is damaged may be the end of the process before it is looked at: the rest runs in a child,
 * and this says so. */
static void see_damage(void)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        return;
    }
    (void)waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        failed("expected: blocks that can be used; seen: signal %d\\n", WTERMSIG(status));
    }
    _exit(WEXITSTATUS(status));
}"""

_GUARD = """\
/* Runs the rest in a child, whose end can be seen whatever it is: exit() or endless growth too. */
static void guard(void)
{
    const long most = MEMORY;
    const pid_t child = fork();
    if (child <= 0) {
        return;
    }
    int status = 0;
    for (int tick = 0; waitpid(child, &status, WNOHANG) == 0; tick++) {
        char path[64], text[256] = "";
        long pages = 0;
        (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)child);
        const int file = open(path, O_RDONLY);
        if (file >= 0 && read(file, text, sizeof text - 1) > 0) {
            (void)sscanf(text, "%*s %ld", &pages);
        }
        (void)close(file);
        if (pages > most / sysconf(_SC_PAGESIZE) || tick >= SECONDS * 100) {
            (void)kill(child, SIGKILL);
            failed("expected: the calls return; seen: %ld MiB of memory in use after %d s\\n",
                   pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024, tick / 100);
        }
        (void)usleep(10000);
    }
    if (WIFSIGNALED(status)) {
        failed("expected: the calls return; seen: signal %d\\n", WTERMSIG(status));
    }
    if (WEXITSTATUS(status) != FINISHED) {
        failed("expected: the calls return; seen: exit with status %d\\n", WEXITSTATUS(status));
    }
    exit(0);
}"""

_AGAIN_AND_AGAIN = """\
/* Whether this goes on: for TRYING s, and up to four times as long on a busy machine, on which
 * nothing was seen so far. */
static int is_trying(time_t start, int seen)
{
    const time_t since = time(NULL) - start;
    struct rusage used;
    (void)getrusage(RUSAGE_CHILDREN, &used);
    return since <= TRYING || (seen == 0 && since <= 4 * TRYING &&
                               used.ru_utime.tv_sec + used.ru_stime.tv_sec < TRYING);
}

/* It shows only now and then: runs the rest again and again, each time in a process of its own, and
 * says how often it was seen. */
static void again_and_again(void)
{
    const time_t start = time(NULL);
    int runs = 0, seen = 0, status = 0;
    while (is_trying(start, seen)) {
        const pid_t child = fork();
        if (child == 0 && seen > 0) {
            (void)dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        }
        if (child <= 0) {
            return;
        }
        (void)waitpid(child, &status, 0);
        runs++;
        seen += status != 0;
    }
    if (seen > 0) {
        (void)printf("seen in %d of %d runs\\n", seen, runs);
    }
    exit(seen > 0);
}"""

_PAUSE_FOR = """\
/* Sleeps so many milliseconds. */
static void pause_for(long milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}"""

_VITAL = ("stdio.h", "unistd.h")

_STALE = """\
/* Pointers that the program keeps, whatever became of their blocks; and foreign memory. */
static void *stale[STALE];"""

_FOREIGN = """\
/* Memory that is not the allocator's: 0 static, 1 on the stack, 2 of mmap, 3 behind a header. */
static void *foreign(int kind, unsigned char *on_stack, size_t size)
{
    static unsigned char memory[4096 + 16] __attribute__((aligned(4096)));
    if (kind == 1) {
        return on_stack + (16 - (uintptr_t)on_stack % 16);
    }
    if (kind == 0) {
        return memory + 16;
    }
    char *const page =
        mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (kind == 2) {
        return page + 4096;
    }
    ((size_t *)(void *)page)[1] = (size + 16) | 1;
    return page + 16;
}"""

_TAKE_BREAK = """\
/* Memory that the program takes by moving the break. It is never freed. */
static void *of_break[64];

static void *take_break(size_t size)
{
    static size_t count;
    char *const start = sbrk((intptr_t)size + 16);
    if (start == (void *)-1) {
        (void)printf("not applicable: this libc moves no break\\n");
        exit(0);
    }
    return of_break[count++ % 64] = start + (-(uintptr_t)start & 15);
}"""

_UNLESS_OF_BREAK = """\
static void *unless_of_break(void *block)
{
    for (size_t i = 0; i < 64; i++) {
        block = block == of_break[i] ? NULL : block;
    }
    return block;
}"""

_STRAY = """\
/* A write where nothing may be written: no byte is what it was. */
static void stray(void *where, size_t count)
{
    volatile unsigned char *const bytes = where;
    for (size_t i = 0; bytes != NULL && i < count; i++) {
        bytes[i] = bytes[i] != 0xa5 ? 0xa5 : 0x5a;
    }
}"""

_LOOK = """\
/* A read of what is gone. */
static void look(const void *where, size_t count)
{
    for (size_t i = 0; where != NULL && i < count; i++) {
        (void)((const volatile unsigned char *)where)[i];
    }
}"""

_MAY_END = """\
/* From here on it is right that the process ends: the allocator tells what was done to it. */
static void end(int number)
{
    (void)number;
    _exit(0);
}

static void may_end(void)
{
    (void)signal(SIGABRT, end);
    (void)signal(SIGSEGV, end);
    (void)signal(SIGBUS, end);
    (void)signal(SIGILL, end);
    (void)signal(SIGTRAP, end);
}"""

HELPERS: dict[str, Helper] = {
    "failed": Helper(_FAILED, headers=("stdarg.h", "string.h", *_VITAL)),
    "byte_at": Helper(_BYTE_AT),
    "next": Helper(_NEXT),
    "fill": Helper(_FILL, ("byte_at",)),
    "same": Helper(_SAME, ("failed", "byte_at")),
    "zero": Helper(_ZERO, ("failed",)),
    "least": Helper(_LEAST),
    "apart": Helper(_APART, ("failed",), ("stdint.h",)),
    "mapped": Helper(_MAPPED, ("failed",), ("errno.h", "stdint.h", "sys/mman.h", "unistd.h")),
    "look_up": Helper(_LOOK_UP, headers=("dlfcn.h", "stdio.h")),
    "own": Helper(_OWN, headers=("dlfcn.h", "stdio.h")),
    "watch": Helper(_DIED, ("failed",), ("signal.h", "sys/mman.h", "unistd.h")),
    "see_damage": Helper(_SEE_DAMAGE, ("failed",), ("sys/types.h", "sys/wait.h", "unistd.h")),
    "guard": Helper(
        _GUARD,
        ("failed",),
        ("fcntl.h", "signal.h", "stdio.h", "sys/types.h", "sys/wait.h", "unistd.h"),
    ),
    "again_and_again": Helper(
        _AGAIN_AND_AGAIN,
        headers=(
            *("fcntl.h", "stdio.h", "sys/resource.h", "sys/types.h", "sys/wait.h", "time.h"),
            "unistd.h",
        ),
    ),
    **FIGURE_HELPERS,
    "pause_for": Helper(_PAUSE_FOR, headers=("time.h",)),
    "stale": Helper(_STALE.replace("STALE", str(1 << 16))),
    "foreign": Helper(_FOREIGN, headers=("stdint.h", "sys/mman.h")),
    "take_break": Helper(_TAKE_BREAK, headers=("stdint.h", "stdio.h", "stdlib.h", "unistd.h")),
    "unless_of_break": Helper(_UNLESS_OF_BREAK, ("take_break",)),
    "stray": Helper(_STRAY),
    "look": Helper(_LOOK),
    "limit_space": Helper(
        LIMIT_SPACE, headers=("fcntl.h", "stdint.h", "stdlib.h", "sys/resource.h", "unistd.h")
    ),
    "fail_os": Helper(
        FAIL_OS,
        headers=(
            *("errno.h", "signal.h", "stdio.h", "stdlib.h", "sys/prctl.h", "sys/syscall.h"),
            *("ucontext.h", "unistd.h"),
        ),
    ),
    "os_calls": OS_CALLS,
    "may_end": Helper(_MAY_END, headers=("signal.h", "unistd.h")),
    "lock": Helper(LOCK, headers=("pthread.h",)),
    "stack_size": Helper(STACK_SIZE, headers=("pthread.h",)),
    "threads": Helper(THREADS, headers=("errno.h", "pthread.h", "semaphore.h")),
    "on_thread": Helper(ON_THREAD, ("threads",)),
    "end_thread": Helper(END_THREAD, ("threads",)),
    "together": Helper(TOGETHER, headers=("pthread.h",)),
    "errno_of": Helper("static int errno_of[COUNT_OF_THREADS];", headers=("errno.h",)),
    "in_child": Helper(
        CHILD,
        ("failed",),
        ("errno.h", "signal.h", "sys/prctl.h", "sys/types.h", "sys/wait.h", "unistd.h"),
    ),
    "at_thread_exit": Helper(AT_THREAD_EXIT, headers=("pthread.h",)),
    "in_object_destructor": Helper(OBJECT_DESTRUCTOR),
    "signal_every": Helper(
        SIGNAL_EVERY,
        headers=(
            *("errno.h", "sched.h", "signal.h", "sys/syscall.h", "sys/types.h", "sys/wait.h"),
            *("time.h", "unistd.h"),
        ),
    ),
    "use_memory": Helper(ATFORK, headers=("pthread.h",)),
    "early": Helper(EARLY, ("failed", "fill", "same"), ("unistd.h",)),
}
"""In the order in which they are printed: each after what it needs."""


def in_order(wanted: Iterable[str]) -> list[str]:
    """These and all that they need, as they must stand in the file."""
    needed = set(wanted)
    for name in reversed(HELPERS):
        if name in needed:
            needed.update(HELPERS[name].needs)
    return [name for name in HELPERS if name in needed]


def headers_of(names: Iterable[str]) -> set[str]:
    """The headers of these helpers."""
    return {header for name in names for header in HELPERS[name].headers}


def with_lock(text: str, *, locks: bool) -> str:
    """The text with the lines that take `lock` and let it go, or without them."""
    take, let_go = (
        f"    (void)pthread_mutex_{word}(&lock);\n" if locks else "" for word in ("lock", "unlock")
    )
    return text.replace("<unlock>", let_go).replace("<lock>", take)
