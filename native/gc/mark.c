/*
 * mark.c: what is reached.
 *
 * A container that is reached is far away as a rule, and so is its slot. So each waits, first for its
 * slot, then for itself, while others are looked at; chains of references are followed side by side.
 *
 *     field --> [ edges, their slots on the way ] --> seen before?  no --> stack --> [ objects on the way ] --+
 *       ^                                                                                                    |
 *       +----------------------------------------------------------------------------------------------------+
 *
 * In the order of addresses, a child further on is only flagged: the walk comes to it.
 */
#include "gc/walk.h"

/* Half of the objects cross a line of the cache. */
#define PART_LINE 47

/* How many may wait while the walk goes on. */
#define WAITING ((size_t)2 * HY__WAITING_OBJECTS)

static void push(hy__walk *w, hy_object *object)
{
    w->failed |= !hy__objects_add(w->space, &w->gc->stack, object);
}

static inline void add_edge(hy__walk *w, hy_object *object, uint32_t slot)
{
    __builtin_prefetch(&w->left[slot], 1);
    w->edges[(w->first_edge + w->edge_count) % HY__WAITING_SLOTS] =
        (hy__edge){.object = object, .slot = slot};
    w->edge_count++;
}

/* Let objects of the stack come into the cache. */
static inline void fetch_objects(hy__walk *w)
{
    hy__objects *const stack = &w->gc->stack;
    while (w->object_count < HY__WAITING_OBJECTS && stack->count > 0) {
        hy_object *const object = hy__objects_data(stack)[--stack->count];
        __builtin_prefetch(object);
        __builtin_prefetch((char *)object + PART_LINE);
        w->objects[(w->first_object + w->object_count) % HY__WAITING_OBJECTS] = object;
        w->object_count++;
    }
}

/* The first of those that are near their referrer is looked at next. */
static inline void put_next(hy__walk *w, hy_object *object)
{
    if (w->next == NULL) {
        w->next = object;
    } else {
        push(w, object);
    }
}

/* The object to look at next: a near one, else the one that has waited longest, where more than so many
 * wait; else NULL. */
static inline hy_object *take(hy__walk *w, size_t waiting)
{
    hy_object *const near = w->next;
    if (near != NULL) {
        w->next = NULL;
        return near;
    }
    if (w->gc->stack.count + w->object_count <= waiting) {
        return NULL;
    }
    fetch_objects(w);
    hy_object *const object = w->objects[w->first_object];
    w->first_object = (w->first_object + 1) % HY__WAITING_OBJECTS;
    w->object_count--;
    return object;
}

/* ---- the walk --------------------------------------------------------------------------------- */

/* Flag what has no number yet. Whether it is new, and the walk does not come to it any more. */
static inline bool is_passed(hy__walk *w, uint32_t slot)
{
    if (w->left[slot] != 0) {
        return false;
    }
    w->left[slot] = w->flag;
    return slot <= w->cursor;
}

static inline void arrive(hy__walk *w)
{
    const hy__edge edge = w->edges[w->first_edge];
    w->first_edge = (w->first_edge + 1) % HY__WAITING_SLOTS;
    w->edge_count--;
    if (is_passed(w, edge.slot)) {
        push(w, edge.object);
    }
}

static inline void reach(hy__walk *w, hy_object *child)
{
    uint32_t slot;
    if (!hy__map_find(w->map, child, &slot)) {
        return;
    }
    if (hy__is_near(w, child)) {
        if (is_passed(w, slot)) {
            put_next(w, child);
        }
        return;
    }
    if (w->edge_count == HY__WAITING_SLOTS) {
        arrive(w);
    }
    add_edge(w, child, slot);
}

static int visit(hy_object *child, void *context)
{
    reach(context, child);
    return 0;
}

/* What frozen ones refer to stays for that alone. */
static inline void look_at(hy__walk *w, hy_object *object)
{
    w->looked_at++;
    if (!hy__is_frozen(object)) {
        hy__for_each_child(w, object, reach, visit);
    }
}

/* Follow what was reached, until at most so many wait. */
static inline void follow(hy__walk *w, size_t waiting)
{
    hy_object *object;
    while (!w->failed && (object = take(w, waiting)) != NULL) {
        look_at(w, object);
    }
}

static inline bool is_flagged(const hy__walk *w, int32_t left)
{
    return w->flag > 0 ? left > 0 : left < 0;
}

static inline void look_at_block(hy__walk *w, uintptr_t place, uint32_t slot)
{
    if (is_flagged(w, w->left[slot])) {
        w->cursor = slot;
        look_at(w, (hy_object *)place);
        follow(w, WAITING);
    }
}

static void walk_all(hy__walk *w, int32_t flag)
{
    const hy__gc_pool *const pools = w->map->pools.data;
    w->flag = flag;
    for (size_t i = 0; i < w->map->pool_count && !w->failed; i++) {
        hy__for_each_block(w, &pools[i], look_at_block);
    }
    w->cursor = HY__NO_SLOT; /* all that waits is behind the walk */
    follow(w, 0);
    while (w->edge_count > 0 && !w->failed) {
        arrive(w);
        follow(w, 0);
    }
}

void hy__mark_reached(hy__walk *w)
{
    walk_all(w, 1);
}

void hy__mark_from_roots(hy__walk *w)
{
    uint32_t slot;
    for (size_t i = 0; i < w->gc->root_count; i++) {
        if (hy__map_find(w->map, w->gc->roots[i], &slot)) {
            w->left[slot] = HY__SETTLED;
        }
    }
    if (w->gc->root_count != 0) {
        walk_all(w, HY__SETTLED);
    }
}
