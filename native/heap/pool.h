/*
 * pool.h: what pool.c and pool_purge.c share.
 */
#ifndef HEAPYARD_HEAP_POOL_H
#define HEAPYARD_HEAP_POOL_H

#include "heap/internal.h"

static inline char *hy__pool_start(const hy__pool *pool)
{
    return hy__pool_arena(pool)->span.address + pool->offset;
}

/* The pages that a block lies on, as bits. */
static inline unsigned hy__pages_of_block(size_t size, size_t index)
{
    const size_t first = index * size >> HY__PAGE_SHIFT;
    const size_t last = (index * size + size - 1) >> HY__PAGE_SHIFT;
    return (2U << last) - (1U << first);
}

/* Whether a block of less than a page that starts on the page may be freed the short way: all that start
 * there were carved, and none of them lies on a purged page. */
static inline bool hy__pool_is_plain(const hy__heap *heap, const hy__pool *pool, unsigned page)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    const unsigned last = page + (unsigned)((size + HY_PAGE_SIZE - 2) >> HY__PAGE_SHIFT);
    const bool carved = pool->carved == pool->capacity ||
                        (size_t)pool->carved * size >= (size_t)(page + 1) << HY__PAGE_SHIFT;
    return carved && !heap->strict && (pool->purged & ((2U << last) - (1U << page))) == 0;
}

void hy__pool_map(const hy__heap *heap, const hy__pool *pool, unsigned first, unsigned end);
hy_heap_link *hy__pool_link(const hy__heap *heap, const hy__pool *pool, size_t first, size_t last,
                            hy_heap_link *rest);
uint64_t hy__pool_touched(const hy__heap *heap, const hy__pool *pool);

#endif /* HEAPYARD_HEAP_POOL_H */
