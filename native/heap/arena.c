/*
 * arena.c: runs of pages out of arenas, and back.
 *
 *     [ header | pool | free | pool | free ............. ]
 *                      ^ the lowest run that is long enough serves
 */
#include "heap/bitrun.h"
#include "heap/internal.h"

/* The number of a new pool; 0 where the arena has no page for one, which can't be. */
static hy__pool *new_pool(hy__arena *arena)
{
    uint16_t number = arena->pool_free;
    if (number != 0) {
        arena->pool_free = arena->pools[number].capacity;
    } else {
        number = ++arena->pool_high;
    }
    arena->pool_count++;
    hy__pool *const pool = &arena->pools[number];
    *pool = (hy__pool){.number = number, .size_class = HY__RUN_CLASS};
    return pool;
}

static void drop_pool(hy__arena *arena, hy__pool *pool)
{
    pool->size_class = HY__NO_CLASS;
    pool->capacity = arena->pool_free;
    arena->pool_free = pool->number;
    arena->pool_count--;
}

static size_t first_page(const hy__pool *pool)
{
    return pool->offset >> HY__PAGE_SHIFT;
}

/* Note whose pages these are. Their class is that of a page run until hy__pages_set_class. */
static void set_pool(hy__arena *arena, size_t first, size_t count, uint16_t number)
{
    for (size_t page = first; page < first + count; page++) {
        arena->pool_of[page] = number;
        arena->page_info[page] = HY__PAGE_INFO(number == 0 ? HY__NO_CLASS : HY__RUN_CLASS, 0);
    }
}

/* The pool holds blocks of a class. */
void hy__pages_set_class(hy__pool *pool, unsigned size_class)
{
    hy__arena *const arena = hy__pool_arena(pool);
    pool->size_class = (uint8_t)size_class;
    uint16_t *const info = &arena->page_info[first_page(pool)];
    for (unsigned page = 0; page < pool->pages; page++) {
        info[page] = HY__PAGE_INFO(size_class, page);
    }
}

/* Pages [first, first + count) go to pool `number`. Returns how many of them were dirty. */
static size_t occupy(hy__heap *heap, hy__arena *arena, size_t first, size_t count, uint16_t number)
{
    hy__bits_put(arena->free_bits, first, count, false);
    arena->free_pages -= (uint32_t)count;
    set_pool(arena, first, count, number);
    const uint32_t dirty_before = arena->dirty_pages;
    hy__purge_note(heap, arena, first, count, false);
    return dirty_before - arena->dirty_pages;
}

static void vacate(hy__heap *heap, hy__arena *arena, size_t first, size_t count)
{
    (void)heap;
    hy__bits_put(arena->free_bits, first, count, true);
    arena->free_pages += (uint32_t)count;
    const size_t low = hy__bits_run_start(arena->free_bits, first);
    const size_t high = hy__bits_find(arena->free_bits, first + count, arena->pages, false);
    arena->longest = high - low > arena->longest ? (uint32_t)(high - low) : arena->longest;
    set_pool(arena, first, count, 0);
}

/* The first page from `page` on at which the address has the alignment. */
static size_t aligned_page(const hy__arena *arena, size_t page, size_t alignment)
{
    const uintptr_t base = (uintptr_t)arena->span.address >> HY__PAGE_SHIFT;
    const size_t pages = alignment >> HY__PAGE_SHIFT;
    return (size_t)(((base + page + pages - 1) & ~(uintptr_t)(pages - 1)) - base);
}

/* The lowest run of `pages` set bits, aligned; the arena's end where there is none. */
static size_t find_run(const hy__arena *arena, const uint64_t *bits, size_t pages, size_t alignment)
{
    const size_t end = arena->pages;
    size_t page = arena->header_pages;
    while (page < end) {
        page = hy__bits_find(bits, page, end, true);
        page = aligned_page(arena, page, alignment);
        if (page >= end || end - page < pages) {
            return end;
        }
        const size_t run_end = hy__bits_find(bits, page, page + pages, false);
        if (run_end == page + pages) {
            return page;
        }
        page = run_end + 1;
    }
    return end;
}

/* The dirty ones of the first pages of a run, as bits. */
static uint16_t dirty_among(const hy__arena *arena, size_t first, size_t count)
{
    unsigned bits = 0;
    for (size_t i = 0; i < count && i < HY__MAX_POOL_PAGES; i++) {
        bits |= (unsigned)hy__bits_get(arena->dirty_bits, first + i) << i;
    }
    return (uint16_t)bits;
}

static hy__pool *take_from(hy__heap *heap, hy__arena *arena, unsigned pages, size_t alignment,
                           bool *clean)
{
    size_t page = arena->pages;
    if (arena->dirty_pages >= pages) {
        page = find_run(arena, arena->dirty_bits, pages, alignment); /* a first touch saved */
    }
    if (page == arena->pages) {
        page = find_run(arena, arena->free_bits, pages, alignment);
    }
    if (page == arena->pages) {
        if (alignment == HY_PAGE_SIZE) {
            arena->longest = pages - 1;
        }
        return NULL;
    }
    const bool was_empty = arena->pool_count == 0;
    hy__pool *const pool = new_pool(arena);
    pool->offset = (uint32_t)(page << HY__PAGE_SHIFT);
    pool->pages = (uint16_t)pages;
    pool->stale = dirty_among(arena, page, pages);
    const size_t dirty = occupy(heap, arena, page, pages, pool->number);
    *clean = dirty == 0;
    heap->empty_arenas -= was_empty;
    hy__arena_relist(heap, arena);
    hy__purge_regret(heap, (pages - dirty) << HY__PAGE_SHIFT);
    return pool;
}

