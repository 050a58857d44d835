#include "domain/heaps.h"

#include <pthread.h>

#include <heapyard/heap.h>

#include "domain/stats.h"

static pthread_mutex_t raw_mutex = PTHREAD_MUTEX_INITIALIZER;
static hy_heap *heaps[HY_DOMAIN_COUNT];

static bool is_raw(const hy__domain_stats *stats)
{
    return stats == &hy__domain_stats_of[HY_DOMAIN_RAW];
}

static void lock_raw(void)
{
    (void)pthread_mutex_lock(&raw_mutex);
}

static void unlock_raw(void)
{
    (void)pthread_mutex_unlock(&raw_mutex);
}

void hy__heaps_watch_fork(void)
{
    (void)pthread_atfork(lock_raw, unlock_raw, unlock_raw);
}

/* The heap of the domain that has these stats, for the calling thread alone until leave(). NULL: no
 * memory for it. */
static hy_heap *enter(const hy__domain_stats *stats)
{
    if (is_raw(stats)) {
        lock_raw();
    }
    hy_heap **const heap = &heaps[stats - hy__domain_stats_of];
    if (*heap == NULL) {
        *heap = hy_heap_new(NULL);
    }
    return *heap;
}

static void leave(const hy__domain_stats *stats)
{
    if (is_raw(stats)) {
        unlock_raw();
    }
}

static void *noted(hy_heap *heap, hy__domain_stats *stats, size_t before, void *block)
{
    if (block != NULL) {
        HY_COUNT(hy__stat_hold(stats, before, hy_heap_usable_size(heap, block)));
    }
    (void)heap;
    (void)stats;
    (void)before;
    return block;
}

static void *heap_malloc(void *context, size_t size)
{
    hy_heap *const heap = enter(context);
    void *const block = heap != NULL ? noted(heap, context, 0, hy_heap_malloc(heap, size)) : NULL;
    leave(context);
    return block;
}

static void *heap_calloc(void *context, size_t count, size_t size)
{
    hy_heap *const heap = enter(context);
    void *const block =
        heap != NULL ? noted(heap, context, 0, hy_heap_calloc(heap, count, size)) : NULL;
    leave(context);
    return block;
}

#if HEAPYARD_COUNTERS

/* A block that is none has no usable size: the heap has reported it. The size spares the second
 * search for the block. */
static void give_back(hy_heap *heap, hy__domain_stats *stats, void *block)
{
    const size_t usable = hy_heap_usable_size(heap, block);
    if (usable != 0) {
        hy__stat_hold(stats, usable, 0);
        hy_heap_free_sized(heap, block, usable);
    }
}

static void *resize(hy_heap *heap, hy__domain_stats *stats, void *block, size_t size)
{
    const size_t usable = hy_heap_usable_size(heap, block);
    return usable != 0 ? noted(heap, stats, usable, hy_heap_realloc(heap, block, size)) : NULL;
}

#else

static void give_back(hy_heap *heap, hy__domain_stats *stats, void *block)
{
    (void)stats;
    hy_heap_free(heap, block);
}

static void *resize(hy_heap *heap, hy__domain_stats *stats, void *block, size_t size)
{
    (void)stats;
    return hy_heap_realloc(heap, block, size);
}

#endif

static void *heap_realloc(void *context, void *block, size_t size)
{
    if (block == NULL) {
        return heap_malloc(context, size);
    }
    hy_heap *const heap = enter(context);
    void *const resized = heap != NULL ? resize(heap, context, block, size) : NULL;
    leave(context);
    return resized;
}

static void heap_free(void *context, void *block)
{
    hy_heap *const heap = enter(context);
    if (heap != NULL) {
        give_back(heap, context, block);
    }
    leave(context);
}

const hy_allocator hy__heap_tables[HY_DOMAIN_COUNT] = {
#define HY_HEAP_TABLE(name, text, prefix)                                                          \
    [HY_DOMAIN_##name] = {.context = &hy__domain_stats_of[HY_DOMAIN_##name],                       \
                          .malloc = heap_malloc,                                                   \
                          .calloc = heap_calloc,                                                   \
                          .realloc = heap_realloc,                                                 \
                          .free = heap_free},
    HY_DOMAINS(HY_HEAP_TABLE)
#undef HY_HEAP_TABLE
};
