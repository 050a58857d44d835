#include "trial/index_view.h"

hy_index_leaf **hy__index_no_leaves(hy_memory *memory)
{
    return hy__memory_take(memory, HY_INDEX_LEAVES * sizeof(hy_index_leaf *));
}

void hy__index_view_open(hy_index *view, hy_index *index, hy_index_leaf **leaves,
                         pthread_mutex_t *lock)
{
    *view = (hy_index){.leaves = leaves, .shared = index, .lock = lock};
}

hy_index_answer hy__index_view_insert(hy_index *view, uintptr_t address, size_t size)
{
    (void)pthread_mutex_lock(view->lock);
    const hy_index_answer answer = hy__index_insert(view->shared, address, size);
    (void)pthread_mutex_unlock(view->lock);
    return answer;
}

hy_index_answer hy__index_view_insert_anyway(hy_index *view, uintptr_t address, size_t size)
{
    (void)pthread_mutex_lock(view->lock);
    const hy_index_answer answer = hy__index_insert_anyway(view->shared, address, size);
    (void)pthread_mutex_unlock(view->lock);
    return answer;
}

void hy__index_view_remove(hy_index *view, uintptr_t address, size_t size)
{
    (void)pthread_mutex_lock(view->lock);
    hy__index_remove(view->shared, address, size);
    (void)pthread_mutex_unlock(view->lock);
}

bool hy__index_view_is_mapped(hy_index *view, uintptr_t address, size_t size)
{
    (void)pthread_mutex_lock(view->lock);
    const bool is_mapped = hy__index_is_mapped(view->shared, address, size);
    (void)pthread_mutex_unlock(view->lock);
    return is_mapped;
}
