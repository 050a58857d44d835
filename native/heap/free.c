/*
 * free.c: frees, with and without a size.
 */
#include "heap/give.h"
#include "heap/internal.h"

/* The inline function of the public header, for those who call it by name. */
extern void hy_heap_free_sized(hy_heap *heap, void *block, size_t size);

static void release_run(hy__heap *heap, hy__pool *pool)
{
    heap->run_count--;
    heap->run_bytes -= (size_t)pool->pages << HY__PAGE_SHIFT;
    hy__pages_give(heap, pool, UINT64_MAX);
}

/* Free a block that was found, and is live. */
void hy__heap_release(hy__heap *heap, const hy__found *found, void *block)
{
    if (found->large != NULL) {
        hy__large_free(heap, found->large);
        return;
    }
    hy__pool *const pool = found->pool;
    if (pool->size_class == HY__RUN_CLASS) {
        release_run(heap, pool);
        return;
    }
    if (heap->annotating) {
        hy__show(heap, block, heap->classes[pool->size_class].block_size);
    }
    if (heap->strict) {
        hy__pool_give(heap, pool, block);
    } else {
        hy__cache_take(heap, pool->size_class, block);
    }
}

/* Out of line, so that the short way needs no frame. */
static __attribute__((noinline)) void free_slow(hy__heap *heap, void *block)
{
    hy__found found;
    if (block != NULL && hy__find_live(heap, block, &found)) {
        hy__heap_release(heap, &found, block);
    }
}

/* The block is in an arena that the heap has not seen lately, or in none of its own. */
static __attribute__((noinline)) void free_unseen(hy__heap *heap, void *block)
{
    if (hy__find_note_seen(heap, block)) {
        hy_heap_free(&heap->window, block);
    } else {
        free_slow(heap, block);
    }
}

/*
 * The short way. That the block is ours is told by a table of the arenas seen lately, that it starts
 * where a block starts by a multiplication: both are only compared. What the next malloc waits for is
 * found by two loads: of the arena's header, and of what it notes for the page.
 */
void hy_heap_free(hy_heap *handle, void *block)
{
    hy__heap *const heap = hy__heap_of(handle);
    const hy__seen *const seen = hy__seen_for(heap, block);
    const size_t offset = (uintptr_t)block ^ seen->base;
    if (__builtin_expect(offset > handle->mask, 0)) {
        free_unseen(heap, block);
        return;
    }
    const uint32_t map = seen->arena->page_map[offset >> HY__PAGE_SHIFT];
    hy_heap_bin *const bin = &handle->bins[HY__PAGE_CLASS(map)];
    if (__builtin_expect(hy__is_block_start(bin, hy__page_within(map, (uintptr_t)block)), 1)) {
        if (__builtin_expect(--bin->quota >= 0 && !hy__looks_free(heap, block), 1)) {
            hy__bin_push(heap, bin, block);
            return;
        }
        hy__cache_pass(heap, &seen->arena->pools[HY__PAGE_NUMBER(map)], block);
        return;
    }
    free_slow(heap, block);
}

/* A sized free that can't be pushed: of a block over 512 bytes, or the cache has no room, or it looks
 * free, or the heap is strict. */
static void free_sized(hy__heap *heap, void *block, size_t size, unsigned size_class)
{
    hy__found found;
    if (!hy__find_live(heap, block, &found)) {
        return;
    }
    const bool fits = size_class < HY_HEAP_CLASSES ? hy__found_fits_class(heap, &found, size_class)
                                                   : hy__found_fits_size(heap, &found, size);
    const bool exact = !heap->annotating || hy__found_usable(heap, &found, block) == size;
    if (!fits || !exact) {
        hy__misuse(HY_MISUSE_WRONG_SIZE, "heap", block, "(by a sized free)");
        return;
    }
    hy__heap_release(heap, &found, block);
}

/* The same for any heap, size and block. */
static __attribute__((noinline)) void free_sized_slow(hy__heap *heap, void *block, size_t size)
{
    const size_t need = hy__need(heap, size);
    if (block == NULL) {
        return;
    }
    if (!heap->strict && size <= HY_HEAP_MAX_SMALL) {
        hy__cache_take(heap, hy__class_of(size), block);
        return;
    }
    free_sized(heap, block, size, need <= HY_HEAP_MAX_SMALL ? hy__class_of(need) : HY_HEAP_CLASSES);
}

void hy_heap_free_sized_slow(hy_heap *handle, void *block, size_t asked)
{
    hy__heap *const heap = hy__heap_of(handle);
    const size_t size_class = (asked - 1) / HY_HEAP_ALIGNMENT;
    if (size_class >= HY_HEAP_FINE_CLASSES || block == NULL) {
        free_sized_slow(heap, block, asked != 0 ? asked : 1);
        return;
    }
    if (__builtin_expect(heap->strict, 0)) {
        handle->bins[size_class].quota++;
        free_sized_slow(heap, block, asked);
    } else {
        hy__cache_put(heap, (unsigned)size_class, block);
    }
}

void hy_heap_free_aligned_sized(hy_heap *handle, void *block, size_t alignment, size_t size)
{
    hy__heap *const heap = hy__heap_of(handle);
    if (!hy__is_power_of_two(alignment) || alignment > HY_HEAP_MAX_ALIGNMENT) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "heap", block, "(alignment)");
        return;
    }
    if (alignment <= HY_HEAP_ALIGNMENT) {
        hy_heap_free_sized(handle, block, size);
    } else if (block != NULL) {
        const size_t least = size != 0 ? size : 1;
        const unsigned size_class = alignment <= HY_PAGE_SIZE
                                        ? hy__class_of_aligned(hy__need(heap, least), alignment)
                                        : HY_HEAP_CLASSES;
        free_sized(heap, block, least, size_class);
    }
}
