/*
 * threaded.c: an allocator that tells which thread called it, and goes wrong in one chosen way.
 *
 * Blocks come from the bottom of an arena, without a lock that a child could miss; nothing is used
 * again. HEAPYARD_MODE:
 *
 *     trace     each call writes to standard error: m or f (malloc, free), the number of the thread
 *               in the order of first calls, and c in a child process
 *     twice     malloc in any thread but the first answers the first block of all
 *     crash     malloc in a child process is a SIGSEGV            exit   ... ends by exit(3)
 *     hang      malloc in any thread but the first never returns
 *     errno     malloc sets errno of the thread that called first
 *     deep      malloc uses 100 KiB of the stack
 *     sleep     malloc sleeps for half a second, and writes i where a signal ended that
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <heapyard/target.h>

static _Alignas(4096) unsigned char arena[1 << 24];
static size_t used;
static const char *mode;
static pid_t first_process;
static int *first_errno;
static unsigned threads;
static __thread unsigned number; /* from 1 */

static int is_mode(const char *name)
{
    return strcmp(mode, name) == 0;
}

static void say(char call)
{
    char text[8];
    const int length = snprintf(text, sizeof text, "%c%u%s ", call, number - 1,
                                getpid() != first_process ? "c" : "");
    (void)!write(STDERR_FILENO, text, (size_t)length);
}

static void enter(char call)
{
    if (number == 0) {
        number = __atomic_add_fetch(&threads, 1, __ATOMIC_SEQ_CST);
    }
    if (is_mode("trace")) {
        say(call);
    }
}

static void doze(void)
{
    const struct timespec time = {.tv_nsec = 500000000};
    if (nanosleep(&time, NULL) != 0 && errno == EINTR) {
        (void)!write(STDERR_FILENO, "i", 1);
    }
}

static __attribute__((noinline)) void use_stack(void)
{
    volatile char table[100 << 10];
    for (size_t i = 0; i < sizeof table; i += 1024) {
        table[i] = 1;
    }
}

static void go_wrong(void)
{
    if (is_mode("deep")) {
        use_stack();
    }
    const int is_child = getpid() != first_process;
    if (is_mode("crash") && is_child) {
        (void)raise(SIGSEGV);
    }
    if (is_mode("exit") && is_child) {
        exit(3);
    }
    if (is_mode("sleep")) {
        doze();
    }
    if (is_mode("errno")) {
        *first_errno = 99;
    }
    while (is_mode("hang") && number > 1) {
        (void)pause();
    }
}

static void *threaded_open(void)
{
    const char *const text = getenv("HEAPYARD_MODE");
    mode = text != NULL ? text : "";
    first_process = getpid();
    first_errno = &errno;
    return arena;
}

static void threaded_close(void *handle)
{
    (void)handle;
}

static void *threaded_malloc(void *handle, size_t size)
{
    (void)handle;
    enter('m');
    go_wrong();
    if (is_mode("twice") && number > 1) {
        return arena;
    }
    return arena + __atomic_fetch_add(&used, (size + 16) / 16 * 16, __ATOMIC_SEQ_CST);
}

static void threaded_free(void *handle, void *block)
{
    (void)handle;
    (void)block;
    enter('f');
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER, .name = "threaded",      .flags = HEAPYARD_TARGET_THREAD_SAFE,
    .open = threaded_open,  .close = threaded_close, .malloc = threaded_malloc,
    .free = threaded_free};
