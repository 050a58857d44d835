/*
 * heaps.h: one heap for each domain, as a table. The heap is made when its domain is first asked.
 *
 * raw's heap is behind a mutex, since a heap belongs to one thread at a time; those of mem and obj
 * are behind the caller's lock.
 */
#ifndef HEAPYARD_DOMAIN_HEAPS_H
#define HEAPYARD_DOMAIN_HEAPS_H

#include <heapyard/domain.h>

extern const hy_allocator hy__heap_tables[HY_DOMAIN_COUNT];

/* Has fork take raw's mutex first, so that the child finds it free. Called once. */
void hy__heaps_watch_fork(void);

#endif /* HEAPYARD_DOMAIN_HEAPS_H */
