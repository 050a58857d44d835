/*
 * internal.h: what the files of the heap call of each other. From the bottom up:
 *
 *     span -> arena (pages) -> pool (blocks) -> cache -> heap, free, realloc (requests)
 *             large                                      walk, check, trim, counters
 */
#ifndef HEAPYARD_HEAP_INTERNAL_H
#define HEAPYARD_HEAP_INTERNAL_H

#include "base/assert.h"
#include "base/count.h"
#include "base/misuse.h"
#include "heap/classes.h"
#include "heap/layout.h"
#include "heap/radix.h"

/* span.c */
void *hy__span_map(hy__heap *heap, size_t size, size_t alignment);
void hy__span_unmap(hy__heap *heap, void *address, size_t size);
void hy__span_count(hy__heap *heap, size_t before, size_t after);
bool hy__span_enter(hy__heap *heap, hy__span *span);
void hy__span_leave(hy__heap *heap, hy__span *span);
void hy__span_sort(hy__heap *heap);

/* arena.c: pages out of arenas */
typedef struct hy__page_request {
    unsigned most;    /* pages */
    unsigned least;   /* dirty ones that will do instead */
    size_t alignment; /* of the first page */
    bool is_run;      /* one block: all pages count as touched */
    bool only_dirty;  /* or none */
} hy__page_request;
hy__pool *hy__pages_take(hy__heap *heap, const hy__page_request *request, size_t *fresh);
void hy__pages_give(hy__heap *heap, hy__pool *pool, uint64_t touched_pages);
bool hy__pages_extend(hy__heap *heap, hy__pool *pool, unsigned pages);
void hy__pages_shorten(hy__heap *heap, hy__pool *pool, unsigned pages);
uintptr_t hy__arena_seal(const hy__arena *arena);

/* arena_list.c: which arena serves next, which goes */
void hy__arena_relist(hy__heap *heap, hy__arena *arena);
void hy__arena_unlist(hy__heap *heap, hy__arena *arena);
unsigned hy__arena_bucket(const hy__arena *arena);
hy__arena *hy__arena_new(hy__heap *heap);
void hy__arena_delete(hy__heap *heap, hy__arena *arena);
void hy__arena_begin(const hy__heap *heap, hy__arena *arena);
void hy__arena_split(hy__heap *heap, hy__arena *arena);

/* purge.c: dirty pages */
void hy__purge_note(hy__heap *heap, hy__arena *arena, size_t first, size_t count, bool dirty);
void hy__purge_as_due(hy__heap *heap);
size_t hy__purge_dirty_bytes(const hy__heap *heap);
size_t hy__purge_held_bytes(const hy__heap *heap);
size_t hy__purge_down_to(hy__heap *heap, size_t left, bool huge_too);
size_t hy__purge_range(hy__heap *heap, hy__arena *arena, size_t offset, size_t size);
void hy__purge_regret(hy__heap *heap, size_t bytes);
void hy__purge_note_given_back(hy__heap *heap, size_t bytes);
unsigned hy__purge_empty_arenas_kept(const hy__heap *heap);
void hy__purge_set_up(hy__heap *heap, const hy_heap_config *config);
void hy__purge_forget(hy__heap *heap);

/* lazy.c: dirty pages that the kernel may take */
void hy__lazy_take_back(hy__heap *heap, hy__arena *arena, size_t first, size_t count);
void hy__lazy_free_down_to(hy__heap *heap, size_t left);

/* growth.c */
bool hy__growth_gathers(hy__heap *heap, size_t bytes);
void hy__growth_makes_room(hy__heap *heap, size_t bytes);

/* pool.c */
hy__pool *hy__pool_for(hy__heap *heap, unsigned size_class);
hy_heap_link *hy__pool_take(hy__heap *heap, hy__pool *pool, uint32_t *count, uint32_t most);
void hy__pool_put_back(hy__heap *heap, hy__pool *pool, hy_heap_link *head, uint32_t count);
void hy__pool_turn(hy__heap *heap, hy__pool *pool);
void hy__pool_drop_empty(hy__heap *heap, unsigned size_class);
void hy__pool_purge(hy__heap *heap, hy__pool *pool);
bool hy__pool_free_blocks(const hy__heap *heap, const hy__pool *pool, uint64_t *is_free);
bool hy__pool_has_purged(const hy__heap *heap, const hy__pool *pool, const void *block);
bool hy__pool_is_free(const hy__heap *heap, const hy__pool *pool, const void *block);

