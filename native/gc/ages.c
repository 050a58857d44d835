/*
 * ages.c: generations by pools, as the mail of 2001 has them: no log, no bit in any object. What was
 * allocated since the last collection lies in pools that have more blocks out than there were after it,
 * or that were not there.
 *
 *     young    pools that have grown, or are new
 *     middle   other pools with room
 *     old      full ones
 *
 * That is crude: a pool ages as a whole, and an object that took the place of one that has died may be
 * told for old. A full collection finds it.
 */
#include "gc/internal.h"
#include "gc/sorted.h"

/* A pool as it was after the last collection; by address. */
typedef struct age {
    uintptr_t address;
    uint32_t live;
    uint32_t carved;
} age;

typedef struct noting {
    hy_space *space;
    hy__gc *gc;
    bool failed;
} noting;

static int note(void *context, const hy_heap_pool *pool)
{
    noting *const n = context;
    hy__buffer *const ages = &n->gc->ages;
    const size_t count = n->gc->age_count;
    if (!hy__buffer_keep(n->space, ages, (count + 1) * sizeof(age))) {
        n->failed = true;
        return 1;
    }
    ((age *)ages->data)[count] = (age){
        .address = (uintptr_t)pool->address,
        .live = pool->live,
        .carved = pool->carved,
    };
    n->gc->age_count++;
    return 0;
}

/* Spans come by address, so do the pools in each. Without memory, all pools are young. */
void hy__ages_note(hy_space *space, hy__gc *gc)
{
    noting n = {.space = space, .gc = gc};
    hy__lists_flush(space, &space->containers);
    gc->age_count = 0;
    (void)hy_heap_walk_pools(space->containers.heap, note, &n);
    if (n.failed) {
        gc->age_count = 0;
    }
}

static const age *find(const hy__gc *gc, uintptr_t address)
{
    const age *const one = hy__sorted_find(gc->ages.data, gc->age_count, sizeof(age), address);
    return one != NULL && one->address == address ? one : NULL;
}

unsigned hy__ages_of(const hy__gc *gc, const hy_heap_pool *pool)
{
    const age *const before = find(gc, (uintptr_t)pool->address);
    if (before == NULL || pool->live > before->live || pool->carved > before->carved) {
        return 0;
    }
    return pool->live < pool->capacity ? 1 : HY_GC_GENERATIONS - 1;
}

/* ---- of one object ---------------------------------------------------------------------------- */

typedef struct search {
    const hy__gc *gc;
    uintptr_t address;
    unsigned generation;
} search;

static int look_for(void *context, const hy_heap_pool *pool)
{
    search *const s = context;
    if (s->address - (uintptr_t)pool->address >= pool->size) {
        return 0;
    }
    s->generation = hy__ages_of(s->gc, pool);
    return 1;
}

unsigned hy__ages_of_object(hy_space *space, const hy_object *object)
{
    const hy__gc *const gc = space->gc;
    search s = {.gc = gc, .address = (uintptr_t)object};
    if (gc != NULL) {
        (void)hy_heap_walk_pools(space->containers.heap, look_for, &s);
    }
    return s.generation;
}
