/*
 * yard_threads.h: a cache for each thread but main's, in front of the free lists.
 *
 *     malloc  <-- cache of the thread <-- free lists, under the lock
 *     free    --> cache of the thread --> free lists, when it has its fill or the thread ends
 *
 * A thread's first call makes its cache, from a block of the heap. When the thread ends, a key's
 * destructor hands all of it back; calls that come later still go by the lists. A freed block goes
 * to the cache of the thread that frees it, whoever made it; who that was stands in its header. Main
 * has no cache, so that a program without threads meets the lists alone.
 */
#ifndef HEAPYARD_CORPUS_YARD_THREADS_H
#define HEAPYARD_CORPUS_YARD_THREADS_H

#include <stdbool.h>

#include "yard_core.h"
#include "yard_defects.h"

/* Sets up the key; for a constructor. */
void yard_threads_start(void);

/* A block of the class from this thread's cache; NULL: it has none. */
void *yard_cache_take(unsigned klass);

/* Notes who made the block. */
void *yard_signed(void *block);

/* Whether this thread's cache has taken a live block that is freed; it is none then. */
bool yard_thread_takes(void *block);

/* Whether the block was made by another thread than this. */
bool yard_is_remote(const void *block);

/* Whether a defect refuses this thread all memory. */
bool yard_thread_is_refused(void);

/* At the start of each realloc, for a defect. */
void yard_first_realloc(void);

/* In the child of a fork. */
void yard_threads_after_fork(void);

/* Sleeps for an instant where this defect is in force, so that others come in between. */
void yard_dawdle(enum yard_defect defect);

/* The lists themselves, with the lock of yard_core.c, where these are. */
void *yard_list_take(unsigned klass);
unsigned yard_lists_take(unsigned klass, void **blocks, unsigned most); /* how many were had */
void yard_list_give(void *block);

#endif /* HEAPYARD_CORPUS_YARD_THREADS_H */
