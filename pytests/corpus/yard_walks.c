#include "yard_walks.h"

#include <stdint.h>

static volatile size_t looked_at;

yard_free_block *yard_bring_to_front(yard_free_block **first, yard_free_block **last,
                                     unsigned klass)
{
    yard_free_block *before = NULL;
    yard_free_block *block = *first;
    while (block != NULL && yard_header_of(block)->klass != klass) {
        before = block;
        block = block->next;
    }
    if (block != NULL && before != NULL) {
        yard_set_link(before, block->next);
        *last = *last == block ? before : *last;
        yard_set_link(block, *first);
        *first = block;
    }
    return block;
}

void yard_link_in_order(yard_free_block **first, yard_free_block **last, yard_free_block *block)
{
    yard_free_block *before = NULL;
    yard_free_block *after = *first;
    while (after != NULL && (uintptr_t)after < (uintptr_t)block) {
        before = after;
        after = after->next;
    }
    yard_set_link(block, after);
    *last = after == NULL ? block : *last;
    if (before == NULL) {
        *first = block;
    } else {
        yard_set_link(before, block);
    }
}

void yard_look_for(const yard_free_block *list, const void *address)
{
    for (size_t number = 0; list != NULL && list != address; list = list->next) {
        looked_at = ++number;
    }
}

void yard_look_for_aligned(const yard_free_block *list, size_t alignment)
{
    const size_t far = alignment * 64; /* as good as never met */
    for (size_t number = 0; list != NULL && (uintptr_t)list % far != 0; list = list->next) {
        looked_at = ++number;
    }
}
