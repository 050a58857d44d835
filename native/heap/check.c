/*
 * check.c: every invariant of the structure.
 */
#include "heap/bitrun.h"
#include "heap/internal.h"
#include "heap/pool.h"

static const hy_check_result sound = {.code = HY_HEAP_CHECK_SOUND};

static hy_check_result broken(hy_heap_check_code code, const void *address)
{
    return (hy_check_result){.code = code, .address = address};
}

const char *hy_heap_check_text(uint32_t code)
{
#define CHECK_TEXT(name, text) text,
    static const char *const texts[] = {HY_HEAP_CHECKS(CHECK_TEXT)};
#undef CHECK_TEXT
    return code < sizeof texts / sizeof texts[0] ? texts[code] : "unknown";
}

/* What is added up on the way, to be held against the heap's totals. */
typedef struct heap_sums {
    size_t out[HY_HEAP_CLASSES];
    size_t pools[HY_HEAP_CLASSES];
    size_t full[HY_HEAP_CLASSES];
    size_t run_bytes;
    size_t large_bytes;
    size_t span_bytes;
    size_t dirty_pages;
    size_t lazy_pages;
    size_t resident_pages;
    size_t dirty_arenas;
    size_t listed_arenas;
} heap_sums;

/* ---- pools -------------------------------------------------------------------------------------- */

static bool is_in_list(const hy__pool *list, const hy__pool *pool)
{
    while (list != NULL && list != pool) {
        list = list->next;
    }
    return list != NULL;
}

static hy_check_result check_pool(const hy__heap *heap, const hy__arena *arena,
                                  const hy__pool *pool, heap_sums *sums)
{
    const char *const start = arena->span.address + pool->offset;
    const hy__class *const class = &heap->classes[pool->size_class];
    const size_t bytes = (size_t)pool->pages << HY__PAGE_SHIFT;
    uint64_t is_free[HY__BLOCK_WORDS];
    if (pool->pages > HY__MAX_POOL_PAGES || pool->capacity != bytes / class->block_size ||
        pool->capacity == 0) {
        return broken(HY_HEAP_CHECK_POOL_BOUNDS, start);
    }
    if (pool->carved > pool->capacity || pool->out + pool->purged_count > pool->carved) {
        return broken(HY_HEAP_CHECK_POOL_COUNT, start);
    }
    if (!hy__pool_free_blocks(heap, pool, is_free)) {
        return broken(HY_HEAP_CHECK_FREE_LIST, start);
    }
    size_t marked = 0;
    for (size_t i = 0; i < (size_t)(pool->carved + 63) / 64; i++) {
        marked += (size_t)__builtin_popcountll(is_free[i]);
    }
    if (marked + pool->out != pool->carved) {
        return broken(HY_HEAP_CHECK_POOL_COUNT, start);
    }
    const bool is_full = pool->out == pool->capacity;
    if (pool->listed != (!is_full && pool != class->empty) ||
        (pool->listed && pool->previous == NULL && class->pools != pool) ||
        (pool == class->empty && pool->out != 0)) {
        return broken(HY_HEAP_CHECK_POOL_LIST, start);
    }
    sums->resident_pages += (size_t)__builtin_popcountll(hy__pool_touched(heap, pool));
    sums->out[pool->size_class] += pool->out;
    sums->pools[pool->size_class]++;
    sums->full[pool->size_class] += is_full;
    return sound;
}

/* ---- arenas ------------------------------------------------------------------------------------- */

static uint32_t page_map(const hy__heap *heap, const hy__pool *pool, size_t page)
{
    if (pool->size_class == HY__RUN_CLASS) {
        return HY__PAGE(pool->number, 0, HY__NO_CLASS);
    }
    const bool plain =
        pool->size_class < HY__BIG_CLASS && hy__pool_is_plain(heap, pool, (unsigned)page);
    return HY__PAGE(pool->number, page, plain ? pool->size_class : HY__NO_CLASS);
}

