#include "domain/libc.h"

#include <malloc.h>
#include <stdlib.h>

#include "domain/stats.h"

static void *noted(hy__domain_stats *stats, size_t before, void *block)
{
    if (block != NULL) {
        HY_COUNT(hy__stat_hold(stats, before, malloc_usable_size(block)));
    }
    (void)stats;
    (void)before;
    return block;
}

static void *libc_malloc(void *context, size_t size)
{
    return noted(context, 0, malloc(size != 0 ? size : 1));
}

static void *libc_calloc(void *context, size_t count, size_t size)
{
    return noted(context, 0, count != 0 && size != 0 ? calloc(count, size) : calloc(1, 1));
}

static void *libc_realloc(void *context, void *block, size_t size)
{
#if HEAPYARD_COUNTERS
    const size_t before = malloc_usable_size(block);
#else
    const size_t before = 0;
#endif
    return noted(context, before, realloc(block, size != 0 ? size : 1));
}

static void libc_free(void *context, void *block)
{
    HY_COUNT(hy__stat_hold(context, malloc_usable_size(block), 0));
    (void)context;
    free(block);
}

const hy_allocator hy__libc_tables[HY_DOMAIN_COUNT] = {
#define HY_LIBC_TABLE(name, text, prefix)                                                          \
    [HY_DOMAIN_##name] = {.context = &hy__domain_stats_of[HY_DOMAIN_##name],                       \
                          .malloc = libc_malloc,                                                   \
                          .calloc = libc_calloc,                                                   \
                          .realloc = libc_realloc,                                                 \
                          .free = libc_free},
    HY_DOMAINS(HY_LIBC_TABLE)
#undef HY_LIBC_TABLE
};
