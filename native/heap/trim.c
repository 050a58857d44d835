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

static void purge_pools(hy__heap *heap)
{
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        for (hy__pool *pool = heap->classes[size_class].pools; pool != NULL; pool = pool->next) {
            hy__pool_purge(heap, pool);
        }
    }
}

static void empty_caches(hy__heap *heap)
{
    hy__flush_all(heap);
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        hy__pool_drop_empty(heap, size_class);
    }
}

/* Before a request is refused: all that is kept for later goes, so that it may serve now. */
void hy__give_up_kept(hy__heap *heap)
{
    empty_caches(heap);
    (void)hy__large_drop_spares(heap);
    delete_empty_arenas(heap);
}

static void split_huge_arenas(hy__heap *heap)
{
    for (hy__span *span = heap->spans; span != NULL; span = span->next) {
        if (span->heap != NULL && hy__arena_of(span)->pool_count != 0) {
            hy__arena_split(heap, hy__arena_of(span));
        }
    }
}

size_t hy_heap_trim(hy_heap *handle)
{
    hy__heap *const heap = hy__heap_of(handle);
    const size_t returned_before = heap->returned;
    empty_caches(heap);
    split_huge_arenas(heap);
    (void)hy__purge_down_to(heap, 0, true);
    purge_pools(heap);
    delete_empty_arenas(heap);
    hy__purge_forget(heap);
    return heap->returned - returned_before;
}