static hy_check_result check_pages(const hy__heap *heap, const hy__arena *arena, heap_sums *sums)
{
    uint32_t pools = 0;
    for (size_t page = arena->header_pages; page < arena->pages;) {
        const char *const address = arena->span.address + (page << HY__PAGE_SHIFT);
        const uint32_t number = HY__PAGE_NUMBER(arena->page_map[page]);
        if (number > arena->pool_high || (number == 0) != hy__bits_get(arena->free_bits, page) ||
            (number == 0 && arena->page_map[page] != HY__PAGE(0, 0, HY__NO_CLASS))) {
            return broken(HY_HEAP_CHECK_PAGE_MAP, address);
        }
        if (number == 0) {
            page++;
            continue;
        }
        const hy__pool *const pool = &arena->pools[number];
        if (pool->number != number || pool->offset != page << HY__PAGE_SHIFT || pool->pages == 0 ||
            pool->pages > arena->pages - page || pool->size_class > HY__RUN_CLASS) {
            return broken(HY_HEAP_CHECK_POOL_BOUNDS, address);
        }
        for (size_t i = 0; i < pool->pages; i++) {
            const uint32_t map = arena->page_map[page + i];
            const bool is_big = pool->size_class >= HY__BIG_CLASS;
            if ((map != page_map(heap, pool, i) &&
                 !(is_big && map == HY__PAGE(number, i, pool->size_class))) ||
                hy__bits_get(arena->free_bits, page + i) ||
                hy__bits_get(arena->dirty_bits, page + i)) {
                return broken(HY_HEAP_CHECK_PAGE_MAP, address + (i << HY__PAGE_SHIFT));
            }
        }
        if (pool->size_class == HY__RUN_CLASS) {
            sums->run_bytes += (size_t)pool->pages << HY__PAGE_SHIFT;
            sums->resident_pages += pool->pages;
        } else {
            const hy_check_result result = check_pool(heap, arena, pool, sums);
            if (result.code != HY_HEAP_CHECK_SOUND) {
                return result;
            }
        }
        pools++;
        page += pool->pages;
    }
    return pools == arena->pool_count ? sound : broken(HY_HEAP_CHECK_PAGE_MAP, arena);
}

static size_t count_bits(const uint64_t *words, size_t bits)
{
    size_t count = 0;
    for (size_t i = 0; i < bits / 64; i++) {
        count += (size_t)__builtin_popcountll(words[i]);
    }
    return count;
}

static bool are_among(const uint64_t *some, const uint64_t *all, size_t bits)
{
    uint64_t others = 0;
    for (size_t i = 0; i < bits / 64; i++) {
        others |= some[i] & ~all[i];
    }
    return others == 0;
}

static size_t longest_run(const hy__arena *arena)
{
    size_t longest = 0;
    size_t page = 0;
    while ((page = hy__bits_find(arena->free_bits, page, arena->pages, true)) < arena->pages) {
        const size_t end = hy__bits_find(arena->free_bits, page, arena->pages, false);
        longest = end - page > longest ? end - page : longest;
        page = end;
    }
    return longest;
}

static hy_check_result check_arena(const hy__heap *heap, const hy__arena *arena, heap_sums *sums)
{
    if (arena->span.owner != heap || arena->seal != hy__arena_seal(arena) ||
        arena->pages != heap->arena_size >> HY__PAGE_SHIFT || arena->huge > 1) {
        return broken(HY_HEAP_CHECK_ARENA_HEADER, arena);
    }
    if (arena->free_pages != count_bits(arena->free_bits, arena->pages) ||
        arena->dirty_pages != count_bits(arena->dirty_bits, arena->pages) ||
        arena->lazy_pages != count_bits(arena->lazy_bits, arena->pages) ||
        !are_among(arena->lazy_bits, arena->dirty_bits, arena->pages)) {
        return broken(HY_HEAP_CHECK_PAGE_MAP, arena);
    }
    if (arena->bucket != hy__arena_bucket(arena) || arena->longest < longest_run(arena)) {
        return broken(HY_HEAP_CHECK_ARENA_ORDER, arena);
    }
    sums->listed_arenas += arena->bucket != HY__ARENA_BUCKETS;
    sums->dirty_pages += arena->dirty_pages;
    sums->lazy_pages += arena->lazy_pages;
    sums->resident_pages += arena->dirty_pages - arena->lazy_pages;
    sums->dirty_arenas += arena->dirty_pages != 0;
    return check_pages(heap, arena, sums);
}

