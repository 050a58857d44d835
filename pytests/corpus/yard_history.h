/*
 * yard_history.h: defects that need a long history: counters that wrap, lists that overflow.
 *
 * Each notes what was made and freed, and after some hundred particular calls answers malloc with a
 * block that is live, or lets contents go. Nothing here is noted without such a defect. The notes
 * are of the whole process, under no lock: a defect of threads is one all the more.
 */
#ifndef HEAPYARD_CORPUS_YARD_HISTORY_H
#define HEAPYARD_CORPUS_YARD_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* A block that malloc is about to answer; returns it, or a live one in its place. */
void *yard_history_made(void *block);

/* A live block that is about to be freed. */
void yard_history_freed(void *block);

/* How many of `kept` bytes a realloc of `old` copies, and what came of it. */
size_t yard_history_copied(const void *old, size_t kept);
void yard_history_resized(const void *old, const void *block);

/* Whether calloc leaves a block that was used before as it is. */
bool yard_history_leaves_dirty(void);

#endif /* HEAPYARD_CORPUS_YARD_HISTORY_H */
