/*
 * trim.c: giving back all that can be given back.
 */
#include "heap/bitrun.h"
#include "heap/internal.h"

static void delete_empty_arenas(hy__heap *heap)
{
    while (heap->buckets[HY__ARENA_BUCKETS - 1] != NULL) {
        hy__arena_delete(heap, heap->buckets[HY__ARENA_BUCKETS - 1]);
    }
}

/* Bytes of an arena that its page source has seen touched and not purged, at most. */
static size_t purge_pools(hy__heap *heap)
{
    size_t bytes = 0;
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        for (hy__pool *pool = heap->classes[size_class].pools; pool != NULL; pool = pool->next) {
            bytes += hy__pool_purge(heap, pool);
        }
    }
    return bytes;
}

size_t hy_heap_trim(hy_heap *handle)
{
    hy__heap *const heap = hy__heap_of(handle);
    const size_t purged_before = heap->given_back;
    hy__cache_flush_all(heap);
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        hy__pool_drop_empty(heap, size_class);
    }
    size_t bytes = heap->given_back - purged_before; /* by a purge that became due on the way */
    bytes += hy__purge_all(heap);
    bytes += purge_pools(heap);
    const size_t dirty = heap->dirty_pages << HY__PAGE_SHIFT; /* of a source that can't purge */
    delete_empty_arenas(heap);
    bytes += dirty - (heap->dirty_pages << HY__PAGE_SHIFT);
    hy__purge_forget(heap);
    return bytes;
}
