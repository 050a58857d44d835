/*
 * yard_slow.h: the defects that cost time in each call, or now and then. Each does nothing where its
 * defect is not in force.
 */
#ifndef HEAPYARD_CORPUS_YARD_SLOW_H
#define HEAPYARD_CORPUS_YARD_SLOW_H

#include <stddef.h>

/* At each malloc and free. */
void yard_slow_call(void);

/* At each free. */
void yard_slow_free(void);

/* At each new mapping, which keeps what it is. */
void yard_slow_mapping(void *start, size_t length);

/* A mapping that has a block, and that block is freed. */
void yard_slow_enter(void *start);
void yard_slow_leave(void *start);

/* A small block is free, its link not written yet: its pages go back at once. */
void yard_slow_small(void *base);

#endif /* HEAPYARD_CORPUS_YARD_SLOW_H */
