/*
 * yard_life.h: what the corpus allocator does as its process begins, forks, and ends.
 *
 * Sound, that is next to nothing: a constructor registers what fork needs and the key for the ends of
 * threads. Any call works before it and after main; nothing is torn down.
 */
#ifndef HEAPYARD_CORPUS_YARD_LIFE_H
#define HEAPYARD_CORPUS_YARD_LIFE_H

#include <stdbool.h>
#include <stddef.h>

/* At the start of each call. */
void yard_life_enter(void);

/* What calloc answers instead of a block, for a defect; NULL: a block. */
void *yard_early_calloc(size_t bytes);

/* At the start of each free of a block, for defects. */
void yard_life_free(const void *block);

/* Before each mapping. False: it must fail (a defect). */
bool yard_life_map(void);

/* In the child of a fork; whether this is one. */
void yard_life_after_fork(void);
bool yard_is_child(void);

#endif /* HEAPYARD_CORPUS_YARD_LIFE_H */
