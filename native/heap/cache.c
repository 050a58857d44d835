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
 * blocks over 8 KiB: where blocks went past it that were then wanted again, it takes as many more.
 *
 * When nearly all is freed (a 16th of the pools' bytes is out) all caches are emptied and take nothing
 * until their class hands out again: the last frees go straight to the pools, so that these can go.
 */
#include "heap/give.h"
#include "heap/internal.h"

#define LIMIT_BYTES   ((size_t)256 << 10)
#define LIMIT_BLOCKS  1024
#define DRAIN_PART    16
#define DRAIN_MINIMUM ((size_t)1 << 20)
#define DRAIN_LOOK    128 /* blocks that go past a cache between two looks */

/* Frees whose blocks lie at most so many bytes apart are in a row; which of the next ones is fetched. */
#define FETCH_WITHIN ((uintptr_t)1024)
#define FETCH_AHEAD  2

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
    bin->head = head;
    bin->quota = cap > count ? cap - count : 0;
    class->balance = count + bin->quota + (int64_t)bin->allocs;
    class->cap = cap;
}

/* ---- back to the pools ----------------------------------------------------------------------- */

/* The pool of a block that is of the class, as nearly all are; NULL where that must be looked into.
 * Reads the arena's header only. */
static inline hy__pool *pool_of_class(hy__heap *heap, unsigned size_class,
                                      const hy_heap_link *block)
{
    const hy__seen *const seen = hy__seen_for(heap, block);
    if (__builtin_expect(((uintptr_t)block ^ seen->base) > heap->window.mask, 0) &&
        !hy__find_note_seen(heap, block)) {
        return NULL;
    }
    const hy__arena *const arena = seen->arena;
    const size_t offset = (uintptr_t)block ^ seen->base;
    const unsigned info = arena->page_info[offset >> HY__PAGE_SHIFT];
    const size_t within = (info >> 8 << HY__PAGE_SHIFT) | (offset & (HY_PAGE_SIZE - 1));
    hy__pool *const pool = hy__pool_at(arena, offset);
    const size_t size = heap->classes[size_class].block_size;
    return (info & 0xff) == size_class &&
                   hy__is_block_start(&heap->window.bins[size_class], within) &&
                   within < pool->carved * size && pool->purged == 0
               ? pool
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

static inline void give(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__pool *const pool = pool_of_class(heap, size_class, block);
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
static void flush(hy__heap *heap, unsigned size_class, uint32_t cap)
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
    flush(heap, size_class, heap->classes[size_class].cap);
}

/* Empty all caches. */
void hy__cache_flush_all(hy__heap *heap)
{
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        hy__cache_flush(heap, size_class);
    }
}

static bool nearly_all_is_free(const hy__heap *heap)
{
    if (heap->pool_bytes <= DRAIN_MINIMUM) {
        return false;
    }
    size_t out_bytes = 0;
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        out_bytes += heap->classes[size_class].out * heap->classes[size_class].block_size;
    }
    return out_bytes < heap->pool_bytes / DRAIN_PART;
}

static __attribute__((noinline)) void look_whether_to_drain(hy__heap *heap)
{
    const bool drained = heap->draining;
    heap->draining = nearly_all_is_free(heap);
    if (!heap->draining || drained) {
        return;
    }
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        flush(heap, size_class, 0);
        hy__pool_drop_empty(heap, size_class);
    }
}

static inline void note_passed(hy__heap *heap, hy__class *class)
{
    if (__builtin_expect(++class->passed % DRAIN_LOOK == 0, 0)) {
        look_whether_to_drain(heap);
    }
}

/* ---- frees without a quota ------------------------------------------------------------------ */

/* The quota is used up: it becomes what the cache has room for. */
static void look_whether_full(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    const uint32_t count = hy__cache_count(heap, size_class);
    const int64_t room = (int64_t) class->cap - count;
    if (room > 0) {
        heap->window.bins[size_class].quota = room;
        class->balance += room;
    }
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
    hy__pool_give(heap, found.pool, block);
    note_passed(heap, &heap->classes[size_class]);
}

/*
 * Past the full cache, blocks are in memory, and a free that reads one waits for it. Where those before
 * lie in a row, as what was made in a row does, the processor is asked for the next one now.
 */
static inline void fetch_next(hy__class *class, const hy_heap_link *block)
{
    const uintptr_t step = (uintptr_t)block - class->last_put;
    class->last_put = (uintptr_t)block;
    if (step + FETCH_WITHIN < 2 * FETCH_WITHIN) {
        __builtin_prefetch((const char *)block + (intptr_t)(step * FETCH_AHEAD), 1);
    }
}

/* A block of the class is freed, and that it goes to the cache is not known yet. */
void hy__cache_put(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__class *const class = &heap->classes[size_class];
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    if (bin->quota == 0) {
        look_whether_full(heap, size_class);
    }
    if (bin->quota == 0) {
        fetch_next(class, block);
        hy__pool *const pool = pool_of_class(heap, size_class, block);
        if (__builtin_expect(pool != NULL && !hy__link_fits(heap, block), 1)) {
            hy__pool_give(heap, pool, block);
            note_passed(heap, class);
            return;
        }
    } else if (!hy__link_fits(heap, block)) {
        bin->quota--;
        hy__link_set(heap, block, bin->head);
        bin->head = block;
        return;
    }
    put_other(heap, size_class, block);
}

/* ---- from the pools --------------------------------------------------------------------------- */

static void learn(hy__class *class)
{
    const size_t by_bytes = LIMIT_BYTES / class->block_size;
    const uint32_t most = by_bytes < LIMIT_BLOCKS ? (uint32_t)by_bytes : LIMIT_BLOCKS;
    const uint32_t grown = class->limit + class->passed;
    class->limit = grown < most ? grown : most;
    class->passed = 0;
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
    if (class->passed != 0) {
        learn(class);
    }
    heap->draining = heap->draining && nearly_all_is_free(heap);
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
