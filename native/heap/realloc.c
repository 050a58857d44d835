/*
 * realloc.c: another size for a block, where it is or in a new place.
 */
#include "heap/internal.h"

#include <string.h>

/* A block that shrinks stays unless this part of it, 1 / n, would be saved. */
#define SAVED_PART 4

static bool shrinks_in_place(size_t have, size_t need)
{
    return need <= have && need > have - have / SAVED_PART;
}

/* Write down that the block, for which `before` bytes were asked, is one for `size` now. */
static void note_asked(const hy__heap *heap, void *block, size_t block_size, size_t before,
                       size_t size)
{
    if (heap->annotating) {
        size_t *const asked = hy__asked(block, block_size);
        hy__show(heap, asked, sizeof *asked);
        *asked = size;
        hy__hide(heap, (char *)block + size, block_size - size);
        if (size > before) {
            hy__show(heap, (char *)block + before, size - before);
        }
    }
}

/* A page run: grow into free pages behind it, or give back those at its end. */
static bool resize_run(hy__heap *heap, const hy__found *found, size_t need)
{
    hy__pool *const pool = found->pool;
    const size_t have = (size_t)pool->pages << HY__PAGE_SHIFT;
    const size_t bytes = hy__round_up(need, HY_PAGE_SIZE);
    if (need <= HY_HEAP_MAX_SMALL || need > heap->run_limit) {
        return false; /* it must be what a sized free takes it for */
    }
    const unsigned pages = (unsigned)(bytes >> HY__PAGE_SHIFT);
    if (bytes > have && !hy__pages_extend(heap, pool, pages)) {
        return false;
    }
    if (bytes < have) {
        hy__pages_shorten(heap, pool, pages);
    }
    heap->run_bytes += bytes - have;
    return true;
}

/* Whether a block of the class is what a request for `need` gets, or not much more. */
static bool serves(const hy__heap *heap, unsigned size_class, size_t need)
{
    return shrinks_in_place(heap->classes[size_class].block_size, need) ||
           (need <= HY_HEAP_MAX_SMALL && hy__class_of(need) == size_class);
}

/* The block in its place, or moved with its mapping; NULL where a new block is needed. */
static void *resize_here(hy__heap *heap, const hy__found *found, void *block, size_t size)
{
    if (found->large != NULL) {
        return hy__large_resize(heap, found->large, size);
    }
    const size_t before = hy__found_usable(heap, found, block);
    const size_t need = hy__need(heap, size);
    const bool stays = found->pool->size_class == HY__RUN_CLASS
                           ? resize_run(heap, found, need)
                           : serves(heap, found->pool->size_class, need);
    if (!stays) {
        return NULL;
    }
    note_asked(heap, block, hy__found_size(heap, found), before, size);
    return block;
}

static void *move(hy__heap *heap, const hy__found *found, void *block, size_t size)
{
    const size_t usable = hy__found_usable(heap, found, block);
    void *const moved = hy__heap_take(heap, size, HY_HEAP_ALIGNMENT, false);
    if (moved == NULL) {
        return NULL;
    }
    memcpy(moved, block, usable < size ? usable : size);
    hy_heap_free(&heap->window, block);
    return moved;
}

void *hy_heap_realloc(hy_heap *handle, void *block, size_t asked)
{
    hy__heap *const heap = hy__heap_of(handle);
    if (block == NULL) {
        return hy_heap_malloc(handle, asked);
    }
    const size_t size = asked != 0 ? asked : 1;
    hy__found found;
    if (!hy__find_live(heap, block, &found)) {
        return NULL;
    }
    void *result = NULL;
    if (size <= PTRDIFF_MAX - HY_HEAP_MAX_ALIGNMENT) {
        result = resize_here(heap, &found, block, size);
        HY_COUNT(heap->in_place += result == block);
        if (result == NULL) {
            result = move(heap, &found, block, size);
        }
    }
    HY_COUNT(result != NULL ? heap->reallocs++ : heap->failures++);
    return result;
}
