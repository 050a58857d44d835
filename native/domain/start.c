#include "domain/start.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <heapyard/debug.h>

#include "base/print.h"
#include "domain/heaps.h"
#include "domain/hooks.h"
#include "domain/libc.h"
#include "domain/store.h"
#include "domain/tables.h"

#define REFUSED       2  /* the exit code */
#define LEAKS_AT_EXIT 20 /* lines */

/* What HEAPYARD_MALLOC may say: X(name, raw on a heap, mem and obj on heaps, debug hooks). */
#define MODES(X)                                                                                   \
    X("default", false, true, false)                                                               \
    X("debug", false, true, true)                                                                  \
    X("heap", true, true, false)                                                                   \
    X("malloc", false, false, false)                                                               \
    X("heap_debug", true, true, true)                                                              \
    X("malloc_debug", false, false, true)

typedef struct mode {
    const char *name;
    bool raw_on_heap;
    bool others_on_heaps;
    bool debug;
} mode;

static const mode modes[] = {
#define MODE_ROW(name, raw_on_heap, others_on_heaps, debug)                                        \
    {name, raw_on_heap, others_on_heaps, debug},
    MODES(MODE_ROW)
#undef MODE_ROW
};

/* Not exit(): this may be inside any call for memory, of a library that registers exit functions
 * just now. */
static _Noreturn void refuse(const char *variable, const char *value, const char *remedy)
{
    hy__print_error("heapyard: domain: invalid %s=%s: must be %s\n", variable, value, remedy);
    _exit(REFUSED);
}

static const char *setting(const char *variable)
{
    const char *const value = secure_getenv(variable);
    return value != NULL && *value != '\0' ? value : NULL;
}

static const mode *chosen_mode(void)
{
    const char *const value = setting("HEAPYARD_MALLOC");
    if (value == NULL) {
        return &modes[0];
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(value, modes[i].name) == 0) {
            return &modes[i];
        }
    }
    refuse("HEAPYARD_MALLOC", value, "default, debug, heap, malloc, heap_debug or malloc_debug");
}

static void report_leaks_at_exit(void)
{
    (void)hy_debug_report_leaks(LEAKS_AT_EXIT);
}

static void read_leaks_setting(void)
{
    const char *const value = setting("HEAPYARD_MALLOC_LEAKS");
    if (value == NULL || strcmp(value, "0") == 0) {
        return;
    }
    if (strcmp(value, "1") != 0) {
        refuse("HEAPYARD_MALLOC_LEAKS", value, "0 or 1");
    }
    (void)atexit(report_leaks_at_exit);
}

static void start(void)
{
    const mode *const chosen = chosen_mode();
    for (unsigned i = 0; i < HY_DOMAIN_COUNT; i++) {
        const bool on_heap = i == HY_DOMAIN_RAW ? chosen->raw_on_heap : chosen->others_on_heaps;
        hy__table_publish((hy_domain)i, on_heap ? &hy__heap_tables[i] : &hy__libc_tables[i]);
    }
    hy__domain_watch_fork();
    hy__heaps_watch_fork();
    if (chosen->debug && !hy__hooks_set_up(HY_DOMAIN_ALL, NULL)) {
        refuse("HEAPYARD_MALLOC", chosen->name, "one without debug hooks: no memory for these");
    }
    read_leaks_setting();
}

void hy__domain_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start);
}
