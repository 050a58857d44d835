/*
 * yard_post.h: for defects: blocks that other threads free are posted to main, and a lock beside the
 * one of yard_lock.h. Each does nothing where its defect is not in force.
 */
#ifndef HEAPYARD_CORPUS_YARD_POST_H
#define HEAPYARD_CORPUS_YARD_POST_H

#include <stdbool.h>

/* Puts a freed block in front of those that wait; in two steps, between which others may come. True. */
bool yard_post(void *block);

/* Before a block is taken, without the lock: those that wait go to their lists. */
void yard_collect_posted(void);

/* Around each aligned request. */
void yard_acquire_second(void);
void yard_release_second(void);

#endif /* HEAPYARD_CORPUS_YARD_POST_H */
