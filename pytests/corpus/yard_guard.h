/*
 * yard_guard.h: how the sound corpus allocator knows a live block, whatever it is given.
 *
 * Beside the blocks lies a map with one bit for each 8 bytes of address: 1 where a live block starts.
 * It is read before anything that a pointer points to, so a wild pointer can't hurt. Each header
 * bears a seal over its fields and its address, each free block one over its link: bytes written
 * beside a block or into a freed one break a seal.
 *
 *     map      0 0 1 0 0 0 0 1 ...          [header, seal][ block ............ ][header, seal]..
 *     free     [header, seal][ next, seal | . . . . ]
 */
#ifndef HEAPYARD_CORPUS_YARD_GUARD_H
#define HEAPYARD_CORPUS_YARD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "yard_core.h"

/* A block on a free list. */
typedef struct yard_free_block {
    struct yard_free_block *next;
    uintptr_t seal;
} yard_free_block;

/* From now on a live block starts there, with this header. False: no memory for the map. */
bool yard_guard_add(void *block);

/* From now on the next block can be added wherever it starts. False: no memory for that. */
bool yard_guard_reserve(void);

/* No block starts there any more. False: none did. Atomic: of two calls one gets true. */
bool yard_guard_remove(const void *block);

bool yard_guard_holds(const void *address);

/* The start of the nearest live block at or below `address`, at most 64 KiB below; NULL: none. */
void *yard_guard_below(const void *address);

/* The header's fields are as its seal says; and a new seal, after a change of fields. */
bool yard_header_is_whole(const void *block);
void yard_seal_header(void *block);

bool yard_link_is_whole(const yard_free_block *block);
void yard_set_link(yard_free_block *block, yard_free_block *next);

#endif /* HEAPYARD_CORPUS_YARD_GUARD_H */
