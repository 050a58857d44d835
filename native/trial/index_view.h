/*
 * index_view.h: the index of addresses for several threads at once.
 *
 * Each thread has a view: an index without leaves, in which no range is ever found on the fast
 * path. The slow functions of index.c hand what is asked of a view to the index that it stands for,
 * under a lock. So one thread alone pays nothing for the others.
 *
 *     thread 1 ---> view, no leaves --.
 *                                      >-- lock --> index
 *     thread 2 ---> view, no leaves --'
 *
 * The lock is never held while the target runs. A block leaves the index before the call that frees
 * it, and enters it after the call that made it, so in between nobody may be seen to own it.
 */
#ifndef HEAPYARD_TRIAL_INDEX_VIEW_H
#define HEAPYARD_TRIAL_INDEX_VIEW_H

#include "trial/index.h"

/* Leaves for views: none is there. NULL: the memory is used up. */
hy_index_leaf **hy__index_no_leaves(hy_memory *memory);

/* `leaves` is what hy__index_no_leaves answered; views may share it. */
void hy__index_view_open(hy_index *view, hy_index *index, hy_index_leaf **leaves,
                         pthread_mutex_t *lock);

/* For index.c: the slow functions on a view. */
hy_index_answer hy__index_view_insert(hy_index *view, uintptr_t address, size_t size);
hy_index_answer hy__index_view_insert_anyway(hy_index *view, uintptr_t address, size_t size);
void hy__index_view_remove(hy_index *view, uintptr_t address, size_t size);
bool hy__index_view_is_mapped(hy_index *view, uintptr_t address, size_t size);

#endif /* HEAPYARD_TRIAL_INDEX_VIEW_H */
