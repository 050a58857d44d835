/*
 * slow.c: preloaded behind the recorder. After each free and realloc it gives way to other threads,
 * so that one of them has the block again long before the call returns.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void free(void *block);
EXPORT void *realloc(void *block, size_t size);

static void (*real_free)(void *block);
static void *(*real_realloc)(void *block, size_t size);

static void find(const char *name, void *place, size_t size)
{
    void *const found = dlsym(RTLD_NEXT, name);
    memcpy(place, &found, size);
}

EXPORT void free(void *block)
{
    if (real_free == NULL) {
        find("free", &real_free, sizeof real_free);
    }
    real_free(block);
    (void)sched_yield();
}

EXPORT void *realloc(void *block, size_t size)
{
    if (real_realloc == NULL) {
        find("realloc", &real_realloc, sizeof real_realloc);
    }
    void *const moved = real_realloc(block, size);
    (void)sched_yield();
    return moved;
}
