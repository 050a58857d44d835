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
 * While nothing is asked for, and much more is out than a cache takes, all may be freed: a cache takes no more
 * then, and is emptied. Its blocks would keep pools from emptying, and would be far when they are wanted.
 *
 *     frees   [ cache ][ past ][ past ][ past ] ...    with a request between: the cache has room again
 *                             '-- emptied
 *
 * Each free takes one off the quota, which is how many may go to the cache, or past it, before that is looked at.
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

/* As many frees go past a cache before it is looked at again: this part of what it takes, and so many. */
#define LOOK_PART  4
#define LEAST_PAST 32

/* Where a class has fewer bytes out, no free is late (late.c). */
#define LATE_FROM ((size_t)64 << 10)

/* A free takes one off the quota, malloc adds one to the allocs: so neither has to count what is in the
 * cache. */
uint32_t hy__cache_count(const hy__heap *heap, unsigned size_class)
{
    const hy_heap_bin *const bin = &heap->window.bins[size_class];
    const int64_t quota = bin->quota > 0 ? bin->quota : 0;
    return (uint32_t)(heap->classes[size_class].balance - quota - (int64_t)bin->allocs);
}

/* The quota is taken back: what went past the cache is counted. */
static void end_quota(hy__heap *heap, unsigned size_class)
{
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    hy__class *const class = &heap->classes[size_class];
    class->out = hy__class_out(heap, size_class);
    class->balance -= bin->quota > 0 ? bin->quota : 0;
    bin->quota = 0;
}

/* What is in a cache from now on, and how many blocks it takes. */
void hy__cache_set(hy__heap *heap, unsigned size_class, hy_heap_link *head, uint32_t count,
                   uint32_t cap)
{
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    hy__class *const class = &heap->classes[size_class];
    const int64_t room = (int64_t)cap - count;
    const int64_t most = hy__drain_slice(heap, class);
    end_quota(heap, size_class);
    bin->head = head;
    bin->quota = room <= 0 || size_class >= HY__BIG_CLASS ? 0 : room < most ? room : most;
    class->balance = count + bin->quota + (int64_t)bin->allocs;
    class->cap = cap;
    class->allocs_at_renewal = (uint32_t)bin->allocs;
}

/* ---- frees without a quota ------------------------------------------------------------------ */

/* So many frees may go past a cache that takes no more: a slice; fewer where it may take more again, or be of
 * no use. Where little is out, none: all is near enough to be read, and a second free is told at once. */
static int64_t most_past(const hy__heap *heap, const hy__class *class)
{
    const int64_t slice = hy__drain_slice(heap, class);
    const int64_t part = class->cap / LOOK_PART + LEAST_PAST;
    const int64_t most = class->cap != 0 && part < slice ? part : slice;
    const int64_t left = (int64_t) class->out - (int64_t)(LATE_FROM / class->block_size);
    return left < most ? left : most;
}

/* Whether nothing was asked for since the quota was last renewed, while much more is out than the cache
 * takes: it would keep pools from emptying, with blocks that are far when they are asked for. */
static bool is_wave(const hy__heap *heap, unsigned size_class)
{
    const hy__class *const class = &heap->classes[size_class];
    return class->allocs_at_renewal == (uint32_t)heap->window.bins[size_class].allocs &&
           class->out > 2 * (uint64_t) class->cap;
}

/* The quota is used up: the cache takes a slice more, if it has room; else so many frees may go past it. In a
 * wave of frees it takes no more, and is emptied when some went past it. Returns how many frees. */
static int64_t renew(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    const bool was_closed = bin->quota < 0;
    const int64_t slice = hy__drain_slice(heap, class);
    end_quota(heap, size_class);
    if (is_wave(heap, size_class)) {
        class->cap = hy__cache_count(heap, size_class);
        if (was_closed && class->cap != 0) {
            hy__flush_class(heap, size_class);
        }
    }
    class->allocs_at_renewal = (uint32_t)bin->allocs;
    const int64_t room = (int64_t) class->cap - hy__cache_count(heap, size_class);
    if (room > 0) {
        bin->quota = room < slice ? room : slice;
        class->balance += bin->quota;
        return bin->quota;
    }
    const int64_t past = most_past(heap, class);
    if (past > 0) {
        class->passes = (uint32_t)past;
        bin->quota = HY__CLOSED + past;
    }
    return past > 0 ? past : 1;
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
    const hy__class *const class = &heap->classes[found.pool->size_class]; /* the pool may go */
    if (found.pool->size_class >= HY__BIG_CLASS) {
        hy__big_note(heap, block, HY__NO_CLASS);
    }
    hy__pool_give(heap, found.pool, block);
    hy__drain_note(heap, class->block_size);
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
    const bool is_used_up = bin->quota == 0 || bin->quota == HY__CLOSED;
    const int64_t renewed = is_used_up ? renew(heap, size_class) : 0;
    hy__drain_note(heap, (size_t)renewed * heap->classes[size_class].block_size);
    if (bin->quota == 0) {
        hy__pool_give(heap, pool, block);
    } else if (bin->quota-- > 0) {
        hy__bin_push(heap, bin, block);
    } else {
        hy__late_put(heap, pool, block);
    }
}

/* A block of a plain page that starts where one does is freed, took one off the quota, and did not go to the
 * cache. */
void hy__cache_pass(hy__heap *heap, hy__pool *pool, hy_heap_link *block)
{
    hy_heap_bin *const bin = &heap->window.bins[pool->size_class];
    if (__builtin_expect(hy__bin_is_closed(bin), 1)) {
        hy__late_put(heap, pool, block);
    } else {
        bin->quota++;
        put_plain(heap, pool, block);
    }
}

/* A block of the class is freed by its size, took one off the quota, and did not go to the cache. */
void hy__cache_put(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__pool *const pool = hy__pool_of_plain(heap, size_class, block);
    if (__builtin_expect(pool != NULL, 1)) {
        hy__cache_pass(heap, pool, block);
    } else {
        heap->window.bins[size_class].quota++;
        put_other(heap, size_class, block);
    }
}

/* The same for one that took none yet. */
void hy__cache_take(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    hy__pool *const pool = hy__pool_of_plain(heap, size_class, block);
    if (__builtin_expect(pool == NULL, 0)) {
        put_other(heap, size_class, block);
    } else if (__builtin_expect(--bin->quota >= 0 && !hy__looks_free(heap, block), 1)) {
        hy__bin_push(heap, bin, block);
    } else {
        hy__cache_pass(heap, pool, block);
    }
}

/* ---- from the pools --------------------------------------------------------------------------- */

/* Of what went past the cache, since it was last filled, blocks are wanted again. */
static void learn(hy__class *class, uint64_t out, uint64_t passed)
{
    const size_t by_bytes = LIMIT_BYTES / class->block_size;
    const size_t by_part = out / LIMIT_PART;
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
    if (!hy__link_is_sound(heap, head)) {
        hy__pool_put_back(heap, pool, head, count); /* the next request tells it again */
        return NULL;
    }
    const uint64_t out = hy__class_out(heap, size_class);
    if (class->out_at_fill > out - count) {
        learn(class, out, class->out_at_fill - (out - count));
    }
    class->out_at_fill = out;
    hy__drain_note_refill(heap, class, count);
    /* All that the pool has is in; frees may add as many as ever, so that what is hot is served first. */
    hy__cache_set(heap, size_class, head->next, count - 1,
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
