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

hy_heap_link *hy__pool_link(const hy__heap *heap, const hy__pool *pool, size_t first, size_t last,
                            hy_heap_link *rest);
uint64_t hy__pool_touched(const hy__heap *heap, const hy__pool *pool);

#endif /* HEAPYARD_HEAP_POOL_H */
