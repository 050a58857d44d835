/*
 * give.h: a block goes back to its pool: the short way that frees take past a full cache.
 */
#ifndef HEAPYARD_HEAP_GIVE_H
#define HEAPYARD_HEAP_GIVE_H

#include "heap/internal.h"

/* A block came back: whether the pool was full before or is empty now. One comparison tells: less one, and
 * unsigned, the number that is out is then capacity - 2 or the largest. */
static inline bool hy__pool_turns(const hy__pool *pool)
{
    return (uint16_t)(pool->out - 1) >= pool->turn;
}

/* A block that is out goes back to its pool. True: hy__pool_turn is due. */
static inline bool hy__pool_link_in(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    hy__class *const class = &heap->classes[pool->size_class];
    hy__link_set(heap, block, pool->free);
    pool->free = block;
    class->out--;
    pool->out--;
    return __builtin_expect(hy__pool_turns(pool), 0);
}

/* The same, with that, and where a tool may watch. */
static inline void hy__pool_give(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    const bool turns = hy__pool_link_in(heap, pool, block);
    hy__hide(heap, block, heap->classes[pool->size_class].block_size);
    if (turns) {
        hy__pool_turn(heap, pool);
    }
}

#endif /* HEAPYARD_HEAP_GIVE_H */
