/*
 * yard_carving.h: the chunk from which new small blocks are cut.
 *
 *     [header][block][header][block] ...... chunk_next .................. chunk_end
 *
 * Everything here is called with the lock of yard_core.c held.
 */
#ifndef HEAPYARD_CORPUS_YARD_CARVING_H
#define HEAPYARD_CORPUS_YARD_CARVING_H

#include <stdbool.h>

#include "yard_core.h"

/* A new block of the class, from a new chunk where the current one is used up; NULL where the kernel
 * refuses that. */
void *yard_carve(unsigned klass);

/* ---- defects only ---- */

/* Changes the first bytes behind the block. */
void yard_scribble_behind(void *base);

/* The only block of the current chunk takes the chunk along; false: it is not the only one. */
bool yard_unmap_chunk_of(const void *base);

/* The bytes that were handed out of the current chunk are gone. */
void yard_purge_chunk(void);

#endif /* HEAPYARD_CORPUS_YARD_CARVING_H */