/* How many arenas of a bucket are looked at before the next bucket is. */
#define ARENAS_TRIED 8

static hy__pool *take_from_bucket(hy__heap *heap, unsigned bucket, unsigned pages, size_t alignment,
                                  bool *clean, uint32_t tries)
{
    hy__arena *arena = heap->buckets[bucket];
    for (; arena != NULL && tries > 0; tries--) {
        hy__arena *const next = arena->next;
        if (arena->longest >= pages) {
            hy__pool *const pool = take_from(heap, arena, pages, alignment, clean);
            if (pool != NULL) {
                return pool;
            }
        }
        arena = next;
    }
    return NULL;
}

/* The same from any arena that there is, `tries` of each bucket at most. */
static hy__pool *take_from_any(hy__heap *heap, unsigned pages, size_t alignment, bool *clean,
                               uint32_t tries)
{
    for (uint64_t buckets = heap->bucket_bits; buckets != 0; buckets &= buckets - 1) {
        const unsigned bucket = (unsigned)__builtin_ctzll(buckets);
        hy__pool *const pool = take_from_bucket(heap, bucket, pages, alignment, clean, tries);
        if (pool != NULL) {
            return pool;
        }
    }
    return NULL;
}

/*
 * A pool of `pages` pages, first page aligned, from the fullest arena that has them; a new arena
 * where none has. Its class is not set. `clean`: none of the pages was ever touched, or all were
 * purged since: they read as zero. NULL if and only if there is no memory: before, each arena is looked
 * at, after all that was kept for later has gone (hy__span_map).
 */
hy__pool *hy__pages_take(hy__heap *heap, unsigned pages, size_t alignment, bool *clean)
{
    hy__pool *const pool = take_from_any(heap, pages, alignment, clean, ARENAS_TRIED);
    if (pool != NULL) {
        return pool;
    }
    hy__arena *const arena = hy__arena_new(heap);
    return arena != NULL ? take_from(heap, arena, pages, alignment, clean)
                         : take_from_any(heap, pages, alignment, clean, UINT32_MAX);
}

/* Take back the pages of a pool without live blocks. `touched`: a bit for each of the first 64 pages
 * that may hold something; all further ones are taken to. */
void hy__pages_give(hy__heap *heap, hy__pool *pool, uint64_t touched)
{
    hy__arena *const arena = hy__pool_arena(pool);
    const size_t first = first_page(pool);
    const size_t pages = pool->pages;
    hy__hide(heap, arena->span.address + pool->offset, pages << HY__PAGE_SHIFT);
    drop_pool(arena, pool);
    vacate(heap, arena, first, pages);
    for (size_t page = 0; page < pages;) {
        size_t end = page + 1;
        const bool dirty = page >= 64 || touched >> page & 1;
        while (end < pages && (end >= 64 || touched >> end & 1) == dirty) {
            end++;
        }
        if (dirty) {
            hy__purge_note(heap, arena, first + page, end - page, true);
        }
        page = end;
    }
    if (arena->pool_count == 0) {
        heap->empty_arenas++;
        if (heap->empty_arenas > hy__purge_empty_arenas_kept(heap)) {
            hy__arena_delete(heap, arena);
            hy__purge_as_due(heap);
            return;
        }
    }
    hy__arena_relist(heap, arena);
    hy__purge_as_due(heap);
}

/* Grow a page run to `pages`, where the pages behind it are free. */
bool hy__pages_extend(hy__heap *heap, hy__pool *pool, unsigned pages)
{
    hy__arena *const arena = hy__pool_arena(pool);
    const size_t end = first_page(pool) + pool->pages;
    const size_t more = pages - pool->pages;
    if (end + more > arena->pages ||
        hy__bits_find(arena->free_bits, end, end + more, false) != end + more) {
        return false;
    }
    const size_t dirty = occupy(heap, arena, end, more, pool->number);
    pool->pages = (uint16_t)pages;
    hy__arena_relist(heap, arena);
    hy__purge_regret(heap, (more - dirty) << HY__PAGE_SHIFT);
    return true;
}

/* Take back the pages of a page run from number `pages` on. */
void hy__pages_shorten(hy__heap *heap, hy__pool *pool, unsigned pages)
{
    hy__arena *const arena = hy__pool_arena(pool);
    const size_t first = first_page(pool) + pages;
    const size_t count = pool->pages - pages;
    hy__hide(heap, arena->span.address + (first << HY__PAGE_SHIFT), count << HY__PAGE_SHIFT);
    pool->pages = (uint16_t)pages;
    vacate(heap, arena, first, count);
    hy__purge_note(heap, arena, first, count, true);
    hy__arena_relist(heap, arena);
    hy__purge_as_due(heap);
}
