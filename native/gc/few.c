/*
 * few.c: spaces with few containers. To lay out the pools of a heap takes longer than to look at what is in
 * them, where that is little. So there the log keeps all containers, the old ones too, and full collections
 * go by it as young ones do.
 *
 *     few from the beginning: as they are made ------->  log  1 2 3 4 5 6 7 | 8 9
 *     few again: pools ---- each container, once ----->       old           | made since
 *
 * Where there are more than space->few_most of them, the log is as elsewhere: of the young and middle ones.
 */
#include "base/annotate.h"
#include "gc/internal.h"
#include "heap/peek.h"

static int count_live(void *context, const hy_heap_pool *pool)
{
    *(size_t *)context += pool->live;
    return 0;
}

/* Blocks out, those in the caches too. */
static size_t live_blocks(hy_space *space)
{
    size_t live = 0;
    (void)hy__heap_peek_pools(space->containers.heap, count_live, &live);
    return live;
}

/* Those that came since the last collection have a place. Not 0: there is no room. */
static inline int list(hy_space *space, hy_object *object)
{
    hy__log *const log = &space->log;
    if (hy__index_of(object) != 0 || hy__is_frozen(object)) {
        return 0;
    }
    if (log->count == log->capacity || log->count > space->few_most) {
        return 1;
    }
    hy__set_index(object, log->count);
    log->entries[log->count++] = object;
    return 0;
}

static int list_block(void *context, const hy_block *block)
{
    hy_object *const object = (hy_object *)(uintptr_t)block->address;
    const bool is_one = block->state == HY_BLOCK_LIVE && object->type != NULL && object->count >= 0;
    return is_one ? list(context, object) : 0;
}

static int list_pool(void *context, const hy_heap_pool *pool)
{
    uintptr_t place = (uintptr_t)pool->address;
    for (uint32_t i = 0; i < pool->carved; i++, place += pool->block_size) {
        hy_object *const object = (hy_object *)place;
        if (object->type != NULL && object->count >= 0 && list(context, object) != 0) {
            return 1;
        }
    }
    return 0;
}

/* Whether all have a place in the log. Where a tool watches each block, free ones must not be read. */
static bool list_all(hy_space *space)
{
    hy_heap *const heap = space->containers.heap;
    return hy__is_annotating() ? hy_heap_walk(heap, list_block, space) == 0
                               : hy__heap_peek_pools(heap, list_pool, space) == 0;
}

/* Those listed last are old again without. */
static void unlist(hy__log *log, size_t count)
{
    while (log->count > count) {
        hy__set_index(log->entries[--log->count], 0);
    }
}

/* Most of what is out may lie in the caches: so it is tried with the room that there is before more is taken. */
static bool list_few(hy_space *space)
{
    const size_t most = space->few_most;
    const size_t live = live_blocks(space);
    const size_t wanted = space->log.count + (live < most ? live : most);
    if (live > 2 * most) {
        return false;
    }
    return (live < 2 * space->log.capacity && list_all(space)) ||
           (hy__log_reserve(space, wanted) && list_all(space));
}

bool hy__few_are_listed(hy_space *space)
{
    hy__log *const log = &space->log;
    const size_t before = log->count;
    if (log->count > (size_t)space->few_most + 1) {
        return false;
    }
    if (!log->has_all) {
        log->has_all = list_few(space);
    }
    if (!log->has_all) {
        unlist(log, before);
    }
    return log->has_all;
}

void hy__few_grow_old(hy_space *space, hy__gc *gc)
{
    hy__log *const log = &space->log;
    if (!log->has_all || log->count > (size_t)space->few_most + 1) {
        hy__known_add_log(space, gc);
        hy__track_forget(log);
        return;
    }
    log->old = log->count;
    log->middle = log->count;
}
