/*
 * pool.c: blocks of one class out of pools, and back. Pages inside a pool are purged in pool_purge.c.
 *
 *     [ block | block | block | block | not carved ......... | tail ]
 *        out    free     out     free
 *
 * A pool with a block to hand out is in its class's list, the last one given to first. One with none
 * is in no list, and comes back to the front when a block is given back.
 */
#include "heap/pool.h"

#include "heap/give.h"
#include "heap/internal.h"

/* A pool has at most 1/16 of its pages as tail, where that can be had. */
#define TAIL_PART 16

/* A new pool is this part of what its class has out. */
#define DEMAND_PART 8

/* Larger blocks have the smallest pools: they touch a page or so each, and many in a pool save no time. */
#define MANY 1024

/* Between the places in their pages at which the pools of two classes hand out their first blocks. */
#define COLOUR_STEP ((size_t)832)

static void list_pool(hy__class *class, hy__pool *pool)
{
    pool->previous = NULL;
    pool->next = class->pools;
    if (pool->next != NULL) {
        pool->next->previous = pool;
    }
    class->pools = pool;
    pool->listed = true;
}

static void unlist_pool(hy__class *class, hy__pool *pool)
{
    if (pool->previous != NULL) {
        pool->previous->next = pool->next;
    } else {
        class->pools = pool->next;
    }
    if (pool->next != NULL) {
        pool->next->previous = pool->previous;
    }
    pool->listed = false;
}

static void note_out(hy__heap *heap, hy__pool *pool, int32_t blocks)
{
    pool->out = (uint16_t)(pool->out + blocks);
    heap->classes[pool->size_class].out += (uint64_t)(int64_t)blocks;
}

/* The pages of a pool for `demand` bytes: as few as serve, then more until the tail is small. */
static unsigned pages_for(const hy__heap *heap, const hy__class *class, size_t demand)
{
    const size_t size = class->block_size;
    const unsigned most = heap->max_pool_pages;
    const unsigned least = (unsigned)(hy__round_up(size, HY_PAGE_SIZE) >> HY__PAGE_SHIFT);
    const unsigned wanted =
        demand >= (size_t)most << HY__PAGE_SHIFT ? most : (unsigned)(demand >> HY__PAGE_SHIFT);
    unsigned best = wanted > least ? wanted : least;
    size_t best_tail = (((size_t)best << HY__PAGE_SHIFT) % size) / best;
    for (unsigned pages = best; pages <= most; pages++) {
        const size_t tail = (((size_t)pages << HY__PAGE_SHIFT) % size) / pages;
        if (tail < best_tail) {
            best = pages;
            best_tail = tail;
        }
        if (best_tail <= HY_PAGE_SIZE / TAIL_PART) {
            break;
        }
    }
    return best;
}

/* Note in the page map on which of the pages [first, end) blocks may be freed the short way. Larger blocks note it
 * one by one. */
void hy__pool_map(const hy__heap *heap, const hy__pool *pool, unsigned first, unsigned end)
{
    if (pool->size_class >= HY__BIG_CLASS && pool->carved != 0) {
        return;
    }
    uint32_t *const map = &hy__pool_arena(pool)->page_map[pool->offset >> HY__PAGE_SHIFT];
    for (unsigned page = first; page < end; page++) {
        const bool plain = hy__pool_is_plain(heap, pool, page);
        map[page] = HY__PAGE(pool->number, page, plain ? pool->size_class : HY__NO_CLASS);
    }
}

/* Describe the pages as a pool of the class, and list it. */
static hy__pool *set_up_pool(hy__heap *heap, unsigned size_class, hy__pool *pool)
{
    hy__class *const class = &heap->classes[size_class];
    const size_t size = (size_t)pool->pages << HY__PAGE_SHIFT;
    pool->size_class = (uint8_t)size_class;
    pool->capacity = (uint16_t)(size / class->block_size);
    hy__pool_map(heap, pool, 0, pool->pages);
    pool->turn = (uint16_t)(pool->capacity - 2);
    class->pool_count++;
    class->pool_bytes += size;
    heap->pool_bytes += size;
    list_pool(class, pool);
    return pool;
}

static hy__pool *new_pool(hy__heap *heap, unsigned size_class, bool only_dirty)
{
    const hy__class *const class = &heap->classes[size_class];
    const size_t demand = class->block_size <= MANY
                              ? hy__class_out(heap, size_class) * class->block_size / DEMAND_PART
                              : 0;
    const unsigned most = pages_for(heap, class, demand);
    const unsigned smallest = pages_for(heap, class, 0);
    const unsigned least =
        (unsigned)(hy__round_up(class->block_size, HY_PAGE_SIZE) >> HY__PAGE_SHIFT);
    hy__page_request request = {.most = most,
                                .least = smallest < most ? smallest : most,
                                .alignment = HY_PAGE_SIZE,
                                .only_dirty = only_dirty};
    size_t fresh;
    hy__pool *pool = hy__pages_take(heap, &request, &fresh);
    if (pool == NULL && least < most && !only_dirty) {
        request.most = least;
        request.least = least;
        pool = hy__pages_take(heap, &request, &fresh);
    }
    return pool != NULL ? set_up_pool(heap, size_class, pool) : NULL;
}

