/*
 * counters.c: what the collector has done, and what it holds.
 */
#include "gc/internal.h"

#if HEAPYARD_COUNTERS

static int count_frozen(hy_object *object, void *context)
{
    *(uint64_t *)context += hy__is_frozen(object);
    return 0;
}

static void fill_in(hy_space *space, hy_gc_counters *c)
{
    if (space->gc != NULL) {
        *c = space->gc->counters;
        c->side_bytes = hy__gc_bytes(space->gc);
    }
    for (size_t i = space->log.old; i < space->log.count; i++) {
        c->log_entries += space->log.entries[i] != NULL;
    }
    c->log_bytes = hy__log_bytes(&space->log);
    (void)hy_gc_walk(space, count_frozen, &c->frozen);
}

#endif /* HEAPYARD_COUNTERS */

bool hy_gc_get_counters(hy_space *space, hy_gc_counters *counters)
{
    *counters = (hy_gc_counters){0};
#if HEAPYARD_COUNTERS
    fill_in(space, counters);
#else
    (void)space;
#endif
    counters->size = sizeof *counters;
    counters->version = 1;
    return HEAPYARD_COUNTERS;
}
