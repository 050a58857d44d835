/*
 * yard_chunks.h: gives the memory of freed small blocks back: whole chunks, and pages around the few
 * blocks that are left in one.
 *
 *     chunk:  [books][block][free ][free ][block][free ] ... used | never handed out
 *                    purged:  [span ............][block]
 *
 * A chunk whose blocks are all free is unmapped; a chunk that has one live block in 64 or fewer has
 * the free blocks between them taken off the lists, as spans, and the whole pages inside a span go
 * back; a span is not used again until its chunk is gone. Both happen for many chunks at once, so
 * that the lists are not searched for each. In force where no defect is, or one of
 * defect_lists/release.h: the other defects keep the layout that they are written for.
 *
 * Everything here is called with the lock of yard_core.c held.
 */
#ifndef HEAPYARD_CORPUS_YARD_CHUNKS_H
#define HEAPYARD_CORPUS_YARD_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define YARD_CHUNK_BOOKS ((size_t)64)

/* Whether chunks have books at all. */
bool yard_has_books(void);

/* A new chunk, mapped at a multiple of its size; MAP_FAILED where the kernel refuses. Blocks begin
 * YARD_CHUNK_BOOKS bytes behind it. */
void *yard_chunk_map(void);

/* The chunk in which blocks were cut so far is used up to `end`; from now on they are cut in another
 * one, `chunk`. */
void yard_chunk_change(uintptr_t end, uintptr_t chunk);

/* A small block was cut, or taken from its list; both are live now. */
void yard_chunk_cut(const void *block);
void yard_chunk_taken(const void *block);

/* A small block is free. Whether it stays off its list: only defects want that. */
bool yard_chunk_merges(void *block);

/* It is on its list, or stays off it. */
void yard_chunk_given(void *block);

/* Before a block is taken, for a defect. */
void yard_chunks_late(void);

/* Gives back what can be given back; whether anything went. */
bool yard_chunks_trim(void);

/* In yard_lists.c: takes off its list each free block for which `goes` says so, after the call. */
void yard_drop_free_blocks(bool (*goes)(void *block));

#endif /* HEAPYARD_CORPUS_YARD_CHUNKS_H */
