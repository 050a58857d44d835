/*
 * thread_local.h: the thread-local variables of a library that dlopen opened.
 *
 * The loader makes them for a thread at the first touch, in the libc's heap: in the middle of the
 * target's first call, that is. Where no memory can be had then, it ends the process, for which the
 * target, loaded by any program at its start, would not be to blame. So a thread has them made
 * before it calls the target.
 */
#ifndef HEAPYARD_TRIAL_THREAD_LOCAL_H
#define HEAPYARD_TRIAL_THREAD_LOCAL_H

#include <stddef.h>

/* Says which library: the loader's number of its variables, 0: it has none. Before any thread. */
void hy__thread_local_module(size_t module);

/* Makes them for the calling thread, unless they are there. Calls nothing of the target. */
void hy__thread_local_make(void);

#endif /* HEAPYARD_TRIAL_THREAD_LOCAL_H */