/* Whether an arena can lie there: told without reading it. */
static bool is_arena(const void *address)
{
    return (const void *)hy__radix_get(address) == address;
}

/* Arenas with dirty pages, and no others, are in the list of these. */
static hy_check_result check_dirty_list(const hy__heap *heap, const heap_sums *sums)
{
    size_t listed = 0;
    const hy__arena *previous = NULL;
    for (const hy__arena *arena = heap->dirty_arenas; arena != NULL; arena = arena->next_dirty) {
        if (!is_arena(arena) || arena->previous_dirty != previous || arena->dirty_pages == 0) {
            return broken(HY_HEAP_CHECK_ARENA_ORDER, previous != NULL ? previous : arena);
        }
        previous = arena;
        listed++;
    }
    return listed == sums->dirty_arenas ? sound : broken(HY_HEAP_CHECK_ARENA_ORDER, heap);
}

static hy_check_result check_buckets(const hy__heap *heap, const heap_sums *sums)
{
    size_t listed = 0;
    for (unsigned bucket = 0; bucket < HY__ARENA_BUCKETS; bucket++) {
        const hy__arena *previous = NULL;
        if ((heap->buckets[bucket] != NULL) != (heap->bucket_bits >> bucket & 1)) {
            return broken(HY_HEAP_CHECK_ARENA_ORDER, heap);
        }
        for (const hy__arena *arena = heap->buckets[bucket]; arena != NULL; arena = arena->next) {
            if (!is_arena(arena) || arena->bucket != bucket || arena->previous != previous) {
                return broken(HY_HEAP_CHECK_ARENA_ORDER, arena);
            }
            previous = arena;
            listed++;
        }
    }
    return listed == sums->listed_arenas ? check_dirty_list(heap, sums)
                                         : broken(HY_HEAP_CHECK_ARENA_ORDER, heap);
}

/* ---- the rest ----------------------------------------------------------------------------------- */

static bool is_record(const hy__heap *heap, const hy__span *span)
{
    for (const hy__record_page *page = heap->record_pages; page != NULL; page = page->next) {
        const size_t offset = (size_t)((const char *)span - (const char *)page);
        if (offset < HY_PAGE_SIZE) {
            return offset % sizeof(hy__large) == 0;
        }
    }
    return false;
}

/* Whether a span's description can lie there: told without reading it. */
static bool is_span(const hy__heap *heap, const hy__span *span)
{
    return is_arena(span) || is_record(heap, span);
}

static hy_check_result check_span(const hy__heap *heap, hy__span *span, heap_sums *sums)
{
    if (span->owner != heap || (span->heap != NULL && span->heap != heap)) {
        return broken(HY_HEAP_CHECK_ARENA_HEADER, span);
    }
    for (size_t offset = 0; offset < span->size; offset += HY_HEAP_MIN_ARENA_SIZE) {
        if (hy__radix_get(span->address + offset) != span) {
            return broken(HY_HEAP_CHECK_RADIX, span->address + offset);
        }
    }
    sums->span_bytes += span->size;
    if (span->heap != NULL) {
        return check_arena(heap, hy__arena_of(span), sums);
    }
    const hy__large *const large = hy__large_of(span);
    sums->large_bytes += span->size;
    return span->owner == heap && large->requested <= span->size
               ? sound
               : broken(HY_HEAP_CHECK_LARGE_BLOCK, span->address);
}

