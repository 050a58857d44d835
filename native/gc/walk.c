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
        w->left[slot] = HY__SETTLED;
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

static void take_off_all(hy__walk *w)
{
    const hy__gc_pool *const pools = w->map->pools.data;
    fill_ring(w);
    for (size_t i = 0; i < w->map->pool_count; i++) {
        const hy__gc_pool pool = pools[i];
        uintptr_t place = pool.first;
        for (uint32_t slot = pool.slot; slot < pool.slot + pool.blocks; slot++) {
            if (!hy__is_settled(w->left[slot])) {
                take_off(w, (hy_object *)place, slot);
            }
            place += pool.block_size;
        }
    }
    empty_ring(w);
}

/* ---- 3: the rest ------------------------------------------------------------------------------ */

static void gather(hy__walk *w)
{
    const hy__gc_pool *const pools = w->map->pools.data;
    for (size_t i = 0; i < w->map->pool_count; i++) {
        const int32_t *const left = w->left + pools[i].slot;
        for (uint32_t block = 0; block < pools[i].blocks && !w->failed; block++) {
            if (left[block] == 0) {
                const uintptr_t place = pools[i].first + (uintptr_t)block * pools[i].block_size;
                w->failed = !hy__objects_add(w->space, &w->gc->garbage, (hy_object *)place);
            }
        }
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

static bool reserve(hy_space *space, hy__gc *gc)
{
    const size_t bytes = ((size_t)gc->map.slots + 1) * sizeof(int32_t);
    if (!hy__buffer_reserve(space, &gc->side, bytes)) {
        return false;
    }
    (void)memset(gc->side.data, 0, bytes);
    return true;
}

bool hy__find_by_walk(hy_space *space, hy__gc *gc, unsigned generation)
{
    if (!hy__map_make(space, gc, generation) || !reserve(space, gc)) {
        return false;
    }
    hy__walk w = {.space = space, .gc = gc, .map = &gc->map, .left = gc->side.data};
    if (!look_for_present(&w)) {
        return false;
    }
    hy__mark_from_roots(&w);
    if (!w.failed) {
        take_off_all(&w);
        hy__mark_reached(&w);
    }
    if (!w.failed) {
        gather(&w);
    }
    gc->stack.count = 0;
    return !w.failed;
}
