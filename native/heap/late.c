/*
 * late.c: frees past a full cache are finished late, when the block has come from memory.
 *
 *     free(p) -->  [ p | . | . | ... | . | q ] --> q to its pool
 *                    '-- asked for       '-- has come: it was put here 16 such frees ago
 *
 * What is freed past the cache of a class that has much out was mostly last used long ago. To see whether it is
 * free already, and to link it, a free would wait until it is read, and so would the next one.
 *
 * Until then the block is out, as one in a cache is, and bears no seal: a second free is told at once if
 * it is the next one, else when it is finished, by the 16th free after it. All are finished before a
 * cache takes blocks again, so that none is in both; before pools are asked for blocks; before the heap
 * is walked, checked or deleted. Whoever asks for a block that is late is told that it is free.
 */
#include "heap/drain.h"
#include "heap/give.h"
#include "heap/internal.h"

/* A block that seems to be free: it was freed twice, if its contents do not look so by chance. */
static __attribute__((noinline)) void finish_other(hy__heap *heap, const hy__pool *pool,
                                                   hy_heap_link *block)
{
    hy__found found;
    heap->classes[pool->size_class].out++; /* it was counted as gone when it became late */
    if (hy__find_live(heap, block, &found)) {
        hy__pool_give(heap, found.pool, block);
    }
}

static inline void finish(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    if (__builtin_expect(hy__looks_free(heap, block), 0)) {
        finish_other(heap, pool, block);
    } else if (__builtin_expect(hy__pool_link_in(heap, pool, block), 0)) {
        hy__pool_turn(heap, pool);
    }
}

/* The block that became late last is freed again. */
static __attribute__((noinline)) void tell_twice(hy__heap *heap, const hy__pool *pool,
                                                 const void *block)
{
    heap->window.bins[pool->size_class].quota++;
    hy__misuse(HY_MISUSE_DOUBLE_FREE, "heap", block, NULL);
}

/* A block of the pool, of less than a page, is freed; the quota was told. */
void hy__late_put(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    if (__builtin_expect(heap->late_last == block, 0)) {
        tell_twice(heap, pool, block);
        return;
    }
    hy__late *const place = &heap->late[heap->late_next++ % HY__LATE];
    const hy__late before = *place;
    __builtin_prefetch(block, 1);
    place->pool = pool;
    place->block = block;
    heap->late_last = block;
    if (__builtin_expect(before.block != NULL, 1)) {
        finish(heap, before.pool, before.block);
    }
}

/* Finish all, in the order in which they came. */
void hy__late_finish(hy__heap *heap)
{
    for (uint32_t i = 0; i < HY__LATE; i++) {
        hy__late *const place = &heap->late[(heap->late_next + i) % HY__LATE];
        const hy__late late = *place;
        place->block = NULL;
        if (late.block != NULL) {
            finish(heap, late.pool, late.block);
        }
    }
    heap->late_next = 0;
    heap->late_last = NULL;
}

/* A pool without a block that is out goes: one of its blocks that is late nevertheless was freed twice. */
void hy__late_forget(hy__heap *heap, const hy__pool *pool)
{
    for (uint32_t i = 0; i < HY__LATE; i++) {
        hy_heap_link *const block = heap->late[i].block;
        if (block != NULL && heap->late[i].pool == pool) {
            heap->late[i].block = NULL;
            heap->classes[pool->size_class].out++;
            hy__misuse(HY_MISUSE_DOUBLE_FREE, "heap", block, NULL);
        }
    }
}

/* Blocks of the class that are not finished. */
uint32_t hy__late_count(const hy__heap *heap, unsigned size_class)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < HY__LATE; i++) {
        count += heap->late[i].block != NULL && heap->late[i].pool->size_class == size_class;
    }
    return count;
}
