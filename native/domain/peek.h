/*
 * peek.h: reading memory that may not be there, without a signal.
 */
#ifndef HEAPYARD_DOMAIN_PEEK_H
#define HEAPYARD_DOMAIN_PEEK_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `size` bytes (at most 4096) from `source`, whatever it points to; false: not all of them
 * can be read. The kernel does the reading: no fault, and no complaint of a sanitizer about memory
 * that is poisoned. Keeps errno. */
bool hy__peek(void *target, const void *source, size_t size);

#endif /* HEAPYARD_DOMAIN_PEEK_H */
