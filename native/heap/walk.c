/*
 * walk.c: all memory of a heap in address order, run by run and pool by pool.
 */
#include "heap/bitrun.h"
#include "heap/internal.h"
#include "heap/peek.h"

typedef struct heap_walk {
    hy__heap *heap;
    hy_walk_fn *visit;
    void *context;
    uint32_t span;
} heap_walk;

static int show(const heap_walk *walk, const void *address, size_t size, hy_block_state state)
{
    if (size == 0) {
        return 0;
    }
    const hy_block block = {.address = address, .size = size, .state = state, .span = walk->span};
    return walk->visit(walk->context, &block);
}

static int walk_pool(const heap_walk *walk, const hy__arena *arena, const hy__pool *pool)
{
    const char *const start = arena->span.address + pool->offset;
    const size_t bytes = (size_t)pool->pages << HY__PAGE_SHIFT;
    uint64_t is_free[HY__BLOCK_WORDS];
    if (pool->size_class == HY__RUN_CLASS) {
        return show(walk, start, bytes, HY_BLOCK_LIVE);
    }
    if (!hy__pool_free_blocks(walk->heap, pool, is_free)) {
        hy__misuse(HY_MISUSE_CORRUPTED, "heap", start, "(free list of a pool)");
        return 0;
    }
    const size_t size = walk->heap->classes[pool->size_class].block_size;
    for (size_t i = 0; i < pool->carved; i++) {
        const bool freed = is_free[i / 64] >> (i % 64) & 1;
        const int stop = show(walk, start + i * size, size, freed ? HY_BLOCK_FREE : HY_BLOCK_LIVE);
        if (stop != 0) {
            return stop;
        }
    }
    const size_t carved = pool->carved * size;
    return show(walk, start + carved, bytes - carved, HY_BLOCK_UNUSED);
}

static int walk_arena(const heap_walk *walk, const hy__arena *arena)
{
    const size_t header = (size_t)arena->header_pages << HY__PAGE_SHIFT;
    int stop = show(walk, arena->span.address, header, HY_BLOCK_METADATA);
    for (size_t page = arena->header_pages; stop == 0 && page < arena->pages;) {
        const hy__pool *const pool = hy__pool_at(arena, page << HY__PAGE_SHIFT);
        if (pool->size_class == HY__NO_CLASS) {
            const size_t end = hy__bits_find(arena->free_bits, page, arena->pages, false);
            stop = show(walk, arena->span.address + (page << HY__PAGE_SHIFT),
                        (end - page) << HY__PAGE_SHIFT, HY_BLOCK_UNUSED);
            page = end;
        } else {
            stop = walk_pool(walk, arena, pool);
            page += pool->pages;
        }
    }
    return stop;
}

int hy_heap_walk(hy_heap *handle, hy_walk_fn *visit, void *context)
{
    hy__heap *const heap = hy__heap_of(handle);
    heap_walk walk = {.heap = heap, .visit = visit, .context = context};
    hy__flush_all(heap);
    hy__span_sort(heap);
    for (hy__span *span = heap->spans; span != NULL; span = span->next) {
        const int stop = span->heap != NULL ? walk_arena(&walk, hy__arena_of(span))
                                            : show(&walk, span->address, span->size, HY_BLOCK_LIVE);
        if (stop != 0) {
            return stop;
        }
        walk.span++;
    }
    return 0;
}

/* ---- pools -------------------------------------------------------------------------------------- */

static hy_heap_pool_state state_of(const hy__pool *pool, uint32_t live)
{
    if (pool->size_class == HY__RUN_CLASS) {
        return HY_HEAP_POOL_BLOCK;
    }
    if (live == 0) {
        return HY_HEAP_POOL_EMPTY;
    }
    return live == pool->capacity ? HY_HEAP_POOL_FULL : HY_HEAP_POOL_USED;
}

static hy_heap_pool describe(const hy__heap *heap, const hy__arena *arena, const hy__pool *pool)
{
    const size_t bytes = (size_t)pool->pages << HY__PAGE_SHIFT;
    const bool is_run = pool->size_class == HY__RUN_CLASS;
    const uint32_t live = pool->out;
    return (hy_heap_pool){
        .address = arena->span.address + pool->offset,
        .arena = arena->span.address,
        .size = bytes,
        .block_size = is_run ? bytes : heap->classes[pool->size_class].block_size,
        .size_class = is_run ? HY_HEAP_CLASSES : pool->size_class,
        .state = state_of(pool, live),
        .capacity = pool->capacity,
        .carved = pool->carved,
        .live = live,
        .purged = (uint32_t)__builtin_popcount(pool->purged),
    };
}

static int walk_arena_pools(const hy__heap *heap, const hy__arena *arena, hy_heap_pool_fn *visit,
                            void *context)
{
    for (size_t page = arena->header_pages; page < arena->pages;) {
        const hy__pool *const pool = hy__pool_at(arena, page << HY__PAGE_SHIFT);
        if (pool->size_class == HY__NO_CLASS) {
            page = hy__bits_find(arena->free_bits, page, arena->pages, false);
            continue;
        }
        const hy_heap_pool shown = describe(heap, arena, pool);
        const int stop = visit(context, &shown);
        if (stop != 0) {
            return stop;
        }
        page += pool->pages;
    }
    return 0;
}

static int show_large(const hy__span *span, hy_heap_pool_fn *visit, void *context)
{
    const hy_heap_pool shown = {
        .address = span->address,
        .size = span->size,
        .block_size = span->size,
        .size_class = HY_HEAP_CLASSES,
        .state = HY_HEAP_POOL_BLOCK,
        .capacity = 1,
        .carved = 1,
        .live = 1,
    };
    return visit(context, &shown);
}

int hy__heap_peek_pools(hy_heap *handle, hy_heap_pool_fn *visit, void *context)
{
    hy__heap *const heap = hy__heap_of(handle);
    hy__span_sort(heap);
    for (hy__span *span = heap->spans; span != NULL; span = span->next) {
        const int stop = span->heap != NULL
                             ? walk_arena_pools(heap, hy__arena_of(span), visit, context)
                             : show_large(span, visit, context);
        if (stop != 0) {
            return stop;
        }
    }
    return 0;
}

int hy_heap_walk_pools(hy_heap *handle, hy_heap_pool_fn *visit, void *context)
{
    hy__flush_all(hy__heap_of(handle));
    return hy__heap_peek_pools(handle, visit, context);
}
