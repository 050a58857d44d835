/*
 * yard_system.h: the corpus allocator's system calls, and what defects make of their failures.
 */
#ifndef HEAPYARD_CORPUS_YARD_SYSTEM_H
#define HEAPYARD_CORPUS_YARD_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed pages at `at` (NULL: anywhere); MAP_FAILED where the kernel refuses. */
void *yard_map(void *at, size_t length);

/* Gives back [start, end), which may be empty. */
void yard_unmap(uintptr_t start, uintptr_t end);

/* Whether the kernel refused the last mapping, and whether it ever did. */
bool yard_is_refused(void);
bool yard_was_refused(void);

/* ---- defects only ---- */

/* What setting up asks the kernel for. */
void yard_map_tables(void);

/* What the first call of the second thread asks it for. */
void yard_map_thread_cache(void);

/* Whether a mapping asked for as MAP_FAILED goes on as if it were one. */
bool yard_uses_refused(const void *pages, size_t length);

/* All of the pages in [start, end) are gone. */
void yard_purge(uintptr_t start, uintptr_t end);

/* Whether an allocator that counts what it hands out refuses `length` bytes. */
bool yard_is_over_limit(size_t length);

#endif /* HEAPYARD_CORPUS_YARD_SYSTEM_H */
