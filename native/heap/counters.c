/*
 * counters.c: the counters, made from what the heap keeps anyway. Only totals are counted as such.
 */
#include "heap/internal.h"

static uint64_t free_in_list(const hy__pool *pool)
{
    uint64_t blocks = 0;
    for (; pool != NULL; pool = pool->next) {
        blocks += (uint64_t)pool->carved - pool->out;
    }
    return blocks;
}

/* Free blocks of a class that are in its pools. */
static uint64_t free_in_pools(const hy__class *class)
{
    const hy__pool *const kept = class->empty;
    return free_in_list(class->pools) + (kept != NULL ? kept->carved : 0U);
}

#if HEAPYARD_COUNTERS

/* The blocks in a cache, and their bytes: a shrunk block is larger than its cache's class. */
static size_t cached_bytes_of(const hy__heap *heap, const hy_heap_link *link)
{
    size_t bytes = 0;
    for (; link != NULL && hy__link_fits(heap, link); link = link->next) {
        const hy__span *const span = hy__radix_get(link);
        if (span != NULL && span->heap == heap) {
            const hy__arena *const arena = (const hy__arena *)(const void *)span;
            const hy__pool *const pool = hy__pool_at(arena, (uintptr_t)link & heap->window.mask);
            bytes +=
                pool->size_class < HY_HEAP_CLASSES ? heap->classes[pool->size_class].block_size : 0;
        }
    }
    return bytes;
}

typedef struct class_sums {
    uint64_t allocs;
    uint64_t cached_blocks;
    uint64_t cached_bytes;
    uint64_t out_blocks;
    uint64_t out_bytes;
    uint64_t free_bytes; /* in pools, and not out */
    uint64_t pools;
    uint64_t full_pools;
    uint64_t empty_pools;
} class_sums;

static class_sums sum_classes(const hy__heap *heap)
{
    class_sums sums = {.allocs = heap->other_allocs};
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        const hy__class *const class = &heap->classes[size_class];
        const hy_heap_bin *const bin = &heap->window.bins[size_class];
        sums.allocs += bin->allocs;
        const uint32_t late = hy__late_count(heap, size_class);
        sums.cached_blocks += hy__cache_count(heap, size_class) + late;
        sums.cached_bytes += cached_bytes_of(heap, bin->head) + (size_t)late * class->block_size;
        sums.out_blocks += hy__class_out(heap, size_class) + late;
        sums.out_bytes += (hy__class_out(heap, size_class) + late) * class->block_size;
        sums.free_bytes += free_in_pools(class) * class->block_size;
        sums.pools += class->pool_count;
        sums.full_pools += class->full_count;
        sums.empty_pools += class->empty != NULL;
    }
    return sums;
}

static size_t own_bytes(const hy__heap *heap)
{
    size_t bytes = hy__round_up(sizeof *heap, HY_PAGE_SIZE) + heap->header_bytes;
    for (const hy__record_page *page = heap->record_pages; page != NULL; page = page->next) {
        bytes += HY_PAGE_SIZE;
    }
    return bytes;
}

bool hy_heap_get_counters(const hy_heap *handle, hy_heap_counters *counters)
{
    const hy__heap *const heap = hy__heap_of_const(handle);
    const class_sums sums = sum_classes(heap);
    const uint64_t live_blocks =
        sums.out_blocks - sums.cached_blocks + heap->run_count + heap->large_count;
    const uint64_t live_bytes =
        sums.out_bytes - sums.cached_bytes + heap->run_bytes + heap->large_bytes;
    const uint64_t free_bytes = sums.free_bytes + sums.cached_bytes;
    const uint64_t metadata = own_bytes(heap);
    *counters = (hy_heap_counters){
        .size = sizeof *counters,
        .version = 1,
        .allocs = sums.allocs,
        .frees = sums.allocs - live_blocks,
        .reallocs = heap->reallocs,
        .in_place = heap->in_place,
        .failures = heap->failures,
        .maps = heap->maps,
        .unmaps = heap->unmaps,
        .purges = heap->purges,
        .purged_bytes = heap->purged_bytes,
        .live_blocks = live_blocks,
        .cached_blocks = sums.cached_blocks,
        .arenas = heap->arena_count,
        .empty_arenas = heap->empty_arenas,
        .pools = sums.pools,
        .full_pools = sums.full_pools,
        .empty_pools = sums.empty_pools,
        .page_runs = heap->run_count,
        .large_blocks = heap->large_count,
        .live_bytes = live_bytes,
        .free_bytes = free_bytes,
        .metadata_bytes = metadata,
        .unused_bytes = heap->mapped_bytes - live_bytes - free_bytes - metadata,
        .dirty_bytes = (heap->dirty_pages << HY__PAGE_SHIFT) + heap->spare_bytes,
        .mapped_bytes = heap->mapped_bytes,
        .peak_mapped_bytes = heap->peak_mapped_bytes,
    };
    return true;
}

#else

bool hy_heap_get_counters(const hy_heap *handle, hy_heap_counters *counters)
{
    (void)handle;
    *counters = (hy_heap_counters){.size = sizeof *counters, .version = 1};
    return false;
}

#endif

size_t hy_heap_stats(const hy_heap *handle, hy_heap_class_stats *rows, size_t count)
{
    const hy__heap *const heap = hy__heap_of_const(handle);
    for (unsigned i = 0; i < HY_HEAP_CLASSES && i < count; i++) {
        const hy__class *const class = &heap->classes[i];
        const uint64_t late = hy__late_count(heap, i);
        const uint64_t cached = hy__cache_count(heap, i) + late;
        const uint64_t out = hy__class_out(heap, i) + late;
        rows[i] = (hy_heap_class_stats){
            .block_size = class->block_size,
            .allocs = HEAPYARD_COUNTERS ? heap->window.bins[i].allocs : 0,
            .live_blocks = out > cached ? out - cached : 0,
            .cached_blocks = cached,
            .free_blocks = free_in_pools(class),
            .pools = class->pool_count,
            .pool_bytes = class->pool_bytes,
            .cache_limit = heap->strict ? 0 : class->limit,
        };
    }
    return HY_HEAP_CLASSES;
}