/* cache.c */
void *hy__cache_refill(hy__heap *heap, unsigned size_class);
void hy__cache_put(hy__heap *heap, unsigned size_class, hy_heap_link *block);
void hy__cache_take(hy__heap *heap, unsigned size_class, hy_heap_link *block);
void hy__cache_set(hy__heap *heap, unsigned size_class, hy_heap_link *head, uint32_t count,
                   uint32_t cap);
void hy__cache_pass(hy__heap *heap, hy__pool *pool, hy_heap_link *block);
bool hy__cache_holds(const hy__heap *heap, unsigned size_class, const void *block);
uint32_t hy__cache_count(const hy__heap *heap, unsigned size_class);

/* flush.c: caches are emptied */
void hy__flush(hy__heap *heap, const bool *which, bool closes);
void hy__flush_class(hy__heap *heap, unsigned size_class);
void hy__flush_all(hy__heap *heap);

/* late.c: frees past a full cache */
void hy__late_put(hy__heap *heap, hy__pool *pool, hy_heap_link *block);
void hy__late_finish(hy__heap *heap);
void hy__late_forget(hy__heap *heap, const hy__pool *pool);
uint32_t hy__late_count(const hy__heap *heap, unsigned size_class);

/* Whether the block's free is late. */
static inline bool hy__late_holds(const hy__heap *heap, const void *block)
{
    bool is_late = false;
    for (uint32_t i = 0; heap->late_next != 0 && i < HY__LATE; i++) {
        is_late |= heap->late[i].block == block;
    }
    return is_late;
}

/* No free is late from now on. */
static inline void hy__late_end(hy__heap *heap)
{
    if (__builtin_expect(heap->late_next != 0, 0)) {
        hy__late_finish(heap);
    }
}

/* drain.c */
void hy__drain_set_up(hy__heap *heap);
void hy__drain_note(hy__heap *heap, size_t bytes);
void hy__drain_note_refill(hy__heap *heap, const hy__class *class, uint32_t blocks);

/* Words of a bit for each block of any pool. */
#define HY__BLOCK_WORDS (HY_HEAP_MAX_POOL_SIZE / HY_HEAP_ALIGNMENT / 64)

/* find.c: whose block it is, and what is wrong with it */
typedef struct hy__found {
    hy__arena *arena; /* or */
    hy__large *large; /* or neither: misuse, and told */
    hy__pool *pool;   /* where arena is set */
} hy__found;
bool hy__find(hy__heap *heap, const void *block, hy__found *found);
bool hy__find_note_seen(hy__heap *heap, const void *block);
void hy__find_forget_all(hy__heap *heap);
bool hy__find_live(hy__heap *heap, const void *block, hy__found *found);
size_t hy__found_size(const hy__heap *heap, const hy__found *found);
size_t hy__found_usable(const hy__heap *heap, const hy__found *found, const void *block);
bool hy__found_fits_class(const hy__heap *heap, const hy__found *found, unsigned size_class);
bool hy__found_fits_size(const hy__heap *heap, const hy__found *found, size_t size);

/* large.c */
void *hy__large_new(hy__heap *heap, size_t size, size_t alignment, bool zero);
void hy__large_free(hy__heap *heap, hy__large *large);
void *hy__large_resize(hy__heap *heap, hy__large *large, size_t size);
size_t hy__large_drop_spares(hy__heap *heap);
void hy__large_free_spares_lazily(hy__heap *heap);

/* trim.c */
void hy__give_up_kept(hy__heap *heap);

/* heap.c, free.c: requests without counting failures */
void *hy__heap_take(hy__heap *heap, size_t asked, size_t alignment, bool zero);
void hy__heap_release(hy__heap *heap, const hy__found *found, void *block);

/* The bytes that a request takes: where a tool watches, a redzone follows, whose last word holds the
 * size that was asked for. */
static inline size_t hy__need(const hy__heap *heap, size_t size)
{
    return heap->annotating ? hy__round_up(size, HY_HEAP_ALIGNMENT) + HY__REDZONE : size;
}

static inline size_t *hy__asked(void *block, size_t block_size)
{
    return (size_t *)(void *)((char *)block + block_size - sizeof(size_t));
}

#endif /* HEAPYARD_HEAP_INTERNAL_H */
