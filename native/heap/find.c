/*
 * find.c: whose block it is, and what is wrong with it otherwise.
 *
 * All of it is told from the radix tree and the arena's header: what the pointer points to is read
 * only once it is known to be ours.
 */
#include "heap/internal.h"

static bool tell(hy_misuse_kind kind, const void *block, const char *detail)
{
    hy__misuse(kind, "heap", block, detail);
    return false;
}

static bool find_in_arena(hy__arena *arena, const void *block, hy__found *found)
{
    const size_t offset = (size_t)((const char *)block - arena->span.address);
    hy__pool *const pool = hy__pool_at(arena, offset);
    found->arena = arena;
    found->pool = pool;
    if (pool->size_class == HY__NO_CLASS) {
        const bool header = offset < (size_t)arena->header_pages << HY__PAGE_SHIFT;
        return header ? tell(HY_MISUSE_FOREIGN_POINTER, block, "(a header of the heap)")
                      : tell(HY_MISUSE_UNUSED_POINTER, block, NULL);
    }
    const size_t within = offset - pool->offset;
    if (pool->size_class == HY__RUN_CLASS) {
        return within == 0 || tell(HY_MISUSE_INTERIOR_POINTER, block, NULL);
    }
    const hy_heap_bin *const bin = &arena->span.heap->window.bins[pool->size_class];
    const size_t size = arena->span.heap->classes[pool->size_class].block_size;
    if (within >= pool->carved * size) {
        return tell(HY_MISUSE_UNUSED_POINTER, block, NULL);
    }
    return hy__is_block_start(bin, within) || tell(HY_MISUSE_INTERIOR_POINTER, block, NULL);
}

/* Enter the arena that the address lies in into the table of those seen lately. False where it lies in
 * no arena of the heap. */
bool hy__find_note_seen(hy__heap *heap, const void *block)
{
    hy__span *const span = hy__radix_get(block);
    if (span == NULL || span->heap != heap) {
        return false;
    }
    *hy__seen_for(heap, block) = (hy__seen){
        .base = (uintptr_t)span->address,
        .arena = hy__arena_of(span),
    };
    return true;
}

/* Empty that table: in each place stands an arena whose addresses lead to another place. */
void hy__find_forget_all(hy__heap *heap)
{
    for (uintptr_t i = 0; i < HY__SEEN_SIZE; i++) {
        heap->seen[i].base = (i ^ HY__SEEN_SIZE / 2) << HY__SEEN_SHIFT;
    }
}

/* The block that starts at the address. False, with misuse, where none does. It may be free. */
bool hy__find(hy__heap *heap, const void *block, hy__found *found)
{
    *found = (hy__found){.arena = NULL};
    hy__span *const span = hy__radix_get(block);
    if (span == NULL || span->owner != heap) {
        return tell(HY_MISUSE_FOREIGN_POINTER, block, NULL);
    }
    if (span->heap != NULL) {
        return find_in_arena(hy__arena_of(span), block, found);
    }
    found->large = hy__large_of(span);
    if ((const char *)block >= span->address + span->size) {
        return tell(HY_MISUSE_FOREIGN_POINTER, block, NULL);
    }
    return span->address == block || tell(HY_MISUSE_INTERIOR_POINTER, block, NULL);
}

/* Whether the block looks free. Where a tool watches, a free block may not be read: look it up. */
static bool looks_free(const hy__heap *heap, const void *block)
{
    return heap->annotating || hy__link_fits(heap, block);
}

/* The same for a block that must not be free. */
bool hy__find_live(hy__heap *heap, const void *block, hy__found *found)
{
    if (!hy__find(heap, block, found)) {
        return false;
    }
    if (found->pool == NULL || found->pool->size_class >= HY_HEAP_CLASSES) {
        return true;
    }
    if (hy__late_holds(heap, block)) {
        return tell(HY_MISUSE_DOUBLE_FREE, block, NULL);
    }
    /* A block on a purged page bears no seal. Few pools have one. */
    if ((found->pool->purged != 0 || looks_free(heap, block)) &&
        (hy__pool_is_free(heap, found->pool, block) ||
         hy__cache_holds(heap, found->pool->size_class, block))) {
        return tell(HY_MISUSE_DOUBLE_FREE, block, NULL);
    }
    return true;
}

/* The bytes that the block occupies. */
size_t hy__found_size(const hy__heap *heap, const hy__found *found)
{
    if (found->large != NULL) {
        return found->large->span.size;
    }
    return found->pool->size_class == HY__RUN_CLASS
               ? (size_t)found->pool->pages << HY__PAGE_SHIFT
               : heap->classes[found->pool->size_class].block_size;
}

/* The bytes of it that the caller may use. */
size_t hy__found_usable(const hy__heap *heap, const hy__found *found, const void *block)
{
    const size_t size = hy__found_size(heap, found);
    if (!heap->annotating) {
        return size;
    }
    if (found->large != NULL) {
        return found->large->requested;
    }
    const size_t *const asked = hy__asked((void *)(uintptr_t)block, size);
    hy__show_defined(heap, asked, sizeof *asked);
    const size_t result = *asked;
    hy__hide(heap, asked, sizeof *asked);
    return result;
}

/* Whether a block may come back as one of the class: it is of it, or of a larger one and was shrunk in
 * place. */
bool hy__found_fits_class(const hy__heap *heap, const hy__found *found, unsigned size_class)
{
    if (found->pool == NULL || found->pool->size_class >= HY_HEAP_CLASSES) {
        return false;
    }
    const size_t told = heap->classes[size_class].block_size;
    const size_t seen = heap->classes[found->pool->size_class].block_size;
    return seen >= told && seen * 3 < told * 4;
}

/* The same for a block with pages of its own. A mapping that grew has up to an eighth more. */
bool hy__found_fits_size(const hy__heap *heap, const hy__found *found, size_t size)
{
    const size_t seen = hy__found_size(heap, found);
    return found->large != NULL || found->pool->size_class == HY__RUN_CLASS
               ? size <= seen && size + HY_PAGE_SIZE > seen / 4 * 3
               : false;
}
