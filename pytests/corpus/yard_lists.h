/*
 * yard_lists.h: freed small blocks, on one list for each size class.
 *
 *     take  <--  [first] -> [ ] -> [ ] -> [last]  <--  file
 *
 * Everything here is called with the lock of yard_core.c held.
 */
#ifndef HEAPYARD_CORPUS_YARD_LISTS_H
#define HEAPYARD_CORPUS_YARD_LISTS_H

#include <stdbool.h>

#include "yard_core.h"
#include "yard_guard.h"

/* A block of the class: the one that was filed first, or a new one. NULL where there is no memory for
 * that. *zero: it is known to be all zero. */
void *yard_small_take(unsigned klass, bool *zero);

/* Onto its class's list. `clean`: believed to be all zero (only defects believe so). */
void yard_small_file(void *base, bool clean);

/* The first free block of a class, for defects that look through them; NULL: none. */
const yard_free_block *yard_small_list(unsigned klass);

#endif /* HEAPYARD_CORPUS_YARD_LISTS_H */
