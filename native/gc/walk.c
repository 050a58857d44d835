/*
 * walk.c: garbage among all containers, by walking the pools of their heap.
 *
 * 1. Each container's references, less those from containers, in one walk. The two meet in the side
 *    array in any order, since it only adds and subtracts. A child is known by its address, and what
 *    has to be taken off its slot waits in a ring until that slot has come into the cache.
 * 2. Mark, in the order of addresses: a child further on is only flagged, since the walk comes to it;
 *    one that the walk has passed is put on a stack.
 * 3. What was not reached is garbage.
 *
 * Where roots are known, what they reach is marked before 1, and left out of it.
 *
 * A block is a container if its type is not NULL and its count not negative: free blocks of the heap are
 * sealed with a key whose highest bit is set, where an object has its count.
 */
#include "gc/map.h"

#define RING 32

/* Objects that may wait on the stack while the walk goes on: chains of them are then followed side by
 * side, where one at a time would wait for memory at each step. */
#define WAITING 32

/* In the side array, of what was reached: more than any number of references is. */
#define REACHED INT32_MAX

typedef struct walk {
    hy_space *space;
    hy__gc *gc;
    const hy__gc_map *map;
    int32_t *left;
    unsigned char *present; /* by slot: holds a container; NULL: look */
    uint32_t cursor;        /* slot that the marking walk is at */
    uint32_t at;
    uint32_t ring[RING];
    bool failed;
} walk;

/* Where a tool watches each block, free ones must not be read: then it is known before what is none. */
static inline bool is_container(const walk *w, const hy_object *object, uint32_t slot)
{
    return (w->present == NULL || w->present[slot]) && object->type != NULL && object->count >= 0;
}

typedef void object_fn(walk *w, hy_object *object, uint32_t slot);
typedef bool slot_fn(int32_t left);

/* Call `look` for each container whose slot is wanted, by address. The memory of others is not read. */
static inline __attribute__((always_inline)) void for_each(walk *w, slot_fn *wanted,
                                                           object_fn *look)
{
    const hy__gc_pool *const pools = w->map->pools.data;
    for (size_t i = 0; i < w->map->pool_count && !w->failed; i++) {
        const hy__gc_pool pool = pools[i];
        uintptr_t place = pool.first;
        for (uint32_t slot = pool.slot; slot < pool.slot + pool.blocks; slot++) {
            hy_object *const object = (hy_object *)place;
            if (wanted(w->left[slot]) && is_container(w, object, slot) && !hy__is_frozen(object)) {
                look(w, object, slot);
            }
            place += pool.block_size;
        }
    }
}

/* Call `visit` for each child; most containers are references and nothing else. */
static inline __attribute__((always_inline)) void for_each_child(hy_object *object,
                                                                 hy_visit_fn *visit, walk *w)
{
    const hy__type *const type = hy__type_of(object);
    if ((type->spec.flags & HY_TYPE_REFERENCES) == 0 || type->spec.item_size != 0) {
        (void)type->spec.traverse(object, visit, w);
        return;
    }
    hy_object **const end = (hy_object **)(void *)((char *)object + type->spec.object_size);
    for (hy_object **field = (hy_object **)(void *)(object + 1); field < end; field++) {
        if (*field != NULL) {
            (void)visit(*field, w);
        }
    }
}

/* ---- 1: what is left of the references ------------------------------------------------------- */

static inline void settle(walk *w, uint32_t slot)
{
    if (slot != HY__NO_SLOT && w->left[slot] != REACHED) {
        w->left[slot]--;
    }
}

static int subtract(hy_object *child, void *context)
{
    walk *const w = context;
    const uint32_t slot = hy__map_slot(w->map, child);
    if (slot == HY__NO_SLOT) {
        return 0;
    }
    __builtin_prefetch(&w->left[slot], 1);
    settle(w, w->ring[w->at]);
    w->ring[w->at] = slot;
    w->at = (w->at + 1) % RING;
    return 0;
}

static inline bool is_in_doubt(int32_t left)
{
    return left != REACHED;
}

static inline void take_off(walk *w, hy_object *object, uint32_t slot)
{
    w->left[slot] += hy__references_capped(object);
    w->gc->result.candidates++;
    for_each_child(object, subtract, w);
}

