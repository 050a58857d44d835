/*
 * tables.h: copies of what callers replace, immutable and kept for good.
 *
 *     current[domain] ----atomic pointer----> { context, malloc, calloc, realloc, free }
 *
 * A reader loads one pointer and has function and context that belong together, without a lock;
 * for that, no copy may ever be changed or freed. A table that was there before is found again, so
 * that swapping between some tables, however often, keeps as many copies as there are tables.
 */
#ifndef HEAPYARD_DOMAIN_TABLES_H
#define HEAPYARD_DOMAIN_TABLES_H

#include <stdbool.h>

#include <heapyard/domain.h>

/* The table in force. Needs no lock. */
const hy_allocator *hy__table_of(hy_domain domain);

/* Put a table in force that stays as it is for good. Needs no lock. */
void hy__table_publish(hy_domain domain, const hy_allocator *table);

/* The kept copy of `table`; NULL: no memory. With the lock of store.h. */
const hy_allocator *hy__table_keep(const hy_allocator *table);

/* Whether no function is NULL. */
bool hy__table_is_whole(const hy_allocator *table);

bool hy__tables_are_equal(const hy_allocator *one, const hy_allocator *other);

#endif /* HEAPYARD_DOMAIN_TABLES_H */