/* Whether the pool has no free block but those on a page that it has not touched yet. */
static bool must_touch(const hy__heap *heap, const hy__pool *pool)
{
    const size_t next = (size_t)pool->carved * heap->classes[pool->size_class].block_size;
    return hy__pool_listed_blocks(pool) == 0 && pool->purged_count == 0 &&
           !(pool->stale >> (next >> HY__PAGE_SHIFT) & 1);
}

/* A listed pool of the class. NULL if and only if there is no memory. */
hy__pool *hy__pool_for(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    hy__late_end(heap);
    if (class->pools != NULL && must_touch(heap, class->pools) &&
        hy__growth_gathers(heap, HY_PAGE_SIZE) && new_pool(heap, size_class, true) == NULL) {
        hy__growth_makes_room(heap, HY_PAGE_SIZE);
    }
    if (class->pools != NULL) {
        return class->pools;
    }
    hy__pool *const kept = class->empty;
    if (kept != NULL) {
        class->empty = NULL;
        list_pool(class, kept);
        return kept;
    }
    return new_pool(heap, size_class, false);
}

/* ---- out ------------------------------------------------------------------------------------ */

/* Link blocks [first, last) in address order, with `rest` behind them. */
hy_heap_link *hy__pool_link(const hy__heap *heap, const hy__pool *pool, size_t first, size_t last,
                            hy_heap_link *rest)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    char *const start = hy__pool_start(pool);
    hy_heap_link *head = rest;
    for (size_t i = last; i > first; i--) {
        hy_heap_link *const link = (hy_heap_link *)(void *)(start + (i - 1) * size);
        hy__show(heap, link, sizeof *link);
        hy__link_set(heap, link, head);
        hy__hide(heap, link, sizeof *link);
        head = link;
    }
    return head;
}

/* Which of the first blocks of a pool is handed out first: all pools start on pages, and what is at the
 * same place of its page shares a few sets of the processor's cache. */
static size_t colour(const hy__pool *pool, size_t size)
{
    const size_t place = pool->size_class * COLOUR_STEP % HY_PAGE_SIZE;
    return pool->carved == 0 && size < HY_PAGE_SIZE ? place / size : 0;
}

/* Blocks never handed out: one, and those that start on the page that it ends on. Their links touch no
 * page that the first of them does not touch. */
static void carve(hy__heap *heap, hy__pool *pool)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    const size_t page_end = hy__round_up((pool->carved + 1) * size, HY_PAGE_SIZE);
    size_t last = (page_end + size - 1) / size;
    last = last < pool->capacity ? last : pool->capacity;
    const size_t first = pool->carved + colour(pool, size);
    pool->free = hy__pool_link(heap, pool, pool->carved, first, NULL);
    pool->free = hy__pool_link(heap, pool, first, last, pool->free);
    const unsigned page = (unsigned)(pool->carved * size >> HY__PAGE_SHIFT);
    const unsigned end = (unsigned)(hy__round_up(last * size, HY_PAGE_SIZE) >> HY__PAGE_SHIFT);
    pool->carved = (uint16_t)last;
    hy__pool_map(heap, pool, page, last == pool->capacity ? pool->pages : end);
}

/* Put the blocks on the lowest run of purged pages back into the free list. The pages beside the run
 * are not purged: all blocks that touch it lie on it and on pages with blocks. */
static void carve_purged(hy__heap *heap, hy__pool *pool)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    const unsigned low = (unsigned)__builtin_ctz(pool->purged);
    const unsigned run = (unsigned)__builtin_ctz(~((unsigned)pool->purged >> low));
    const unsigned pages = ((1U << run) - 1) << low;
    size_t first = ((size_t)low << HY__PAGE_SHIFT) / size;
    size_t last = (((size_t)(low + run) << HY__PAGE_SHIFT) + size - 1) / size;
    last = last < pool->carved ? last : pool->carved;
    HY_ASSERT_STATE(first < last && (hy__pages_of_block(size, first) & pages) != 0);
    (void)pages;
    pool->free = hy__pool_link(heap, pool, first, last, pool->free);
    pool->purged_count = (uint16_t)(pool->purged_count - (last - first));
    pool->purged &= (uint16_t) ~(((1U << run) - 1) << low);
    hy__pool_map(heap, pool, 0, pool->pages);
}

/* Take the first block off the free list: it becomes a list of its own. False, with misuse, where it
 * was overwritten. */
static bool unlink_one(const hy__heap *heap, hy__pool *pool, hy_heap_link *head)
{
    hy__show_defined(heap, head, sizeof *head);
    if (!hy__link_fits(heap, head)) {
        hy__hide(heap, head, sizeof *head);
        hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "heap", head, NULL);
        return false;
    }
    pool->free = head->next;
    hy__link_set(heap, head, NULL);
    hy__hide(heap, head, sizeof *head);
    return true;
}

/* Free blocks of a listed pool, at most `most` of them, as a list; `count` says how many. They are
 * out from now on. */
