/*
 * cache.c: the caches in front of the pools.
 *
 *     newer half (the handle's bin)     older half (spill)        pools
 *     [ ] -> [ ] -> [ ]                 [ ] -> [ ] -> [ ]  ---->  each to its own
 *      ^ malloc pops, free pushes
 *
 * When the newer half is full it becomes the older one, and what was in that goes back to the
 * pools; when it is empty, it takes the older one, or all that one pool has. So blocks move in
 * batches, and a program that goes back and forth by less than half a cache moves none.
 *
 * The size of a half learns: where blocks were flushed that were then wanted again it grows by half
 * of their number; where a class frees more than 2 MiB in one go it goes back to where it began.
 *
 * When nearly all is freed (a 16th of the pools' bytes is out) all caches are emptied and take
 * nothing until their class hands out again: the last frees go straight to the pools, so that these
 * can go.
 */
#include "heap/internal.h"

#define LIMIT_BYTES   ((size_t)512 << 10)
#define LIMIT_BLOCKS  8192
#define STREAK_BYTES  ((size_t)2 << 20)
#define DRAIN_PART    16
#define DRAIN_MINIMUM ((size_t)1 << 20)

uint32_t hy__cache_count(const hy__heap *heap, unsigned size_class)
{
    const hy__class *const class = &heap->classes[size_class];
    const int64_t newer = (int64_t) class->cap - heap->window.bins[size_class].room;
    return (uint32_t)newer + class->spill_count;
}

static void set_newer(hy__heap *heap, unsigned size_class, hy_heap_link *head, uint32_t count,
                      uint32_t cap)
{
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    bin->head = head;
    bin->room = (int64_t)cap - count;
    heap->classes[size_class].cap = cap;
}

/* ---- back to the pools ----------------------------------------------------------------------- */

/* Give one block back to its pool; tells what is wrong with it otherwise. */
static void flush_block(hy__heap *heap, unsigned size_class, hy_heap_link *block)
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

static bool link_is_sound(hy__heap *heap, const hy_heap_link *link)
{
    if (hy__link_fits(heap, link)) {
        return true;
    }
    hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "heap", link, NULL);
    return false;
}

/* Give a list of blocks back. Stops, with misuse, at a link that was overwritten; the rest is lost
 * then. */
static void flush_list(hy__heap *heap, unsigned size_class, hy_heap_link *head, uint32_t count)
{
    while (count-- > 0 && link_is_sound(heap, head)) {
        hy_heap_link *const next = head->next;
        __builtin_prefetch(next);
        flush_block(heap, size_class, head);
        head = next;
    }
}

static void flush_spill(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    hy_heap_link *const head = class->spill;
    const uint32_t count = class->spill_count;
    class->spill = NULL;
    class->spill_count = 0;
    class->flushed += count;
    flush_list(heap, size_class, head, count);
}

static void flush_newer(hy__heap *heap, unsigned size_class, uint32_t cap)
{
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    hy_heap_link *const head = bin->head;
    const uint32_t count = (uint32_t)((int64_t)heap->classes[size_class].cap - bin->room);
    set_newer(heap, size_class, NULL, 0, cap);
    flush_list(heap, size_class, head, count);
}

/* Empty all caches. */
void hy__cache_flush_all(hy__heap *heap)
{
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        flush_spill(heap, size_class);
        flush_newer(heap, size_class, heap->classes[size_class].cap);
    }
}

static bool nearly_all_is_free(const hy__heap *heap)
{
    return heap->pool_bytes > DRAIN_MINIMUM && heap->out_bytes < heap->pool_bytes / DRAIN_PART;
}

static void start_draining(hy__heap *heap)
{
    heap->draining = true;
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        flush_spill(heap, size_class);
        flush_newer(heap, size_class, 0);
        hy__pool_drop_empty(heap, size_class);
    }
}

/* A block is freed and its cache has no room. */
void hy__cache_overflow(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__class *const class = &heap->classes[size_class];
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    if (heap->draining || class->cap == 0) {
        flush_block(heap, size_class, block);
        heap->draining = heap->draining && nearly_all_is_free(heap);
        return;
    }
    flush_spill(heap, size_class);
    if ((size_t) class->flushed * class->block_size > STREAK_BYTES) {
        class->limit = class->base_limit;
    }
    class->spill = bin->head;
    class->spill_count = (uint32_t)((int64_t) class->cap - bin->room);
    hy__link_set(heap, block, NULL);
    set_newer(heap, size_class, block, 1, class->limit);
    if (nearly_all_is_free(heap)) {
        start_draining(heap);
    }
}

/* ---- from the pools --------------------------------------------------------------------------- */

static void learn(hy__class *class)
{
    if (class->flushed == 0) {
        return;
    }
    const size_t by_bytes = LIMIT_BYTES / class->block_size;
    const uint32_t most = by_bytes < LIMIT_BLOCKS ? (uint32_t)by_bytes : LIMIT_BLOCKS;
    const uint32_t grown = class->limit + class->flushed / 2;
    class->limit = grown < most ? grown : (most > class->base_limit ? most : class->base_limit);
    class->flushed = 0;
}

/* The cache of the class is empty: fill it. Returns one block, which is not in it; NULL if and only
 * if there is no memory or, after misuse, a free block was overwritten. */
void *hy__cache_refill(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    hy_heap_link *head = class->spill;
    uint32_t count = class->spill_count;
    class->spill = NULL;
    class->spill_count = 0;
    if (head == NULL) {
        learn(class);
        hy__pool *const pool = hy__pool_for(heap, size_class);
        if (pool == NULL) {
            return NULL;
        }
        head = hy__pool_take(heap, pool, &count, heap->strict ? 1 : UINT32_MAX);
        if (head == NULL) {
            return NULL;
        }
    }
    if (heap->strict) {
        if (!heap->annotating) {
            head->seal = 0;
        }
        return head;
    }
    if (!link_is_sound(heap, head)) {
        class->spill = head; /* as it was: the next request tells it again */
        class->spill_count = count;
        return NULL;
    }
    heap->draining = heap->draining && nearly_all_is_free(heap);
    set_newer(heap, size_class, head->next, count - 1, heap->draining ? 0 : class->limit);
    head->seal = 0;
    return head;
}

/* Whether a block is in the cache of the class. O(cached blocks). */
bool hy__cache_holds(const hy__heap *heap, unsigned size_class, const void *block)
{
    const hy_heap_bin *const bin = &heap->window.bins[size_class];
    const hy__class *const class = &heap->classes[size_class];
    const hy_heap_link *link = bin->head;
    for (; link != NULL && hy__link_fits(heap, link); link = link->next) {
        if (link == block) {
            return true;
        }
    }
    for (link = class->spill; link != NULL && hy__link_fits(heap, link); link = link->next) {
        if (link == block) {
            return true;
        }
    }
    return false;
}
