/*
 * hostile.c: a malloc that misbehaves as $HEAPYARD_HOSTILE says, for the tests of the children.
 *
 *     HEAPYARD_HOSTILE=place:deed      malloc:segv, load:spin, free:exit3, ...
 *
 * Without it this is a sound, if wasteful, allocator: blocks by pointer increment, free does
 * nothing. The deed is done at each call of the place; at malloc and free only for blocks of one
 * byte, which no loader asks for.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPAN_OF_DAMAGE ((uintptr_t)64 << 20)

#define EXPORT __attribute__((visibility("default")))

/* --- deeds --- */

static void say(int fd, size_t bytes)
{
    static const char line[] = "hostile says hostile says hostile says hostile says hostile says\n";
    for (size_t done = 0; done < bytes; done += sizeof line - 1) {
        if (write(fd, line, sizeof line - 1) < 0) {
            return;
        }
    }
}

static void linger(void)
{
    for (;;) {
        (void)pause();
    }
}

static void do_segv(void)
{
    *(volatile int *)8 = 1;
}

static void do_abort(void)
{
    abort();
}

static void do_complain(void)
{
    static const char words[] = "hostile: first\nhostile: corrupted heap\n\n";
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    abort();
}

static void do_trap(void)
{
    __builtin_trap();
}

static void do_kill(void)
{
    (void)raise(SIGKILL);
}

static void do_term(void)
{
    (void)raise(SIGTERM);
}

static void do_stop(void)
{
    (void)raise(SIGSTOP);
}

static void do_exit0(void)
{
    exit(0);
}

static void do_exit3(void)
{
    _exit(3);
}

static void do_deadlock(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    (void)pthread_mutex_lock(&lock);
    (void)pthread_mutex_lock(&lock);
}

static void do_spin(void)
{
    for (volatile int turning = 1; turning;) {
    }
}

/* Deaf to every signal that can be ignored. */
static void do_deaf(void)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_IGN);
    }
    do_spin();
}

static void do_close(void)
{
    for (int fd = 0; fd < 1024; fd++) {
        (void)close(fd);
    }
}

static void do_print(void)
{
    say(STDOUT_FILENO, (size_t)10 << 20);
    say(STDERR_FILENO, (size_t)10 << 20);
}

static void do_chatter(void)
{
    for (;;) {
        say(STDERR_FILENO, (size_t)1 << 20);
    }
}

static void do_eat(void)
{
    for (;;) {
        const size_t size = (size_t)16 << 20;
        char *const piece =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (piece != MAP_FAILED) {
            memset(piece, 1, size);
        }
    }
}

static void do_fork(void)
{
    if (fork() == 0) {
        linger();
    }
}

/* A daemon as the books have it: own session, orphaned, no descriptors. */
static void do_daemon(void)
{
    if (fork() == 0) {
        (void)setsid();
        if (fork() == 0) {
            do_close();
            linger();
        }
        _exit(0);
    }
}

/* A daemon that has nothing of its ancestors: another session, program and environment. */
static void do_stranger(void)
{
    if (fork() == 0) {
        (void)setsid();
        if (fork() == 0) {
            char *const none[] = {NULL};
            (void)execle("/bin/sleep", "sleep", "1000", (char *)NULL, none);
        }
        _exit(0);
    }
}

static void do_orphans(void)
{
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            (void)setsid();
            if (i % 2 == 0) {
                _exit(0);
            }
            linger();
        }
    }
}

static void do_exec(void)
{
    (void)execl("/bin/sleep", "sleep", "1000", (char *)NULL);
}

static void do_garbage(void)
{
    for (int fd = 3; fd < 64; fd++) {
        (void)pwrite(fd, "not json", 8, 0);
    }
    _exit(0);
}

static void answer(const char *text, size_t size)
{
    for (int fd = 3; fd < 64; fd++) {
        (void)ftruncate(fd, 0);
        (void)pwrite(fd, text, size, 0);
    }
    _exit(0);
}

/* Nested deeper than a reader can go. */
static void do_nest(void)
{
    static char text[1 << 18];
    memset(text, '[', sizeof text);
    answer(text, sizeof text);
}

/* The right words in front, and nothing that should follow them. */
static void do_forge(void)
{
    static const char run[] =
        "{\"schema\": \"heapyard.run/1\", \"status\": \"held\", \"figures\": 3}";
    answer(run, sizeof run - 1);
}

/* The same where it is asked for what it can do. */
static void do_boast(void)
{
    static const char able[] =
        "{\"schema\": \"heapyard.capabilities/1\", \"status\": \"found\", \"functions\": 3}";
    answer(able, sizeof able - 1);
}

/* It is a child that eats. */
static void do_brood(void)
{
    if (fork() == 0) {
        do_eat();
    }
    linger();
}

/* Ends by itself, but not by exit: no handler runs. */
static void do_exit_now(void)
{
    _exit(0);
}

static void do_sleep(void)
{
    linger();
}

