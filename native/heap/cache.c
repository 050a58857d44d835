/*
 * cache.c: the caches in front of the pools.
 *
 *     the handle's bin                      pools of the class
 *     [ ] -> [ ] -> [ ]     when it is full: each block to its own
 *      ^ malloc pops,       when it is empty: all that one pool has
 *        free pushes
 *
 * A full cache stays as it is, and blocks go past it, straight to their pools: to move cached blocks
 * out would touch each a second time, and one after the other, at a time when the processor has
 * dropped them.
 *
 * How many blocks a cache takes, beside those of the pool that filled it, is learnt, from nothing for
 * blocks over 8 KiB: where blocks went past it that were then wanted again, it takes as many more; an
 * eighth of the class's blocks where these are many.
 */
#include "heap/drain.h"
#include "heap/give.h"
#include "heap/internal.h"

#define LIMIT_BYTES  ((size_t)256 << 10)
#define LIMIT_BLOCKS 1024
#define LIMIT_PART   8

/* A free takes one off the quota, malloc adds one to the allocs: so neither has to count what is in the
 * cache. */
uint32_t hy__cache_count(const hy__heap *heap, unsigned size_class)
{
    const hy_heap_bin *const bin = &heap->window.bins[size_class];
    return (uint32_t)(heap->classes[size_class].balance - bin->quota - (int64_t)bin->allocs);
}

static void set_cache(hy__heap *heap, unsigned size_class, hy_heap_link *head, uint32_t count,
                      uint32_t cap)
{
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    hy__class *const class = &heap->classes[size_class];
    const int64_t room = (int64_t)cap - count;
    const int64_t most = hy__drain_slice(heap, class);
    bin->head = head;
    bin->quota = room <= 0 || size_class >= HY__BIG_CLASS ? 0 : room < most ? room : most;
    class->balance = count + bin->quota + (int64_t)bin->allocs;
    class->cap = cap;
}

/* ---- back to the pools ----------------------------------------------------------------------- */

/* The pool of a block that is of the class, as nearly all are; NULL where that must be looked into.
 * Reads the arena's header only. */
static inline hy__pool *plain_pool(hy__heap *heap, unsigned size_class, const hy_heap_link *block)
{
    const hy__seen *const seen = hy__seen_for(heap, block);
    const size_t offset = (uintptr_t)block ^ seen->base;
    if (__builtin_expect(offset > heap->window.mask, 0)) {
        return hy__find_note_seen(heap, block) ? plain_pool(heap, size_class, block) : NULL;
    }
    const uint32_t map = seen->arena->page_map[offset >> HY__PAGE_SHIFT];
    return HY__PAGE_CLASS(map) == size_class &&
                   hy__is_block_start(&heap->window.bins[size_class],
                                      hy__page_within(map, (uintptr_t)block))
               ? &seen->arena->pools[HY__PAGE_NUMBER(map)]
               : NULL;
}

/* Give back a block of a pool that has purged pages, or of another class: one that was shrunk in place,
 * and freed by its new size. Tells what is wrong with it otherwise. */
static void give_other(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__found found;
    if (!hy__find(heap, block, &found)) {
        return;
    }
    if (!hy__found_fits_class(heap, &found, size_class)) {
        hy__misuse(HY_MISUSE_WRONG_SIZE, "heap", block, "(by a sized free)");
        return;
    }
    if (hy__pool_has_purged(heap, found.pool, block)) {
        hy__misuse(HY_MISUSE_DOUBLE_FREE, "heap", block, NULL);
        return;
    }
    hy__pool_give(heap, found.pool, block);
}

/* The pool of a cached block of a page or more: it was looked at when it came. */
static hy__pool *big_pool(const hy__heap *heap, const hy_heap_link *block)
{
    return &hy__arena_at(heap, block)->pools[HY__PAGE_NUMBER(*hy__page_map_at(heap, block))];
}

static inline void give(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__pool *const pool =
        size_class < HY__BIG_CLASS ? plain_pool(heap, size_class, block) : big_pool(heap, block);
    if (__builtin_expect(pool != NULL, 1)) {
        hy__pool_give(heap, pool, block);
    } else {
        give_other(heap, size_class, block);
    }
}

static bool link_is_sound(hy__heap *heap, const hy_heap_link *link)
{
    if (hy__link_fits(heap, link)) {
        return true;
    }
    hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "heap", link, NULL);
    return false;
}

/* Empty a cache, which takes `cap` blocks from now on. Stops, with misuse, at a link that was
 * overwritten; the rest is lost then. */
void hy__cache_flush_to(hy__heap *heap, unsigned size_class, uint32_t cap)
{
    hy_heap_link *block = heap->window.bins[size_class].head;
    uint32_t count = hy__cache_count(heap, size_class);
    set_cache(heap, size_class, NULL, 0, cap);
    while (count-- > 0 && link_is_sound(heap, block)) {
        hy_heap_link *const next = block->next;
        give(heap, size_class, block);
        block = next;
    }
}

/* Empty a cache; as many blocks may go in again. */
void hy__cache_flush(hy__heap *heap, unsigned size_class)
{
    hy__late_end(heap);
    hy__cache_flush_to(heap, size_class, heap->classes[size_class].cap);
}

/* Empty all caches. */
void hy__cache_flush_all(hy__heap *heap)
{
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        if (hy__cache_count(heap, size_class) != 0) {
            hy__cache_flush(heap, size_class);
        }
    }
}

/* ---- frees without a quota ------------------------------------------------------------------ */

