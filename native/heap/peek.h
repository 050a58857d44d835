/*
 * peek.h: for the collector, which comes often where a heap is small: its pools, with the caches left as
 * they are.
 */
#ifndef HEAPYARD_HEAP_PEEK_H
#define HEAPYARD_HEAP_PEEK_H

#include <heapyard/heap.h>

/* As hy_heap_walk_pools, but what is in the caches counts as live. Like any free block such a one is sealed:
 * its second word is negative, as the count of a dead object is that waits in late.c. */
int hy__heap_peek_pools(hy_heap *handle, hy_heap_pool_fn *visit, void *context);

#endif /* HEAPYARD_HEAP_PEEK_H */
