/*
 * process.h: what the kernel says about this process, and limits on it. Without allocating.
 */
#ifndef HEAPYARD_TRIAL_PROCESS_H
#define HEAPYARD_TRIAL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Anonymous memory in RAM, less what MADV_FREE marked as free. 0 where the kernel does not say. */
uint64_t hy__process_anonymous(void);

/* What this process takes of the machine: anonymous and shared memory, in RAM or swapped out, less
 * what MADV_FREE marked as free. 0 where the kernel does not say. */
uint64_t hy__process_resident(void);

/* What MADV_FREE marked as free, and is still there. */
uint64_t hy__process_lazily_free(void);

/* The resident set, as ps, top and psutil show it. */
uint64_t hy__process_shown(void);

/* How many mappings there are (sysctl vm.max_map_count bounds them). */
uint64_t hy__process_mappings(void);

/* From now on no page of this process is a huge one: a touch of one byte is then a touch of 4 KiB,
 * not of 2 MiB. Nothing where the kernel does not know the call. */
void hy__process_without_huge_pages(void);

/* Page faults so far that needed no disk. */
uint64_t hy__process_faults(void);

/* The size of the address space in use. */
uint64_t hy__process_mapped(void);

/* Descriptors below 1024 that are open. The first call opens eight, so that there are some. */
uint64_t hy__process_open_files(void);

/* Signals that the calling thread has blocked. */
uint64_t hy__process_blocked_signals(void);

/* Signals that have a handler, or are ignored. */
uint64_t hy__process_handled_signals(void);

/* From now on at most `bytes` more can be mapped (RLIMIT_AS). */
bool hy__limit_address_space(uint64_t bytes);

/* The same, but it can be taken back: by UINT64_MAX, which leaves the limit above only. */
bool hy__limit_space(uint64_t bytes);

#endif /* HEAPYARD_TRIAL_PROCESS_H */
