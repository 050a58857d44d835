/*
 * libc.h: libc's malloc as a table; the context is the stats of the domain that it serves.
 */
#ifndef HEAPYARD_DOMAIN_LIBC_H
#define HEAPYARD_DOMAIN_LIBC_H

#include <heapyard/domain.h>

extern const hy_allocator hy__libc_tables[HY_DOMAIN_COUNT];

#endif /* HEAPYARD_DOMAIN_LIBC_H */
