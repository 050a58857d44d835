/*
 * look.c: visiting the live objects. A block that the heap calls live and that has no type is on a
 * free list, or in quarantine: not an object.
 */
#include "object/internal.h"

typedef struct look {
    hy_object_walk_fn *visit;
    void *context;
    size_t prefix;
} look;

static int look_at(void *context, const hy_block *block)
{
    const look *const walk = context;
    if (block->state != HY_BLOCK_LIVE) {
        return 0;
    }
    hy_object *const object = (hy_object *)((uintptr_t)block->address + walk->prefix);
    return object->type == NULL ? 0 : walk->visit(object, walk->context);
}

int hy__walk_all(hy_space *space, hy_object_walk_fn *visit, void *context)
{
    look walk = {.visit = visit, .context = context};
    const int ended = hy_heap_walk(space->atoms.heap, look_at, &walk);
    walk.prefix = space->containers.prefix;
    return ended != 0 ? ended : hy_heap_walk(space->containers.heap, look_at, &walk);
}

static int look_at_live(hy_object *object, void *context)
{
    const look *const walk = context;
    return object->count < 0 ? 0 : walk->visit(object, walk->context);
}

int hy_space_walk(hy_space *space, hy_object_walk_fn *visit, void *context)
{
    look walk = {.visit = visit, .context = context};
    return hy__walk_all(space, look_at_live, &walk);
}