/* The quota is used up: the cache takes a slice more, if it has room. Returns how many blocks. */
static int64_t grant(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    const int64_t room = (int64_t) class->cap - hy__cache_count(heap, size_class);
    const int64_t most = hy__drain_slice(heap, class);
    const int64_t quota = room < most ? room : most;
    if (quota <= 0) {
        return 0;
    }
    heap->window.bins[size_class].quota = quota;
    class->balance += quota;
    return quota;
}

/* A block that may be free, or that is not of the class's pools. */
static __attribute__((noinline)) void put_other(hy__heap *heap, unsigned size_class,
                                                hy_heap_link *block)
{
    hy__found found;
    if (!hy__find_live(heap, block, &found)) {
        return;
    }
    if (!hy__found_fits_class(heap, &found, size_class)) {
        hy__misuse(HY_MISUSE_WRONG_SIZE, "heap", block, "(by a sized free)");
        return;
    }
    hy__class *const class = &heap->classes[found.pool->size_class]; /* the pool may go */
    if (found.pool->size_class >= HY__BIG_CLASS) {
        hy__big_note(heap, block, HY__NO_CLASS);
    }
    hy__pool_give(heap, found.pool, block);
    hy__drain_note_slice(heap, class);
}

/* A block of a page or more. That it is live was told by its page's map: it is written, not read. */
static void put_big(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    const unsigned size_class = pool->size_class;
    hy__class *const class = &heap->classes[size_class];
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    hy__big_note(heap, block, HY__NO_CLASS);
    if (hy__cache_count(heap, size_class) < class->cap) {
        class->balance++;
        hy__link_set(heap, block, bin->head);
        bin->head = block;
    } else {
        hy__pool_give(heap, pool, block);
    }
    hy__drain_note(heap, class->block_size);
}

/* A block of a plain page that can't go past the cache at once: the cache may have room, or it may be
 * free. */
static __attribute__((noinline)) void put_plain(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    const unsigned size_class = pool->size_class;
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    if (size_class >= HY__BIG_CLASS) {
        put_big(heap, pool, block);
        return;
    }
    if (heap->late_next != 0) {
        hy__late_finish(heap);
        hy_heap_free(&heap->window, block); /* what is known of it may be so no more */
        return;
    }
    if (hy__link_fits(heap, block)) {
        put_other(heap, size_class, block);
        return;
    }
    const int64_t granted = bin->quota == 0 ? grant(heap, size_class) : 0;
    if (bin->quota == 0) {
        hy__pool_give(heap, pool, block);
    } else {
        bin->quota--;
        hy__link_set(heap, block, bin->head);
        bin->head = block;
    }
    hy__drain_note(heap, (size_t)granted * heap->classes[size_class].block_size);
}

/* A block of a plain page that starts where one does is freed, and the quota does not cover it. */
void hy__cache_pass(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    const hy__class *const class = &heap->classes[pool->size_class];
    const hy_heap_bin *const bin = &heap->window.bins[pool->size_class];
    const bool full = bin->quota == 0 && (int64_t)bin->allocs <= class->balance - class->cap;
    if (__builtin_expect(full && pool->size_class < HY__BIG_CLASS, 1)) {
        hy__late_put(heap, pool, block);
    } else {
        put_plain(heap, pool, block);
    }
}

/* A block of the class is freed by its size, and that it goes to the cache is not known yet. */
void hy__cache_put(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__pool *const pool = plain_pool(heap, size_class, block);
    if (__builtin_expect(pool != NULL, 1)) {
        hy__cache_pass(heap, pool, block);
    } else {
        put_other(heap, size_class, block);
    }
}

/* ---- from the pools --------------------------------------------------------------------------- */

/* Of what went past the cache, since it was last filled, blocks are wanted again. */
static void learn(hy__class *class, uint64_t passed)
{
    const size_t by_bytes = LIMIT_BYTES / class->block_size;
    const size_t by_part = class->out / LIMIT_PART;
    const size_t bound = by_bytes > by_part ? by_bytes : by_part;
    const uint32_t most = bound < LIMIT_BLOCKS ? (uint32_t)bound : LIMIT_BLOCKS;
    const uint64_t grown = class->limit + passed;
    class->limit = grown < most ? (uint32_t)grown : most;
}

/* The cache of the class is empty: fill it. Returns one block, which is not in it; NULL if and only
 * if there is no memory or, after misuse, a free block was overwritten. */
void *hy__cache_refill(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    heap->refills++;
    hy__pool *const pool = hy__pool_for(heap, size_class);
    uint32_t count;
    if (pool == NULL) {
        return NULL;
    }
    hy_heap_link *const head = hy__pool_take(heap, pool, &count, heap->strict ? 1 : UINT32_MAX);
    if (head == NULL) {
        return NULL;
    }
    if (heap->strict) {
        hy__show(heap, head, sizeof *head);
        head->seal = 0;
        return head;
    }
    if (!link_is_sound(heap, head)) {
        hy__pool_put_back(heap, pool, head, count); /* the next request tells it again */
        return NULL;
    }
    if (class->out_at_fill > class->out - count) {
        learn(class, class->out_at_fill - (class->out - count));
    }
    class->out_at_fill = class->out;
    hy__drain_note_refill(heap, class, count);
    /* All that the pool has is in; frees may add as many as ever, so that what is hot is served first. */
    set_cache(heap, size_class, head->next, count - 1,
              heap->draining ? 0 : count - 1 + class->limit);
    head->seal = 0;
    return head;
}

/* Whether a block is in the cache of the class. O(cached blocks). */
bool hy__cache_holds(const hy__heap *heap, unsigned size_class, const void *block)
{
    const hy_heap_link *link = heap->window.bins[size_class].head;
    while (link != NULL && link != block && hy__link_fits(heap, link)) {
        link = link->next;
    }
    return link != NULL && link == block;
}
