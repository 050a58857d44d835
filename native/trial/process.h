/*
 * process.h: what the kernel says about this process, and limits on it. Without allocating.
 */
#ifndef HEAPYARD_TRIAL_PROCESS_H
#define HEAPYARD_TRIAL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Anonymous memory in RAM, less what MADV_FREE marked as free. 0 where the kernel does not say. */
uint64_t hy__process_anonymous(void);

/* Page faults so far that needed no disk. */
uint64_t hy__process_faults(void);

/* The size of the address space in use. */
uint64_t hy__process_mapped(void);

/* From now on at most `bytes` more can be mapped (RLIMIT_AS). */
bool hy__limit_address_space(uint64_t bytes);

/* The same, but it can be taken back: by UINT64_MAX, which leaves the limit above only. */
bool hy__limit_space(uint64_t bytes);

#endif /* HEAPYARD_TRIAL_PROCESS_H */
