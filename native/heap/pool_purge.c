/*
 * pool_purge.c: pages inside a pool that bear no block in use.
 *
 *     page      0          1          2          3
 *               [x][ ][x]  [ ][ ][ ]  [ ][ ][x]  [ ][ ][ ]        x: out
 *                          purged                purged, and not carved any more
 *
 * Free blocks on a purged page can't be linked: they are counted, and linked again when the pool has
 * no other. Those behind the last block that is out count as never carved.
 */
#include "heap/internal.h"
#include "heap/pool.h"

#include <string.h>

/* The pages on which a block lies that is out, as bits. `free_blocks`: a bit for each block that is
 * free. */
static unsigned pages_in_use(const hy__heap *heap, const hy__pool *pool, const uint64_t *is_free)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    unsigned used = 0;
    for (size_t i = 0; i < pool->carved; i++) {
        if (!(is_free[i / 64] >> (i % 64) & 1)) {
            used |= hy__pages_of_block(size, i);
        }
    }
    return used;
}

/* Free blocks behind the last one that is out count as not carved: no purged page reaches into what
 * carve will link. */
static void uncarve_end(hy__pool *pool, size_t size, const uint64_t *is_free)
{
    size_t carved = pool->carved;
    while (carved > 0 && is_free[(carved - 1) / 64] >> ((carved - 1) % 64) & 1) {
        carved--;
    }
    const size_t pages = hy__round_up(carved * size, HY_PAGE_SIZE) >> HY__PAGE_SHIFT;
    pool->carved = (uint16_t)carved;
    pool->purged &= (uint16_t)((1U << pages) - 1);
}

/* Make the free list anew: of the free blocks that lie on no purged page. */
static void relink_blocks(hy__heap *heap, hy__pool *pool, const uint64_t *is_free)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    hy_heap_link *rest = NULL;
    uint32_t purged = 0;
    for (size_t i = pool->carved; i-- > 0;) {
        if (!(is_free[i / 64] >> (i % 64) & 1)) {
            continue;
        }
        if ((hy__pages_of_block(size, i) & pool->purged) != 0) {
            purged++;
            continue;
        }
        rest = hy__pool_link(heap, pool, i, i + 1, rest);
    }
    pool->free = rest;
    pool->purged_count = (uint16_t)purged;
}

/* Mark the blocks that are free: in the list, or on a purged page. False where a link was
 * overwritten. O(carved blocks). */
bool hy__pool_free_blocks(const hy__heap *heap, const hy__pool *pool, uint64_t *is_free)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    const char *const start = hy__pool_start(pool);
    memset(is_free, 0, HY__BLOCK_WORDS * sizeof *is_free);
    for (size_t i = 0; pool->purged != 0 && i < pool->carved; i++) {
        if ((hy__pages_of_block(size, i) & pool->purged) != 0) {
            is_free[i / 64] |= (uint64_t)1 << (i % 64);
        }
    }
    const hy_heap_link *link = pool->free;
    for (uint32_t n = 0; n < hy__pool_listed_blocks(pool); n++) {
        const size_t within = (size_t)((const char *)link - start);
        const size_t index = within / size;
        if (within % size != 0 || index >= pool->carved ||
            (is_free[index / 64] >> (index % 64) & 1)) {
            return false;
        }
        is_free[index / 64] |= (uint64_t)1 << (index % 64);
        hy__show_defined(heap, link, sizeof *link);
        const bool fits = hy__link_fits(heap, link);
        const hy_heap_link *const next = link->next;
        hy__hide(heap, link, sizeof *link);
        if (!fits) {
            return false;
        }
        link = next;
    }
    return true;
}

/* Purge the pages of a pool that bear no block that is out and were touched. */
void hy__pool_purge(hy__heap *heap, hy__pool *pool)
{
    uint64_t is_free[HY__BLOCK_WORDS];
    if (heap->source->purge == NULL || (hy__pool_listed_blocks(pool) == 0 && pool->stale == 0)) {
        return;
    }
    if (!hy__pool_free_blocks(heap, pool, is_free)) {
        hy__misuse(HY_MISUSE_CORRUPTED, "heap", hy__pool_start(pool), "(free list of a pool)");
        return;
    }
    hy__arena_split(heap, hy__pool_arena(pool));
    const unsigned touched = (unsigned)hy__pool_touched(heap, pool);
    const unsigned idle = touched & ~pages_in_use(heap, pool, is_free);
    if (idle == 0) {
        return;
    }
    pool->purged |= (uint16_t)idle;
    pool->stale &= (uint16_t)~idle;
    uncarve_end(pool, heap->classes[pool->size_class].block_size, is_free);
    hy__pool_map(heap, pool, 0, pool->pages);
    relink_blocks(heap, pool, is_free);
    for (unsigned page = 0; page < pool->pages;) {
        const unsigned run = (unsigned)__builtin_ctz(~(idle >> page));
        if (run != 0) {
            (void)hy__purge_range(heap, hy__pool_arena(pool),
                                  pool->offset + ((size_t)page << HY__PAGE_SHIFT),
                                  (size_t)run << HY__PAGE_SHIFT);
        }
        page += run + 1;
    }
}
