/*
 * arena_list.c: arenas made, deleted, and kept in buckets by their free pages.
 *
 *     bucket   0  1  2 ...                  62   63
 *              fullest ----------------->        no pool at all
 *
 * New pools come from the first bucket that has an arena with room. An arena without a free page is
 * in no bucket.
 */
#include "heap/bitrun.h"
#include "heap/internal.h"

#include <string.h>

uintptr_t hy__arena_seal(const hy__arena *arena)
{
    const uintptr_t odd = (uintptr_t)0x9e3779b97f4a7c15U;
    uintptr_t seal = (uintptr_t)arena * odd;
    seal = (seal ^ (uintptr_t)arena->span.owner) * odd;
    seal = (seal ^ (uintptr_t)arena->pools) * odd;
    return (seal ^ (uintptr_t)arena->pool_of ^ (uintptr_t)arena->free_bits ^
            (uintptr_t)arena->dirty_bits * 3) *
           odd;
}

/* Where an arena belongs. */
unsigned hy__arena_bucket(const hy__arena *arena)
{
    const uint32_t usable = arena->pages - arena->header_pages;
    if (arena->free_pages == 0) {
        return HY__ARENA_BUCKETS;
    }
    if (arena->pool_count == 0) {
        return HY__ARENA_BUCKETS - 1;
    }
    return (unsigned)((uint64_t)arena->free_pages * (HY__ARENA_BUCKETS - 2) / usable);
}

void hy__arena_unlist(hy__heap *heap, hy__arena *arena)
{
    const unsigned bucket = arena->bucket;
    if (bucket == HY__ARENA_BUCKETS) {
        return;
    }
    if (arena->previous != NULL) {
        arena->previous->next = arena->next;
    } else {
        heap->buckets[bucket] = arena->next;
    }
    if (arena->next != NULL) {
        arena->next->previous = arena->previous;
    }
    if (heap->buckets[bucket] == NULL) {
        heap->bucket_bits &= ~((uint64_t)1 << bucket);
    }
    arena->bucket = HY__ARENA_BUCKETS;
}

/* Put an arena whose free pages have changed where it belongs. O(1). */
void hy__arena_relist(hy__heap *heap, hy__arena *arena)
{
    const unsigned bucket = hy__arena_bucket(arena);
    if (bucket == arena->bucket) {
        return;
    }
    hy__arena_unlist(heap, arena);
    arena->bucket = bucket;
    if (bucket == HY__ARENA_BUCKETS) {
        return;
    }
    arena->previous = NULL;
    arena->next = heap->buckets[bucket];
    if (arena->next != NULL) {
        arena->next->previous = arena;
    }
    heap->buckets[bucket] = arena;
    heap->bucket_bits |= (uint64_t)1 << bucket;
}

/* Where the parts of the header lie, in bytes from the arena's start. */
typedef struct header_plan {
    size_t free_bits;
    size_t dirty_bits;
    size_t pool_of;
    size_t pools;
    size_t pages;
} header_plan;

static header_plan plan_header(size_t arena_size)
{
    const size_t pages = arena_size >> HY__PAGE_SHIFT;
    header_plan plan;
    plan.pool_of = offsetof(hy__arena, class_of) + pages;
    plan.free_bits = hy__round_up(plan.pool_of + pages * sizeof(uint16_t), 64);
    plan.dirty_bits = plan.free_bits + pages / 8;
    plan.pools = hy__round_up(plan.dirty_bits + pages / 8, 64);
    /* At most one pool for each page behind the header, and number 0. */
    const size_t end = plan.pools + pages * sizeof(hy__pool);
    plan.pages = hy__round_up(end, HY_PAGE_SIZE) >> HY__PAGE_SHIFT;
    return plan;
}

/* Write the header. Fresh pages are zero: only what is not zero is touched. */
static void write_header(hy__heap *heap, hy__arena *arena)
{
    const header_plan plan = plan_header(heap->arena_size);
    char *const base = (char *)arena;
    *arena = (hy__arena){
        .span = {.heap = heap, .owner = heap, .address = base, .size = heap->arena_size},
        .free_bits = (uint64_t *)(void *)(base + plan.free_bits),
        .dirty_bits = (uint64_t *)(void *)(base + plan.dirty_bits),
        .pool_of = (uint16_t *)(void *)(base + plan.pool_of),
        .pools = (hy__pool *)(void *)(base + plan.pools),
        .pages = (uint32_t)(heap->arena_size >> HY__PAGE_SHIFT),
        .header_pages = (uint32_t)plan.pages,
        .bucket = HY__ARENA_BUCKETS,
    };
    arena->free_pages = arena->pages - arena->header_pages;
    arena->longest = arena->free_pages;
    hy__bits_put(arena->free_bits, arena->header_pages, arena->free_pages, true);
    memset(arena->class_of, HY__NO_CLASS, arena->pages);
    arena->pools[0].size_class = HY__NO_CLASS;
    arena->pools[0].free = (hy_heap_link *)(void *)arena;
    arena->seal = hy__arena_seal(arena);
}

/* A new, empty arena, listed. NULL if and only if there is no memory. */
hy__arena *hy__arena_new(hy__heap *heap)
{
    hy__arena *const arena = hy__span_map(heap, heap->arena_size, heap->arena_size);
    if (arena == NULL) {
        return NULL;
    }
    if (heap->flags & HY_HEAP_HUGE_PAGES && heap->source == hy_pages_mmap()) {
        hy_pages_advise_huge(arena, heap->arena_size);
    }
    write_header(heap, arena);
    if (!hy__span_enter(heap, &arena->span)) {
        hy__span_unmap(heap, arena, heap->arena_size);
        return NULL;
    }
    const size_t header = (size_t)arena->header_pages << HY__PAGE_SHIFT;
    hy__mark_unaddressable((char *)arena + header, heap->arena_size - header);
    heap->arena_count++;
    heap->header_bytes += header;
    heap->empty_arenas++;
    hy__arena_relist(heap, arena);
    return arena;
}

/* Give an arena without pools back to the page source. */
void hy__arena_delete(hy__heap *heap, hy__arena *arena)
{
    hy__arena_unlist(heap, arena);
    heap->given_back += (size_t)arena->dirty_pages << HY__PAGE_SHIFT;
    hy__purge_note(heap, arena, 0, arena->pages, false);
    hy__span_leave(heap, &arena->span);
    heap->empty_arenas--;
    heap->arena_count--;
    heap->header_bytes -= (size_t)arena->header_pages << HY__PAGE_SHIFT;
    hy__span_unmap(heap, arena, heap->arena_size);
}