static void do_signal(void)
{
    (void)raise(SIGUSR1);
}

/* Deaf and gone on: a parent that asks politely would wait for ever. */
static void do_mask(void)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    linger();
}

static void do_alarm(void)
{
    (void)alarm(1);
    linger();
}

/* Garbage over all that can be written to, but the stack. */
static void do_scribble(void)
{
    static char maps[65536];
    char copy[65536];
    size_t used = 0;
    const int fd = open("/proc/self/maps", O_RDONLY);
    for (ssize_t got; (got = read(fd, maps + used, sizeof maps - 1 - used)) > 0;) {
        used += (size_t)got;
    }
    (void)close(fd);
    memcpy(copy, maps, sizeof copy);
    for (char *line = copy; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        char *end = NULL;
        const uintptr_t start = strtoull(line, &end, 16);
        const uintptr_t stop = *end == '-' ? strtoull(end + 1, &end, 16) : 0;
        const int is_stack = (uintptr_t)copy >= start && (uintptr_t)copy < stop;
        if (stop - start < SPAN_OF_DAMAGE && strncmp(end, " rw-", 4) == 0 && !is_stack) {
            for (volatile char *at = (char *)start; (uintptr_t)at < stop; at++) {
                *at = (char)0xee;
            }
        }
    }
}

/* From now on nobody gets memory. */
static void do_starve(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_DATA, &none);
}

/* Descriptors without end. */
static void do_litter(void)
{
    for (int i = 0; i < 5000; i++) {
        (void)memfd_create("litter", 0);
    }
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int recurse(volatile int *above)
{
    volatile int here = *above + 1;
    return recurse(&here) + here;
}
#pragma GCC diagnostic pop

static void do_recurse(void)
{
    volatile int start = 0;
    (void)recurse(&start);
}

#define DEEDS(X)                                                                                   \
    X(segv)                                                                                        \
    X(abort)                                                                                       \
    X(trap)                                                                                        \
    X(kill)                                                                                        \
    X(term)                                                                                        \
    X(stop)                                                                                        \
    X(exit0)                                                                                       \
    X(exit3)                                                                                       \
    X(deadlock)                                                                                    \
    X(spin)                                                                                        \
    X(deaf)                                                                                        \
    X(close)                                                                                       \
    X(print)                                                                                       \
    X(chatter)                                                                                     \
    X(eat)                                                                                         \
    X(fork)                                                                                        \
    X(daemon)                                                                                      \
    X(stranger)                                                                                    \
    X(orphans)                                                                                     \
    X(exec)                                                                                        \
    X(garbage)                                                                                     \
    X(nest)                                                                                        \
    X(forge)                                                                                       \
    X(boast)                                                                                       \
    X(brood)                                                                                       \
    X(recurse)                                                                                     \
    X(complain)                                                                                    \
    X(exit_now)                                                                                    \
    X(sleep)                                                                                       \
    X(signal)                                                                                      \
    X(mask)                                                                                        \
    X(alarm)                                                                                       \
    X(scribble)                                                                                    \
    X(starve)                                                                                      \
    X(litter)

/* --- when --- */

static void do_it_at(const char *place)
{
    static const struct {
        const char *name;
        void (*act)(void);
    } deeds[] = {
#define DEED(name) {#name, do_##name},
        DEEDS(DEED)
#undef DEED
    };
    const char *const wish = getenv("HEAPYARD_HOSTILE");
    const size_t length = strlen(place);
    if (wish == NULL || strncmp(wish, place, length) != 0 || wish[length] != ':') {
        return;
    }
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (strcmp(wish + length + 1, deeds[i].name) == 0) {
            deeds[i].act();
        }
    }
}

__attribute__((constructor)) static void load(void)
{
    do_it_at("load");
}

/* --- the allocator: [ size, 16 bytes ][ block ] --- */

#define SPAN ((size_t)64 << 20)

static void *take(size_t size)
{
    static char *next, *end;
    if (size > SPAN - 32) {
        return NULL;
    }
    if (next == NULL || (size_t)(end - next) < size + 32) {
        next = mmap(NULL, SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
        end = next + SPAN;
    }
    char *const block = next + 16;
    memcpy(next, &size, sizeof size);
    next = block + ((size + 16) & ~(size_t)15);
    return block;
}

static size_t size_of(const void *block)
{
    size_t size;
    memcpy(&size, (const char *)block - 16, sizeof size);
    return size;
}

EXPORT void *malloc(size_t size)
{
    if (size == 1) {
        do_it_at("malloc");
    }
    return take(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    do_it_at("calloc");
    return take(count * size);
}

EXPORT void *realloc(void *block, size_t size)
{
    do_it_at("realloc");
    void *const copy = take(size);
    if (block != NULL && copy != NULL) {
        const size_t old = size_of(block);
        memcpy(copy, block, old < size ? old : size);
    }
    return copy;
}

EXPORT void free(void *block)
{
    if (block != NULL && size_of(block) == 1) {
        do_it_at("free");
    }
}
