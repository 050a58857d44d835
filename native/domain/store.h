/*
 * store.h: the one mutex of the domains, and memory under it that is never given back.
 *
 * What readers may hold without a lock (tables, hooks) must stay for good; records are reused by
 * lists of their own. Nobody calls a table or a misuse handler while holding the mutex.
 */
#ifndef HEAPYARD_DOMAIN_STORE_H
#define HEAPYARD_DOMAIN_STORE_H

#include <stddef.h>

void hy__domain_lock(void);
void hy__domain_unlock(void);

/* `size` bytes for good, aligned to 16, contents unspecified; NULL: no memory. With the lock. */
void *hy__domain_keep(size_t size);

/* Has fork take the mutex first, so that the child finds it free. Called once. */
void hy__domain_watch_fork(void);

#endif /* HEAPYARD_DOMAIN_STORE_H */
