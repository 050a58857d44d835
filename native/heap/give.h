/*
 * give.h: a block goes back to its pool: the short way that frees take past a full cache.
 */
#ifndef HEAPYARD_HEAP_GIVE_H
#define HEAPYARD_HEAP_GIVE_H

#include "heap/internal.h"

/* The pool of a block that is of the class, as nearly all are; NULL where that must be looked into.
 * Reads the arena's header only. */
static inline hy__pool *hy__pool_of_plain(hy__heap *heap, unsigned size_class,
                                          const hy_heap_link *block)
{
    const hy__seen *const seen = hy__seen_for(heap, block);
    const size_t offset = (uintptr_t)block ^ seen->base;
    if (__builtin_expect(offset > heap->window.mask, 0)) {
        return hy__find_note_seen(heap, block) ? hy__pool_of_plain(heap, size_class, block) : NULL;
    }
    const uint32_t map = seen->arena->page_map[offset >> HY__PAGE_SHIFT];
    return HY__PAGE_CLASS(map) == size_class &&
                   hy__is_block_start(&heap->window.bins[size_class],
                                      hy__page_within(map, (uintptr_t)block))
               ? &seen->arena->pools[HY__PAGE_NUMBER(map)]
               : NULL;
}

/* A block came back: whether the pool was full before or is empty now. One comparison tells: less one, and
 * unsigned, the number that is out is then capacity - 2 or the largest. */
static inline bool hy__pool_turns(const hy__pool *pool)
{
    return (uint16_t)(pool->out - 1) >= pool->turn;
}

/* A block that is out goes back to its pool; that its class has one less out is counted already. True:
 * hy__pool_turn is due. */
static inline bool hy__pool_link_in(const hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    hy__link_set(heap, block, pool->free);
    pool->free = block;
    pool->out--;
    return __builtin_expect(hy__pool_turns(pool), 0);
}

/* The same with all that belongs to it, and where a tool may watch. */
static inline void hy__pool_give(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    hy__class *const class = &heap->classes[pool->size_class];
    const bool turns = hy__pool_link_in(heap, pool, block);
    class->out--;
    hy__hide(heap, block, class->block_size);
    if (turns) {
        hy__pool_turn(heap, pool);
    }
}

static inline void hy__bin_push(const hy__heap *heap, hy_heap_bin *bin, hy_heap_link *block)
{
    hy__link_set(heap, block, bin->head);
    bin->head = block;
}

/* Whether the link of a free block is as it was written. Tells it otherwise. */
static inline bool hy__link_is_sound(hy__heap *heap, const hy_heap_link *link)
{
    if (hy__link_fits(heap, link)) {
        return true;
    }
    hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "heap", link, NULL);
    return false;
}

#endif /* HEAPYARD_HEAP_GIVE_H */
