/*
 * walk.c: garbage among all containers, by walking the pools of their heap.
 *
 * 1. Each container's references, less those from containers, in one walk. The two meet in the side
 *    array in any order, since it only adds and subtracts. A child is known by its address, and what
 *    has to be taken off its slot waits in a ring until that slot has come into the cache.
 * 2. Mark (mark.c), in the order of addresses.
 * 3. What was not reached is garbage.
 *
 * Where roots are known, what they reach is marked before 1, and left out of it.
 *
 * A block is a container if its type is not NULL and its count not negative: free blocks of the heap are
 * sealed with a key whose highest bit is set, where an object has its count.
 */
#include "gc/walk.h"

/* Where a tool watches each block, free ones must not be read: then it is known before what is none. */
static inline bool is_container(const hy__walk *w, const hy_object *object, uint32_t slot)
{
    return (w->present == NULL || w->present[slot]) && object->type != NULL && object->count >= 0;
}

/* ---- 1: what is left of the references ------------------------------------------------------- */

static inline void subtract(hy__walk *w, hy_object *child)
{
    uint32_t slot;
    if (!hy__map_find(w->map, child, &slot)) {
        return;
    }
    if (hy__is_near(w, child)) {
        w->left[slot]--;
        return;
    }
    __builtin_prefetch(&w->left[slot], 1);
    w->left[w->ring[w->at]]--;
    w->ring[w->at] = slot;
    w->at = (w->at + 1) % HY__WAITING_SLOTS;
}

static int visit(hy_object *child, void *context)
{
    subtract(context, child);
    return 0;
}

static inline void take_off(hy__walk *w, hy_object *object, uint32_t slot)
{
    if (!is_container(w, object, slot) || hy__is_frozen(object)) {
        w->left[slot] = is_container(w, object, slot) ? HY__SETTLED : HY__NONE;
        return;
    }
    w->left[slot] += hy__references_capped(object);
    w->gc->result.candidates++;
    hy__for_each_child(w, object, subtract, visit);
}

/* A slot that is nobody's. */
static void fill_ring(hy__walk *w)
{
    for (uint32_t i = 0; i < HY__WAITING_SLOTS; i++) {
        w->ring[i] = w->map->slots;
    }
}

static void empty_ring(hy__walk *w)
{
    for (uint32_t i = 0; i < HY__WAITING_SLOTS; i++) {
        w->left[w->ring[i]]--;
    }
}

static inline void take_off_block(hy__walk *w, uintptr_t place, uint32_t slot)
{
    if (!hy__is_settled(w->left[slot])) {
        take_off(w, (hy_object *)place, slot);
    }
}

static void take_off_all(hy__walk *w)
{
    const hy__gc_pool *const pools = w->map->pools.data;
    fill_ring(w);
    for (size_t i = 0; i < w->map->pool_count; i++) {
        hy__for_each_block(w, &pools[i], take_off_block);
    }
    empty_ring(w);
}

/* ---- 3: the rest ------------------------------------------------------------------------------ */

static inline void gather_block(hy__walk *w, uintptr_t place, uint32_t slot)
{
    if (w->left[slot] == 0) {
        w->failed = !hy__objects_add(w->space, &w->gc->garbage, (hy_object *)place);
    }
}

static void gather(hy__walk *w)
{
    const hy__gc_pool *const pools = w->map->pools.data;
    for (size_t i = 0; i < w->map->pool_count; i++) {
        hy__for_each_block(w, &pools[i], gather_block);
    }
}

/* ---- all -------------------------------------------------------------------------------------- */

static int note_present(hy_object *object, void *context)
{
    const hy__walk *const w = context;
    uint32_t slot;
    if (hy__map_find(w->map, object, &slot)) {
        w->present[slot] = 1;
    }
    return 0;
}

/* The heap's own walk tells which blocks are live. */
static bool look_for_present(hy__walk *w)
{
    if (!hy__is_annotating()) {
        return true;
    }
    if (!hy__buffer_reserve(w->space, &w->gc->present, w->map->slots + 1)) {
        return false;
    }
    w->present = w->gc->present.data;
    (void)memset(w->present, 0, w->map->slots);
    (void)hy_gc_walk(w->space, note_present, w);
    return true;
}

static inline void begin_block(hy__walk *w, uintptr_t place, uint32_t slot)
{
    (void)place;
    w->left[slot] = 0;
}

/* Slots that are looked at begin as 0, and that which is nobody's. */
static void begin(hy__walk *w)
{
    const hy__gc_pool *const pools = w->map->pools.data;
    for (size_t i = 0; i < w->map->pool_count; i++) {
        if (pools[i].bits == NULL) {
            (void)memset(w->left + pools[i].slot, 0, pools[i].blocks * sizeof *w->left);
        } else {
            hy__for_each_block(w, &pools[i], begin_block);
        }
    }
    w->left[w->map->slots] = 0;
}

static bool reserve(hy_space *space, hy__gc *gc)
{
    return hy__buffer_reserve(space, &gc->side, ((size_t)gc->map.slots + 1) * sizeof(int32_t));
}

static bool find(hy__walk *w)
{
    begin(w);
    hy__mark_from_roots(w);
    w->gc->settled = w->looked_at;
    w->is_settled = w->looked_at == w->map->live;
    if (w->failed || w->is_settled) {
        return !w->failed;
    }
    take_off_all(w);
    hy__mark_reached(w);
    if (!w->failed) {
        gather(w);
    }
    return !w->failed;
}

bool hy__find_by_walk(hy_space *space, hy__gc *gc, unsigned generation)
{
    hy__known_add_log(space, gc);
    if (!hy__map_make(space, gc, generation) || !reserve(space, gc)) {
        return false;
    }
    hy__walk w = {.space = space, .gc = gc, .map = &gc->map, .left = gc->side.data};
    if (!look_for_present(&w)) {
        return false;
    }
    const bool found = find(&w);
    if (found && !space->is_by_pools) {
        hy__known_note(space, gc, &w);
    }
    gc->stack.count = 0;
    return found;
}