hy_heap_link *hy__pool_take(hy__heap *heap, hy__pool *pool, uint32_t *count, uint32_t most)
{
    if (hy__pool_listed_blocks(pool) == 0) {
        const int before = __builtin_popcountll(hy__pool_touched(heap, pool));
        if (pool->carved < pool->capacity) {
            carve(heap, pool);
        } else {
            carve_purged(heap, pool);
        }
        const int after = __builtin_popcountll(hy__pool_touched(heap, pool));
        heap->resident_pages += (size_t)(after - before);
    }
    hy_heap_link *const head = pool->free;
    const uint32_t available = hy__pool_listed_blocks(pool);
    const bool whole = available <= most;
    HY_ASSERT_STATE(whole || most == 1);
    *count = whole ? available : 1;
    if (*count > 1) {
        pool->free = NULL;
    } else if (!unlink_one(heap, pool, head)) {
        *count = 0;
        return NULL;
    }
    note_out(heap, pool, (int32_t)*count);
    if (pool->out == pool->capacity) {
        hy__class *const class = &heap->classes[pool->size_class];
        unlist_pool(class, pool);
        class->full_count++;
    }
    return head;
}

/* ---- back ----------------------------------------------------------------------------------- */

/* The pages that may hold something: blocks were carved from them, or they came so; as bits. */
uint64_t hy__pool_touched(const hy__heap *heap, const hy__pool *pool)
{
    const size_t bytes = (size_t)pool->carved * heap->classes[pool->size_class].block_size;
    const size_t pages = hy__round_up(bytes, HY_PAGE_SIZE) >> HY__PAGE_SHIFT;
    return ((((uint64_t)1 << pages) - 1) & ~(uint64_t)pool->purged) | pool->stale;
}

static void release_pool(hy__heap *heap, hy__pool *pool)
{
    hy__class *const class = &heap->classes[pool->size_class];
    const size_t size = (size_t)pool->pages << HY__PAGE_SHIFT;
    if (heap->late_next != 0) {
        hy__late_forget(heap, pool);
    }
    class->pool_count--;
    class->pool_bytes -= size;
    heap->pool_bytes -= size;
    hy__pages_give(heap, pool, hy__pool_touched(heap, pool));
}

/* No block of a listed pool is out any more: it is kept, or goes. */
static void retire(hy__heap *heap, hy__pool *pool)
{
    hy__class *const class = &heap->classes[pool->size_class];
    unlist_pool(class, pool);
    if (class->empty == NULL && class->block_size <= HY_PAGE_SIZE && !heap->draining &&
        heap->purge != HY_HEAP_PURGE_AT_ONCE) {
        class->empty = pool;
        return;
    }
    release_pool(heap, pool);
}

/* A block came back to a pool, which was full before or has no block out now. */
void hy__pool_turn(hy__heap *heap, hy__pool *pool)
{
    if (!pool->listed) {
        hy__class *const class = &heap->classes[pool->size_class];
        list_pool(class, pool);
        class->full_count--;
    }
    if (pool->out == 0) {
        retire(heap, pool);
    }
}

/* The reverse of hy__pool_take, right after it, for a list whose first link was overwritten. */
void hy__pool_put_back(hy__heap *heap, hy__pool *pool, hy_heap_link *head, uint32_t count)
{
    hy__class *const class = &heap->classes[pool->size_class];
    pool->free = head;
    note_out(heap, pool, -(int32_t)count);
    if (!pool->listed) {
        list_pool(class, pool);
        class->full_count--;
    }
}

/* Give back the pool that the class keeps without live blocks. */
void hy__pool_drop_empty(hy__heap *heap, unsigned size_class)
{
    hy__class *const class = &heap->classes[size_class];
    hy__pool *const pool = class->empty;
    if (pool != NULL) {
        class->empty = NULL;
        release_pool(heap, pool);
    }
}

/* Whether a carved block lies on a purged page. */
bool hy__pool_has_purged(const hy__heap *heap, const hy__pool *pool, const void *block)
{
    const size_t size = heap->classes[pool->size_class].block_size;
    const size_t index = (size_t)((const char *)block - hy__pool_start(pool)) / size;
    return (hy__pages_of_block(size, index) & pool->purged) != 0;
}

/* Whether a carved block is in the pool's free list or on a purged page. A link that was overwritten
 * is told and not followed: then a block that bears a seal counts as free. O(free blocks). */
bool hy__pool_is_free(const hy__heap *heap, const hy__pool *pool, const void *block)
{
    if (hy__pool_has_purged(heap, pool, block)) {
        return true;
    }
    const hy_heap_link *link = pool->free;
    for (uint32_t i = 0; i < hy__pool_listed_blocks(pool) && link != block; i++) {
        hy__show_defined(heap, link, sizeof *link);
        const bool fits = hy__link_fits(heap, link);
        const hy_heap_link *const next = link->next;
        hy__hide(heap, link, sizeof *link);
        if (!fits) {
            hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "heap", link, NULL);
            return !heap->annotating && hy__link_fits(heap, block);
        }
        link = next;
    }
    return link == block && link != NULL;
}
