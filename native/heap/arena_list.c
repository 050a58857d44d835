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

#define HUGE_PAGE ((size_t)2 << 20)

uintptr_t hy__arena_seal(const hy__arena *arena)
{
    const uintptr_t odd = (uintptr_t)0x9e3779b97f4a7c15U;
    uintptr_t seal = (uintptr_t)arena * odd;
    seal = (seal ^ (uintptr_t)arena->span.owner) * odd;
    seal = (seal ^ (uintptr_t)arena->pools) * odd;
    return (seal ^ (uintptr_t)arena->free_bits ^ (uintptr_t)arena->dirty_bits * 3 ^
            (uintptr_t)arena->lazy_bits * 5) *
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
    size_t lazy_bits;
    size_t pools;
    size_t pages;
} header_plan;

static header_plan plan_header(size_t arena_size, size_t colour)
{
    const size_t pages = arena_size >> HY__PAGE_SHIFT;
    header_plan plan;
    plan.free_bits = hy__round_up(offsetof(hy__arena, page_map) + pages * sizeof(uint32_t), 64);
    plan.dirty_bits = plan.free_bits + pages / 8;
    plan.lazy_bits = plan.dirty_bits + pages / 8;
    plan.pools = hy__round_up(plan.lazy_bits + pages / 8, 64);
    /* At most one pool for each page behind the header, and number 0. */
    const size_t end = colour + plan.pools + pages * sizeof(hy__pool);
    plan.pages = hy__round_up(end, HY_PAGE_SIZE) >> HY__PAGE_SHIFT;
    return plan;
}

/* Write the header. Fresh pages are zero: only what is not zero is touched. */
static hy__arena *write_header(hy__heap *heap, char *address)
{
    hy__arena *const arena = hy__arena_at(heap, address);
    char *const base = (char *)arena;
    const header_plan plan = plan_header(heap->arena_size, (size_t)(base - address));
    *arena = (hy__arena){
        .span = {.heap = heap, .owner = heap, .address = address, .size = heap->arena_size},
        .free_bits = (uint64_t *)(void *)(base + plan.free_bits),
        .dirty_bits = (uint64_t *)(void *)(base + plan.dirty_bits),
        .lazy_bits = (uint64_t *)(void *)(base + plan.lazy_bits),
        .pools = (hy__pool *)(void *)(base + plan.pools),
        .pages = (uint32_t)(heap->arena_size >> HY__PAGE_SHIFT),
        .header_pages = (uint32_t)plan.pages,
        .bucket = HY__ARENA_BUCKETS,
    };
    arena->free_pages = arena->pages - arena->header_pages;
    arena->longest = arena->free_pages;
    hy__bits_put(arena->free_bits, arena->header_pages, arena->free_pages, true);
    for (size_t page = 0; page < arena->pages; page++) {
        arena->page_map[page] = HY__PAGE(0, 0, HY__NO_CLASS);
    }
    arena->pools[0].size_class = HY__NO_CLASS;
    arena->pools[0].free = (hy_heap_link *)(void *)arena;
    arena->seal = hy__arena_seal(arena);
    return arena;
}

/* Whether an arena without a pool should be of huge pages. */
static bool wants_huge(const hy__heap *heap)
{
    return heap->source == hy_pages_mmap() && heap->arena_size >= HUGE_PAGE &&
           !(heap->flags & HY_HEAP_SMALL_PAGES) &&
           (heap->flags & HY_HEAP_HUGE_PAGES || heap->mapped_bytes >= HY_HEAP_HUGE_FROM);
}

/* An arena without a pool is about to be used. */
void hy__arena_begin(const hy__heap *heap, hy__arena *arena)
{
    if (!arena->huge && wants_huge(heap)) {
        arena->huge = true;
        hy_pages_advise_huge(arena->span.address, arena->span.size, true);
    }
}

/* Some of its pages will go: the kernel must not make huge ones of the rest again, and with them fill
 * these. Free pages that no pool has had may be in memory all the same: they are dirty from now on. */
void hy__arena_split(hy__heap *heap, hy__arena *arena)
{
    if (!arena->huge) {
        return;
    }
    arena->huge = false;
    hy_pages_advise_huge(arena->span.address, arena->span.size, false);
    heap->resident_pages += arena->free_pages - arena->dirty_pages;
    for (size_t page = arena->header_pages;
         (page = hy__bits_find(arena->free_bits, page, arena->pages, true)) < arena->pages;) {
        const size_t end = hy__bits_find(arena->free_bits, page, arena->pages, false);
        hy__purge_note(heap, arena, page, end - page, true);
        page = end;
    }
}

/* A new, empty arena, listed. NULL if and only if there is no memory. */
hy__arena *hy__arena_new(hy__heap *heap)
{
    char *const address = hy__span_map(heap, heap->arena_size, heap->arena_size);
    if (address == NULL) {
        return NULL;
    }
    const bool huge = wants_huge(heap);
    if (huge) {
        hy_pages_advise_huge(address, heap->arena_size, true);
    }
    hy__arena *const arena = write_header(heap, address);
    arena->huge = huge;
    if (!hy__span_enter(heap, &arena->span)) {
        hy__span_unmap(heap, address, heap->arena_size);
        return NULL;
    }
    const size_t header = (size_t)arena->header_pages << HY__PAGE_SHIFT;
    hy__hide(heap, address + header, heap->arena_size - header);
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
    const size_t dirty = (size_t)arena->dirty_pages << HY__PAGE_SHIFT;
    heap->returned += dirty;
    heap->resident_pages -= arena->dirty_pages;
    hy__purge_note_given_back(heap, dirty);
    hy__purge_note(heap, arena, 0, arena->pages, false);
    hy__span_leave(heap, &arena->span);
    heap->empty_arenas--;
    heap->arena_count--;
    heap->header_bytes -= (size_t)arena->header_pages << HY__PAGE_SHIFT;
    hy__span_unmap(heap, arena->span.address, heap->arena_size);
}
