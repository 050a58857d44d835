/*
 * yard_waste.h: the defects that waste memory: sizes, mappings and blocks that are lost. Each answers
 * what a sound allocator does where its defects are not in force.
 *
 * All but yard_wasted_size and yard_start are called with the lock of yard_core.c held.
 */
#ifndef HEAPYARD_CORPUS_YARD_WASTE_H
#define HEAPYARD_CORPUS_YARD_WASTE_H

#include <stdbool.h>
#include <stddef.h>

/* At the first call of the process. */
void yard_start(void);

/* What is made room for where `size` bytes are asked for. */
size_t yard_wasted_size(size_t size);

/* Writes the part of a block that was not asked for; `block` may be NULL. */
void yard_waste_rest(void *block, size_t size);

/* Whether a small block gets a mapping of its own. */
bool yard_maps_small(size_t size);

/* A new mapping. */
void yard_waste_mapping(void *start, size_t length);

/* Whether a freed mapping stays mapped. */
bool yard_keeps_mapping(void *block);

/* One of those that stayed, for this request; NULL: none suits. */
void *yard_take_kept(size_t size, size_t alignment);

/* Whether a mapping of so many bytes stays as it is when its block shrinks. */
bool yard_keeps_shrunk(size_t length);

/* Whether a freed small block is never used again. */
bool yard_loses(void *block);

#endif /* HEAPYARD_CORPUS_YARD_WASTE_H */