static hy_check_result check_cached(hy__heap *heap, unsigned size_class, const hy_heap_link *link,
                                    uint32_t count)
{
    for (; count > 0; count--, link = link->next) {
        const hy__span *const span = link != NULL ? hy__radix_get(link) : NULL;
        if (span == NULL || span->heap != heap) {
            return broken(HY_HEAP_CHECK_CACHE, link);
        }
        const hy__arena *const arena = (const hy__arena *)(const void *)span;
        const size_t offset = (uintptr_t)link & heap->window.mask;
        const hy__found found = {.pool = hy__pool_at(arena, offset)};
        if (!hy__found_fits_class(heap, &found, size_class) ||
            hy__pool_has_purged(heap, found.pool, link)) {
            return broken(HY_HEAP_CHECK_CACHE, link);
        }
        const size_t within = offset - found.pool->offset;
        const hy_heap_bin *const bin = &heap->window.bins[found.pool->size_class];
        if (!hy__is_block_start(bin, within)) {
            return broken(HY_HEAP_CHECK_CACHE, link);
        }
        if (!hy__link_fits(heap, link)) {
            return broken(HY_HEAP_CHECK_FREE_LIST, link);
        }
    }
    return link == NULL ? sound : broken(HY_HEAP_CHECK_CACHE, link);
}

static hy_check_result check_class(hy__heap *heap, unsigned size_class, const heap_sums *sums)
{
    const hy__class *const class = &heap->classes[size_class];
    const hy_check_result result = check_cached(
        heap, size_class, heap->window.bins[size_class].head, hy__cache_count(heap, size_class));
    if (result.code != HY_HEAP_CHECK_SOUND) {
        return result;
    }
    if (hy__class_out(heap, size_class) != sums->out[size_class] ||
        class->pool_count != sums->pools[size_class] ||
        class->full_count != sums->full[size_class]) {
        return broken(HY_HEAP_CHECK_POOL_COUNT, class);
    }
    if (class->empty != NULL && is_in_list(class->pools, class->empty)) {
        return broken(HY_HEAP_CHECK_POOL_LIST, class->empty);
    }
    return sound;
}

static size_t other_bytes(const hy__heap *heap)
{
    size_t bytes = hy__round_up(sizeof *heap, HY_PAGE_SIZE) + heap->spare_bytes;
    for (const hy__record_page *page = heap->record_pages; page != NULL; page = page->next) {
        bytes += HY_PAGE_SIZE;
    }
    return bytes;
}

static hy_check_result check_totals(const hy__heap *heap, const heap_sums *sums)
{
    const bool adds_up =
        sums->span_bytes + other_bytes(heap) == heap->mapped_bytes &&
        sums->run_bytes == heap->run_bytes && sums->large_bytes == heap->large_bytes &&
        sums->dirty_pages == heap->dirty_pages && sums->lazy_pages == heap->lazy_pages &&
        sums->resident_pages == heap->resident_pages;
    return adds_up ? sound : broken(HY_HEAP_CHECK_TOTAL, heap);
}

hy_check_result hy_heap_check(hy_heap *handle)
{
    hy__heap *const heap = hy__heap_of(handle);
    heap_sums sums = {.run_bytes = 0};
    hy__late_end(heap);
    const hy__span *previous = NULL;
    for (hy__span *span = heap->spans; span != NULL; span = span->next) {
        if (!is_span(heap, span) || span->previous != previous) {
            return broken(HY_HEAP_CHECK_ARENA_HEADER, previous != NULL ? previous : span);
        }
        previous = span;
        const hy_check_result result = check_span(heap, span, &sums);
        if (result.code != HY_HEAP_CHECK_SOUND) {
            return result;
        }
    }
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        const hy_check_result result = check_class(heap, size_class, &sums);
        if (result.code != HY_HEAP_CHECK_SOUND) {
            return result;
        }
    }
    const hy_check_result result = check_buckets(heap, &sums);
    return result.code == HY_HEAP_CHECK_SOUND ? check_totals(heap, &sums) : result;
}
