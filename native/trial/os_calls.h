/*
 * os_calls.h: the system calls by which an allocator gets, changes and gives back memory: counted,
 * and made to fail.
 *
 *     allocator --- mmap, munmap, ... ---> kernel: a seccomp filter traps it ---> SIGSYS
 *         ^                                                                         |
 *         '---- the answer: ENOMEM, or what the kernel says to the engine's own <---'
 *               instruction, which alone the filter lets through
 *
 * The filter looks at the instruction that enters the kernel, not at names: a libc's calls within
 * itself are seen, in shared and static programs alike, and those of a library's own assembly. It
 * stays for the life of the process, and is inherited by fork (not meant for programs that exec).
 *
 * Needs x86-64 Linux with seccomp filters, and no sanitizer that makes such calls for itself. A
 * target that has a handler for SIGSYS of its own, or a signal handler that blocks it, is ended by
 * that signal.
 *
 * Threads: all of the process are watched. The handler is async-signal-safe and allocates nothing.
 */
#ifndef HEAPYARD_TRIAL_OS_CALLS_H
#define HEAPYARD_TRIAL_OS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* Which calls count, and which of them fail. All zero: none. */
typedef struct hy_os_watch {
    uint32_t kinds;  /* HY_OS_... of <heapyard/plan.h>; with HY_OS_ONWARD: all after the nth too */
    uint64_t nth;    /* the one that fails, from 1; 0: none */
    uint64_t count;  /* calls of these kinds so far */
    uint64_t failed; /* of them, those that were failed */
} hy_os_watch;

/* From now on: counts from 0. NULL, or why this machine or build can't do it. O(1). */
const char *hy__os_watch(uint32_t kinds, uint64_t nth);

/* No call fails or counts any more. */
void hy__os_let_go(void);

/* The numbers up to now. */
hy_os_watch hy__os_watched(void);

#endif /* HEAPYARD_TRIAL_OS_CALLS_H */
