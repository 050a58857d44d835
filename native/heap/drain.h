/*
 * drain.h: what caches tell drain.c.
 */
#ifndef HEAPYARD_HEAP_DRAIN_H
#define HEAPYARD_HEAP_DRAIN_H

#include "heap/internal.h"

/* Blocks of the class that are freed without a look: into its cache, and as many past it. */
static inline int64_t hy__drain_slice(const hy__heap *heap, const hy__class *class)
{
    return (int64_t)(heap->slice / class->block_size) + 1;
}

/* A block of HY__BIG_CLASS or above is handed out. */
static inline void hy__drain_note_big(hy__heap *heap, unsigned size_class)
{
    heap->look_in += heap->classes[size_class].block_size;
}

#endif /* HEAPYARD_HEAP_DRAIN_H */
