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

/* Note whose pages these are: of a page run, until hy__pool_map. */
static void set_pool(hy__arena *arena, size_t first, size_t count, uint16_t number)
{
    for (size_t page = first; page < first + count; page++) {
        arena->page_map[page] = HY__PAGE(number, 0, HY__NO_CLASS);
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

/*
 * Dirty pages for a pool, in this order: a run of `least` to `most` pages, the longest, which fills a
 * gap; the shortest one of more than `most`. The arena's end where there is none.
 */
static size_t find_dirty(const hy__arena *arena, const hy__page_request *request, unsigned *pages)
{
    size_t gap = 0; /* the longest gap's pages, and where */
    size_t gap_at = arena->pages;
    size_t rest = SIZE_MAX; /* the shortest longer run's */
    size_t rest_at = arena->pages;
    for (size_t page = arena->header_pages;
         gap != request->most &&
         (page = hy__bits_find(arena->dirty_bits, page, arena->pages, true)) < arena->pages;) {
        const size_t end = hy__bits_find(arena->dirty_bits, page, arena->pages, false);
        const size_t length = end - page;
        if (length <= request->most && length >= request->least && length > gap) {
            gap = length;
            gap_at = page;
        } else if (length > request->most && length < rest) {
            rest = length;
            rest_at = page;
        }
        page = end;
    }
    *pages = gap != 0 ? (unsigned)gap : request->most;
    return gap != 0 ? gap_at : rest_at;
}

/* The same with an alignment: a run of `most` pages. */
static size_t find_dirty_aligned(const hy__arena *arena, const hy__page_request *request,
                                 unsigned *pages)
{
    *pages = request->most;
    return find_run(arena, arena->dirty_bits, request->most, request->alignment);
}

/* All pages of a page run count as touched, and in an arena of huge pages those of any pool; else those that
 * are dirty do, until carving comes to the others. */
static hy__pool *take_at(hy__heap *heap, hy__arena *arena, size_t page, unsigned pages,
                         const hy__page_request *request, size_t *fresh)
{
    const bool was_empty = arena->pool_count == 0;
    hy__pool *const pool = new_pool(arena);
    pool->offset = (uint32_t)(page << HY__PAGE_SHIFT);
    pool->pages = (uint16_t)pages;
    if (was_empty) {
        hy__arena_begin(heap, arena);
    }
    pool->stale = (uint16_t)(arena->huge ? (1U << (pages < 16 ? pages : 16)) - 1U
                                         : dirty_among(arena, page, pages));
    *fresh = pages - occupy(heap, arena, page, pages, pool->number);
    heap->resident_pages += arena->huge || request->is_run ? *fresh : 0;
    heap->empty_arenas -= was_empty;
    hy__arena_relist(heap, arena);
    hy__purge_regret(heap, *fresh << HY__PAGE_SHIFT);
    return pool;
}

/* Pages that are dirty: a first touch saved. */
static hy__pool *take_dirty(hy__heap *heap, hy__arena *arena, const hy__page_request *request,
                            size_t *fresh)
{
    unsigned pages;
    if (arena->dirty_pages < request->least) {
        return NULL;
    }
    const size_t page = request->alignment == HY_PAGE_SIZE
                            ? find_dirty(arena, request, &pages)
                            : find_dirty_aligned(arena, request, &pages);
    return page != arena->pages ? take_at(heap, arena, page, pages, request, fresh) : NULL;
}

/* Of the runs of `pages` free pages, the one with the most dirty ones; the lowest of those. */
static size_t find_mixed(const hy__arena *arena, size_t pages)
{
    size_t best = arena->pages;
    size_t most = 0;
    for (size_t page = arena->header_pages;
         (page = hy__bits_find(arena->free_bits, page, arena->pages, true)) < arena->pages;) {
        const size_t end = hy__bits_find(arena->free_bits, page, arena->pages, false);
        size_t dirty = 0;
        for (size_t next = page; next < end; next++) {
            dirty += hy__bits_get(arena->dirty_bits, next);
            dirty -= next >= page + pages && hy__bits_get(arena->dirty_bits, next - pages);
            if (next + 1 >= page + pages && (dirty > most || best == arena->pages)) {
                best = next + 1 - pages;
                most = dirty;
            }
        }
        page = end;
    }
    return best;
}

static hy__pool *take_any(hy__heap *heap, hy__arena *arena, const hy__page_request *request,
                          size_t *fresh)
{
    if (arena->longest < request->most) {
        return NULL;
    }
    const bool is_mixed = arena->dirty_pages != 0 && request->alignment == HY_PAGE_SIZE;
    const size_t page = is_mixed
                            ? find_mixed(arena, request->most)
                            : find_run(arena, arena->free_bits, request->most, request->alignment);
    if (page != arena->pages) {
        return take_at(heap, arena, page, request->most, request, fresh);
    }
    if (request->alignment == HY_PAGE_SIZE) {
        arena->longest = request->most - 1;
    }
    return NULL;
}

typedef hy__pool *take_fn(hy__heap *heap, hy__arena *arena, const hy__page_request *request,
                          size_t *fresh);

/* How many arenas of a bucket are looked at before the next bucket is; and of all, for dirty pages: what is
 * touched instead costs less than a longer search. */
#define ARENAS_TRIED 8
#define DIRTY_TRIED  8

/* From the first of the arenas that can serve, the fullest first, `tries` of each bucket at most, and
 * `all` of all. */
static hy__pool *take_from_arenas(hy__heap *heap, const hy__page_request *request, size_t *fresh,
                                  uint32_t tries, uint32_t all, take_fn *take)
{
    for (uint64_t buckets = heap->bucket_bits; buckets != 0; buckets &= buckets - 1) {
        hy__arena *arena = heap->buckets[__builtin_ctzll(buckets)];
        for (uint32_t left = tries; arena != NULL && left > 0 && all > 0; left--, all--) {
            hy__arena *const next = arena->next;
            hy__pool *const pool = take(heap, arena, request, fresh);
            if (pool != NULL) {
                return pool;
            }
            arena = next;
        }
    }
    return NULL;
}

/* Bytes that are touched right after the request. */
static size_t soon_touched(const hy__page_request *request)
{
    return request->is_run ? (size_t)request->most << HY__PAGE_SHIFT : HY_PAGE_SIZE;
}

/*
 * A pool of pages, first page aligned. Dirty pages serve first, if there are `least` of them in a row
 * at least; then any `most` pages of the fullest arena that has them; then those of a new arena. Its
 * class is not set. `fresh`: how many of the pages were never touched, or purged since: they read as
 * zero. NULL if and only if there is no memory: before, each arena is looked at, after all that was
 * kept for later has gone (hy__span_map).
 */
hy__pool *hy__pages_take(hy__heap *heap, const hy__page_request *request, size_t *fresh)
{
    hy__pool *pool = NULL;
    if (heap->dirty_pages >= request->least) {
        pool = take_from_arenas(heap, request, fresh, ARENAS_TRIED, DIRTY_TRIED, take_dirty);
    }
    if (pool != NULL || request->only_dirty) {
        return pool;
    }
    if (hy__growth_gathers(heap, soon_touched(request))) {
        pool = take_from_arenas(heap, request, fresh, ARENAS_TRIED, DIRTY_TRIED, take_dirty);
    }
    if (pool == NULL) {
        pool = take_from_arenas(heap, request, fresh, ARENAS_TRIED, UINT32_MAX, take_any);
    }
    if (pool == NULL) {
        hy__arena *const arena = hy__arena_new(heap);
        pool = arena != NULL
                   ? take_any(heap, arena, request, fresh)
                   : take_from_arenas(heap, request, fresh, UINT32_MAX, UINT32_MAX, take_any);
    }
    if (pool != NULL && *fresh != 0) {
        hy__growth_makes_room(heap, request->is_run ? 0 : HY_PAGE_SIZE);
    }
    return pool;
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
    const size_t fresh = more - occupy(heap, arena, end, more, pool->number);
    pool->pages = (uint16_t)pages;
    heap->resident_pages += fresh;
    hy__arena_relist(heap, arena);
    hy__purge_regret(heap, fresh << HY__PAGE_SHIFT);
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
