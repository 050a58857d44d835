/*
 * yard_lists.c: size classes, and the free list of each.
 */
#include "yard_lists.h"

#include "yard_carving.h"
#include "yard_chunks.h"
#include "yard_defects.h"
#include "yard_misuse.h"
#include "yard_threads.h"
#include "yard_walks.h"

static yard_free_block *free_lists[YARD_CLASSES]; /* first in, first out */
static yard_free_block *list_ends[YARD_CLASSES];  /* where the list is not empty */

unsigned yard_class_of(size_t size)
{
    if (size <= 512) {
        return size <= YARD_GRANULE ? 0 : (unsigned)((size - 1) / YARD_GRANULE);
    }
    const unsigned doubling = 63U - (unsigned)__builtin_clzll(size - 1); /* 9 for 513 .. 1024 */
    const unsigned quarter = (unsigned)((size - 1) >> (doubling - 2)) & 3U;
    return 32 + (doubling - 9) * 4 + quarter;
}

size_t yard_class_size(unsigned klass)
{
    if (klass < 32) {
        return ((size_t)klass + 1) * YARD_GRANULE;
    }
    const unsigned doubling = 9 + (klass - 32) / 4;
    return (size_t)(5 + (klass - 32) % 4) << (doubling - 2);
}

/* Where the free blocks of a class are: the number of their list. */
static unsigned list_of(unsigned klass)
{
    return yard_defect(DEFECT_malloc_walks_free_blocks) ? 0 : klass;
}

static yard_free_block *next_of(yard_free_block *block)
{
    return yard_link_is_whole(block) ? block->next : yard_next_of_damaged(block);
}

/* Onto the end of the class's list. */
static void append(unsigned klass, yard_free_block *block)
{
    yard_set_link(block, NULL);
    if (free_lists[klass] == NULL) {
        free_lists[klass] = block;
    } else {
        yard_set_link(list_ends[klass], block);
    }
    list_ends[klass] = block;
}

void yard_drop_free_blocks(bool (*goes)(void *block))
{
    for (unsigned klass = 0; klass < YARD_CLASSES; klass++) {
        yard_free_block *block = free_lists[klass];
        free_lists[klass] = NULL;
        while (block != NULL) {
            yard_free_block *const next = next_of(block);
            if (!goes(block)) {
                append(klass, block);
            }
            block = next;
        }
    }
}

/* The first free block of a class above `list`, which becomes that. */
static yard_free_block *larger_hole(unsigned *list)
{
    for (unsigned above = *list + 1; above < YARD_CLASSES; above++) {
        if (free_lists[above] != NULL) {
            *list = above;
            return free_lists[above];
        }
    }
    return NULL;
}

void *yard_small_take(unsigned klass, bool *zero)
{
    unsigned list = list_of(klass);
    yard_free_block *reused = free_lists[list];
    if (yard_defect(DEFECT_malloc_walks_free_blocks)) {
        reused = yard_bring_to_front(&free_lists[list], &list_ends[list], klass);
    }
    if (reused == NULL && yard_defect(DEFECT_hole_taken_whole)) {
        reused = larger_hole(&list);
    }
    if (reused == NULL) {
        *zero = true;
        return yard_carve(klass);
    }
    yard_dawdle(DEFECT_interrupted_lock_is_taken);
    free_lists[list] = next_of(reused);
    yard_header *header = yard_header_of(reused);
    *zero = header->clean != 0;
    if (*zero) { /* only a defect says so: then even the link is left to be seen */
        reused->next = (yard_free_block *)UINTPTR_MAX;
    }
    header->clean = 0;
    if (yard_has_books()) {
        yard_chunk_taken(reused);
    }
    return reused;
}

void yard_small_file(void *base, bool clean)
{
    yard_header *header = yard_header_of(base);
    const unsigned klass = header->klass;
    *header =
        (yard_header){.capacity = yard_class_size(klass), .klass = (uint16_t)klass, .clean = clean};
    const unsigned list = list_of(klass);
    if (free_lists[list] == NULL || yard_reuses_at_once() ||
        yard_defect(DEFECT_free_without_lock)) {
        yard_set_link(base, free_lists[list]);
        yard_dawdle(DEFECT_free_without_lock);
        list_ends[list] = free_lists[list] == NULL ? base : list_ends[list];
        free_lists[list] = base;
        return;
    }
    if (yard_defect(DEFECT_free_keeps_order)) {
        yard_link_in_order(&free_lists[list], &list_ends[list], base);
        return;
    }
    append(list, base);
}

const yard_free_block *yard_small_list(unsigned klass)
{
    return free_lists[klass];
}
