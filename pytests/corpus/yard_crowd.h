/*
 * yard_crowd.h: many live blocks at once, or many bytes in all, for defects that need them.
 */
#ifndef HEAPYARD_CORPUS_YARD_CROWD_H
#define HEAPYARD_CORPUS_YARD_CROWD_H

#include <stdbool.h>
#include <stddef.h>

/* A block that malloc answers. */
void yard_crowd_enter(void *block);

/* Whether there is no room in a table for one block more. */
bool yard_crowd_is_full(void);

/* Whether the bytes that were asked for in all, `size` more, are 0 again in 32 bits. */
bool yard_volume_wraps(size_t size);

/* The block that free is to give back in place of this one: the same, but for a defect. */
void *yard_crowd_leave(void *block);

#endif /* HEAPYARD_CORPUS_YARD_CROWD_H */
