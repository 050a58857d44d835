/*
 * lazy.c: dirty pages that the kernel may take when memory is short, and the heap when it wants them, without a
 * first touch.
 *
 *     in use --> dirty --> purged or unmapped
 *        ^        |  '---> lazy ---> (taken by the kernel, and zero)
 *        '--------'---------'
 *
 * When little else is left in use, so goes what a heap keeps since it learnt that it is soon wanted again. It does not
 * count as held. No other pages go so: they stay in the resident set that ps and control groups show.
 */
#include "heap/bitrun.h"
#include "heap/internal.h"

/* Pages that were lazily freed are so no more: they count as resident. */
void hy__lazy_take_back(hy__heap *heap, hy__arena *arena, size_t first, size_t count)
{
    if (arena->lazy_pages != 0) {
        const size_t were = hy__bits_put(arena->lazy_bits, first, count, false);
        arena->lazy_pages -= (uint32_t)were;
        heap->lazy_pages -= were;
        heap->resident_pages += were;
    }
}

/* Let the kernel take dirty pages of the arena when memory is short. False: it can't. */
static bool free_arena_lazily(hy__heap *heap, hy__arena *arena)
{
    for (size_t page = arena->header_pages;
         (page = hy__bits_find(arena->dirty_bits, page, arena->pages, true)) < arena->pages;) {
        const size_t end = hy__bits_find(arena->dirty_bits, page, arena->pages, false);
        char *const address = arena->span.address + (page << HY__PAGE_SHIFT);
        if (!hy_pages_free_lazily(address, (end - page) << HY__PAGE_SHIFT)) {
            return false;
        }
        const size_t more = end - page - hy__bits_put(arena->lazy_bits, page, end - page, true);
        arena->lazy_pages += (uint32_t)more;
        heap->lazy_pages += more;
        heap->resident_pages -= more;
        page = end;
    }
    return true;
}

/* The same for spare mappings, then for all arenas, until only so many bytes are held. */
void hy__lazy_free_down_to(hy__heap *heap, size_t left)
{
    hy__large_free_spares_lazily(heap);
    for (hy__arena *arena = heap->dirty_arenas; arena != NULL; arena = arena->next_dirty) {
        if (hy__purge_held_bytes(heap) <= left) {
            return;
        }
        if (arena->lazy_pages != arena->dirty_pages && !free_arena_lazily(heap, arena)) {
            return;
        }
    }
}
