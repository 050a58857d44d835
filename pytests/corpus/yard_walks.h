/*
 * yard_walks.h: walks along free lists, which only defects take.
 */
#ifndef HEAPYARD_CORPUS_YARD_WALKS_H
#define HEAPYARD_CORPUS_YARD_WALKS_H

#include <stddef.h>

#include "yard_guard.h"

/* The first block of this size class on a list of all classes is moved to its front; NULL: none. */
yard_free_block *yard_bring_to_front(yard_free_block **first, yard_free_block **last,
                                     unsigned klass);

/* Puts a block on a list, which is not empty, in order of address. */
void yard_link_in_order(yard_free_block **first, yard_free_block **last, yard_free_block *block);

/* Look at each block of a list, and find nothing that helps. */
void yard_look_for(const yard_free_block *list, const void *address);
void yard_look_for_aligned(const yard_free_block *list, size_t alignment);

#endif /* HEAPYARD_CORPUS_YARD_WALKS_H */
