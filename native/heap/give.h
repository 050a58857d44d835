/*
 * give.h: a block goes back to its pool: the short way that frees take past a full cache.
 */
#ifndef HEAPYARD_HEAP_GIVE_H
#define HEAPYARD_HEAP_GIVE_H

#include "heap/internal.h"

/* A block that is out goes back to its pool. One comparison tells whether the pool was full or is
 * empty now: less one, and unsigned, the number that is out is then capacity - 2 or the largest. */
static inline void hy__pool_give(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    hy__class *const class = &heap->classes[pool->size_class];
    hy__link_set(heap, block, pool->free);
    hy__hide(heap, block, class->block_size);
    pool->free = block;
    class->out--;
    pool->out--;
    if (__builtin_expect((uint16_t)(pool->out - 1) >= pool->turn, 0)) {
        hy__pool_turn(heap, pool);
    }
}

#endif /* HEAPYARD_HEAP_GIVE_H */