static void empty_ring(walk *w)
{
    for (uint32_t i = 0; i < RING; i++) {
        settle(w, w->ring[i]);
        w->ring[i] = HY__NO_SLOT;
    }
}

/* ---- 2: what is reached ---------------------------------------------------------------------- */

static void push(walk *w, hy_object *object)
{
    if (!hy__objects_add(w->space, &w->gc->stack, object)) {
        w->failed = true;
        return;
    }
    __builtin_prefetch(object);
    __builtin_prefetch((char *)object + 64);
}

static int reach(hy_object *child, void *context)
{
    walk *const w = context;
    const uint32_t slot = hy__map_slot(w->map, child);
    if (slot == HY__NO_SLOT || w->left[slot] != 0) {
        return 0;
    }
    w->left[slot] = 1;
    if (slot <= w->cursor) {
        push(w, child);
    }
    return 0;
}

/* One of those that wait, but not of the latest, so that it has had time to come into the cache. */
static hy_object *pop(hy__objects *stack)
{
    hy_object **const data = hy__objects_data(stack);
    const size_t depth = stack->count < WAITING ? stack->count : WAITING;
    hy_object *const object = data[stack->count - depth];
    data[stack->count - depth] = data[stack->count - 1];
    stack->count--;
    return object;
}

static void drain(walk *w, size_t waiting)
{
    while (w->gc->stack.count > waiting && !w->failed) {
        for_each_child(pop(&w->gc->stack), reach, w);
    }
}

static inline bool is_referred_to(int32_t left)
{
    return left != 0 && left != REACHED;
}

static inline void mark(walk *w, hy_object *object, uint32_t slot)
{
    w->cursor = slot;
    for_each_child(object, reach, w);
    drain(w, WAITING);
}

/* ---- before: what roots reach ---------------------------------------------------------------- */

static int reach_from_root(hy_object *child, void *context)
{
    walk *const w = context;
    const uint32_t slot = hy__map_slot(w->map, child);
    if (slot == HY__NO_SLOT || w->left[slot] == REACHED || hy__is_frozen(child)) {
        return 0;
    }
    w->left[slot] = REACHED;
    push(w, child);
    return 0;
}

static void mark_from_roots(walk *w)
{
    for (size_t i = 0; i < w->gc->root_count; i++) {
        (void)reach_from_root(w->gc->roots[i], w);
    }
    while (w->gc->stack.count > 0 && !w->failed) {
        for_each_child(pop(&w->gc->stack), reach_from_root, w);
    }
}

/* ---- 3: the rest ------------------------------------------------------------------------------ */

/* Slots that hold no container are 0 too. */
static inline bool is_unreached(int32_t left)
{
    return left == 0;
}

static inline void gather(walk *w, hy_object *object, uint32_t slot)
{
    (void)slot;
    w->failed = !hy__objects_add(w->space, &w->gc->garbage, object);
}

static int note_present(hy_object *object, void *context)
{
    const walk *const w = context;
    const uint32_t slot = hy__map_slot(w->map, object);
    if (slot != HY__NO_SLOT) {
        w->present[slot] = 1;
    }
    return 0;
}

/* The heap's own walk tells which blocks are live. */
static bool look_for_present(walk *w)
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

bool hy__find_by_walk(hy_space *space, hy__gc *gc)
{
    if (!hy__map_make(space, gc) || !reserve(space, gc)) {
        return false;
    }
    walk w = {.space = space, .gc = gc, .map = &gc->map, .left = gc->side.data};
    (void)memset(w.ring, 0xff, sizeof w.ring);
    if (!look_for_present(&w)) {
        return false;
    }
    mark_from_roots(&w);
    if (!w.failed) {
        for_each(&w, is_in_doubt, take_off);
        empty_ring(&w);
        for_each(&w, is_referred_to, mark);
        w.cursor = HY__NO_SLOT; /* the walk has passed all */
        drain(&w, 0);
    }
    if (!w.failed) {
        for_each(&w, is_unreached, gather);
    }
    gc->stack.count = 0;
    return !w.failed;
}
