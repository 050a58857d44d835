#include "record/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/print.h"

#define POOL_SIZE ((size_t)64 << 10)

static _Alignas(64) char pool[POOL_SIZE];
static size_t pool_used;
static bool looking; /* in this thread: others don't exist before the first call returns */

static void *find(const char *name)
{
    void *const function = dlsym(RTLD_NEXT, name);
    if (function == NULL) {
        hy__print_error("heapyard record: no %s behind the recorder\n", name);
        abort();
    }
    return function;
}

/* POSIX lets a data pointer from dlsym be one to a function; C has no cast for it. */
#define FIND(name)                                                                                 \
    do {                                                                                           \
        void *const found = find(#name);                                                           \
        memcpy(&real.name, &found, sizeof found);                                                  \
    } while (0)

/* Looks all of them up; false if that is going on already. */
static bool find_all(void)
{
    if (looking) {
        return false;
    }
    hy_real real;
    looking = true;
    FIND(malloc);
    FIND(calloc);
    FIND(realloc);
    FIND(free);
    FIND(aligned_alloc);
    FIND(posix_memalign);
    FIND(memalign);
    FIND(valloc);
    FIND(pvalloc);
    hy__real = real;
    looking = false;
    return true;
}

/* From the pool, zeroed; NULL where it has no room. */
static void *take(size_t alignment, size_t size)
{
    size_t start;
    size_t end;
    const size_t base = (size_t)(uintptr_t)pool;
    if (!hy__is_power_of_two(alignment) || !hy__align_up(base + pool_used, alignment, &start) ||
        !hy__add(start, size, &end) || end > base + POOL_SIZE) {
        errno = ENOMEM;
        return NULL;
    }
    pool_used = hy__round_up(end - base, 16);
    return pool + (start - base);
}

bool hy__is_early(const void *block)
{
    return (uintptr_t)block - (uintptr_t)pool < POOL_SIZE;
}

size_t hy__early_rest(const void *block)
{
    return POOL_SIZE - (size_t)((uintptr_t)block - (uintptr_t)pool);
}

/* ---- the first calls ---- */

static void *first_malloc(size_t size)
{
    return find_all() ? hy__real.malloc(size) : take(16, size);
}

static void *first_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (find_all()) {
        return hy__real.calloc(count, size);
    }
    return hy__multiply(count, size, &bytes) ? take(16, bytes) : NULL;
}

static void *first_realloc(void *block, size_t size)
{
    return find_all() ? hy__real.realloc(block, size) : take(16, size); /* block is NULL */
}

static void first_free(void *block)
{
    if (find_all()) {
        hy__real.free(block);
    }
}

static void *first_aligned_alloc(size_t alignment, size_t size)
{
    return find_all() ? hy__real.aligned_alloc(alignment, size) : take(alignment, size);
}

static int first_posix_memalign(void **block, size_t alignment, size_t size)
{
    if (find_all()) {
        return hy__real.posix_memalign(block, alignment, size);
    }
    void *const taken = take(alignment, size);
    *block = taken != NULL ? taken : *block;
    return taken != NULL ? 0 : ENOMEM;
}

static void *first_memalign(size_t alignment, size_t size)
{
    return find_all() ? hy__real.memalign(alignment, size) : take(alignment, size);
}

static void *first_valloc(size_t size)
{
    return find_all() ? hy__real.valloc(size) : take(4096, size);
}

static void *first_pvalloc(size_t size)
{
    return find_all() ? hy__real.pvalloc(size) : take(4096, size);
}

hy_real hy__real = {
    .malloc = first_malloc,
    .calloc = first_calloc,
    .realloc = first_realloc,
    .free = first_free,
    .aligned_alloc = first_aligned_alloc,
    .posix_memalign = first_posix_memalign,
    .memalign = first_memalign,
    .valloc = first_valloc,
    .pvalloc = first_pvalloc,
};
