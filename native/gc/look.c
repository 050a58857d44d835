/*
 * look.c: looking at containers, and leaving them alone.
 */
#include "gc/internal.h"

typedef struct look {
    hy_object_walk_fn *visit;
    void *context;
    const hy_object *sought;
} look;

static int look_at(hy_object *object, void *context)
{
    const look *const walk = context;
    const bool is_one = (object->count & HY_OBJECT_CONTAINER) != 0 && object->count >= 0;
    return is_one ? walk->visit(object, walk->context) : 0;
}

int hy_gc_walk(hy_space *space, hy_object_walk_fn *visit, void *context)
{
    look walk = {.visit = visit, .context = context};
    return hy_space_walk(space, look_at, &walk);
}

static int is_sought(hy_object *child, void *context)
{
    return child == ((const look *)context)->sought;
}

static int look_for_reference(hy_object *object, void *context)
{
    look *const walk = context;
    return hy_object_traverse(object, is_sought, walk) != 0 ? walk->visit(object, walk->context)
                                                            : 0;
}

int hy_gc_referrers(hy_space *space, const hy_object *object, hy_object_walk_fn *visit,
                    void *context)
{
    look walk = {.visit = visit, .context = context, .sought = object};
    return hy_gc_walk(space, look_for_reference, &walk);
}

static bool is_in_list(const hy__gc_link *list, const hy__gc_link *link)
{
    const hy__gc_link *one = list->next;
    while (one != list && one != link) {
        one = one->next;
    }
    return one == link;
}

unsigned hy_gc_generation(hy_space *space, const hy_object *object)
{
    if (hy__is_frozen(object)) {
        return HY_GC_GENERATIONS;
    }
    if (space->is_by_pools) {
        return hy__ages_of_object(space, object);
    }
    if (!space->is_linked) {
        const hy__log *const log = &space->log;
        const size_t index = hy__index_of(object);
        return index < log->old ? 2 : index < log->middle ? 1 : 0;
    }
    unsigned generation = 0;
    while (generation < HY_GC_GENERATIONS - 1 &&
           !is_in_list(&space->generations[generation], hy__link_of(object))) {
        generation++;
    }
    return generation;
}

/* ---- frozen ----------------------------------------------------------------------------------- */

static int freeze_one(hy_object *object, void *context)
{
    uint64_t *const count = context;
    hy__type *const type = hy__type_of(object);
    if (hy__is_frozen(object)) {
        return 0;
    }
    hy__untrack(type->space, object);
    if (type->space->is_linked) {
        hy__link_last(&type->space->gc->frozen, hy__link_of(object));
    }
    object->count |= HY_OBJECT_FROZEN;
    type->space->log.is_whole = false;
    ++*count;
    return 0;
}

static int unfreeze_one(hy_object *object, void *context)
{
    uint64_t *const count = context;
    hy_space *const space = hy__type_of(object)->space;
    if (!hy__is_frozen(object)) {
        return 0;
    }
    object->count &= ~HY_OBJECT_FROZEN;
    if (space->is_linked) {
        hy__unlink(hy__link_of(object));
        hy__link_last(&space->generations[HY_GC_GENERATIONS - 1], hy__link_of(object));
    }
    space->log.has_all = false;
    ++*count;
    return 0;
}

/* Its garbage is in no generation. */
static bool refuse_while_collecting(const hy_space *space)
{
    const bool refused = space->is_collecting || space->is_walking;
    if (refused) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "gc", space, "(a collection runs)");
    }
    return refused;
}

uint64_t hy_gc_freeze(hy_space *space)
{
    uint64_t count = 0;
    if (!refuse_while_collecting(space) && hy__gc_of(space) != NULL) {
        (void)hy_gc_walk(space, freeze_one, &count);
    }
    return count;
}

uint64_t hy_gc_unfreeze(hy_space *space)
{
    uint64_t count = 0;
    if (!refuse_while_collecting(space)) {
        (void)hy_gc_walk(space, unfreeze_one, &count);
    }
    return count;
}
