/*
 * yard_mapping.h: large blocks, each a mapping of its own that goes back when it is freed.
 *
 *     | ... [header][ block ............................. |
 *     page                                             page
 */
#ifndef HEAPYARD_CORPUS_YARD_MAPPING_H
#define HEAPYARD_CORPUS_YARD_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "yard_core.h"

/* Zeroed pages; MAP_FAILED where the kernel refuses. */
void *yard_map_pages(size_t length);

/* With the lock of yard_core.c held. As yard_take; the block is not in the map of live blocks yet. */
void *yard_mapping_take(size_t size, size_t alignment, bool *zero);
void yard_mapping_give(void *block);

/* The same pages, and more or fewer, wherever there is room (mremap); the map of live blocks knows
 * it. NULL where there is none: nothing has changed then. */
void *yard_mapping_resize(void *block, size_t size);

#endif /* HEAPYARD_CORPUS_YARD_MAPPING_H */
