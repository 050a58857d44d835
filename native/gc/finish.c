/*
 * finish.c: the end of garbage. Each object of it is held by one reference of ours, so that none goes
 * while others of it are looked at, and its index is its place in the list.
 */
#include "gc/internal.h"

typedef struct finish {
    hy_space *space;
    hy__gc *gc;
    hy_object **objects;
    size_t count;
    int32_t *left;
} finish;

/* Beyond what an index holds there are no places: where a finalizer ran, such an object stays until the
 * next collection, when none has to run. */
static void set_place(hy_object *object, size_t place)
{
    hy__set_index(object, place <= HY__INDEX_LIMIT ? place : 0);
}

static void hold_all(const finish *f)
{
    for (size_t i = 0; i < f->count; i++) {
        hy_incref(f->objects[i]);
        set_place(f->objects[i], i + 1);
    }
}

static void clear_weak_references(const finish *f)
{
    struct hy_weak *queue = NULL;
    for (size_t i = 0; i < f->count; i++) {
        hy__weak_detach(hy__type_of(f->objects[i]), f->objects[i], &queue);
    }
    hy__weak_run(&queue);
}

static bool needs_finalizer(const hy_object *object)
{
    return hy__type_of(object)->spec.finalize != NULL && (object->count & HY_OBJECT_FINALIZED) == 0;
}

/* Whether any ran. */
static bool finalize_all(const finish *f)
{
    bool any = false;
    for (size_t i = 0; i < f->count; i++) {
        hy_object *const object = f->objects[i];
        if (needs_finalizer(object)) {
            object->count |= HY_OBJECT_FINALIZED;
            HY_COUNT(f->space->finalized++);
            hy__type_of(object)->spec.finalize(object);
            any = true;
        }
    }
    return any;
}

/* ---- what finalizers have made reachable again ---------------------------------------------- */

/* The place of an object in the list, counted from 1; 0: it is not there. */
static inline size_t place_of(const finish *f, const hy_object *object)
{
    const size_t index = hy__index_of(object);
    return index != 0 && index <= f->count && f->objects[index - 1] == object ? index : 0;
}

static int subtract(hy_object *child, void *context)
{
    const finish *const f = context;
    const size_t place = place_of(f, child);
    if (place != 0) {
        f->left[place - 1]--;
    }
    return 0;
}

static int reach(hy_object *child, void *context)
{
    const finish *const f = context;
    const size_t place = place_of(f, child);
    if (place != 0 && f->left[place - 1] == 0) {
        f->left[place - 1] = 1;
        hy__push(&f->gc->stack, child);
    }
    return 0;
}

static void count_references(finish *f)
{
    for (size_t i = 0; i < f->count; i++) {
        f->left[i] += hy__references_capped(f->objects[i]) - 1;
        (void)hy_object_traverse(f->objects[i], subtract, f);
    }
}

static void reach_all(finish *f)
{
    hy__objects *const stack = &f->gc->stack;
    for (size_t i = 0; i < f->count; i++) {
        if (f->left[i] > 0) {
            hy__push(stack, f->objects[i]);
        }
    }
    while (stack->count > 0) {
        (void)hy_object_traverse(hy__objects_data(stack)[--stack->count], reach, f);
    }
}

/* Back to the containers that live: among the old ones. */
static void let_live(const finish *f, hy_object *object)
{
    if (f->space->is_linked) {
        hy__gc_link *const link = hy__link_of(object);
        hy__unlink(link);
        hy__link_last(&f->space->generations[HY_GC_GENERATIONS - 1], link);
    }
    hy__set_index(object, 0);
    f->space->log.is_whole = false;
    f->space->log.has_all = false;
}

static void leave_out_resurrected(finish *f)
{
    size_t to = 0;
    for (size_t i = 0; i < f->count; i++) {
        hy_object *const object = f->objects[i];
        if (f->left[i] > 0) {
            let_live(f, object);
            object->count -= HY_OBJECT_REFERENCE;
            f->gc->result.resurrected++;
        } else {
            set_place(object, to + 1);
            f->objects[to++] = object;
        }
    }
    f->count = to;
}

static void look_again(finish *f)
{
    (void)memset(f->left, 0, f->count * sizeof *f->left);
    f->space->is_walking = true;
    count_references(f);
    reach_all(f);
    f->space->is_walking = false;
    leave_out_resurrected(f);
}

/* ---- the rest --------------------------------------------------------------------------------- */

static void clear_all(const finish *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const hy_type_spec *const spec = hy_type_get(f->objects[i]->type);
        if (spec->clear != NULL) {
            spec->clear(f->objects[i]);
        }
    }
}

/* An object that only we refer to goes; what something still refers to can't be collected, but if
 * that goes by our hand it does too: so two rounds. */
static void let_go(finish *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        hy_object *const object = f->objects[i];
        if (hy_references(object) == 1) {
            hy_decref(object);
            f->gc->result.collected++;
        } else {
            set_place(object, kept + 1);
            f->objects[kept++] = object;
        }
    }
    f->count = kept;
}

static void let_go_all(finish *f)
{
    size_t before;
    do {
        before = f->count;
        let_go(f);
    } while (f->count != 0 && f->count < before);
    for (size_t i = 0; i < f->count; i++) {
        let_live(f, f->objects[i]);
    }
    f->gc->result.uncollectable = f->count;
}

/* The references of ours to what lives on. */
static void release_uncollectable(const finish *f)
{
    for (size_t i = 0; i < f->count; i++) {
        f->objects[i]->count -= HY_OBJECT_REFERENCE;
    }
}

/* What garbage drops goes at once, also where a function that an object ends by has asked for the
 * collection: its own drops wait until it has returned. */
void hy__finish(hy_space *space, hy__gc *gc)
{
    const hy__drops outer = space->drops;
    finish f = {
        .space = space,
        .gc = gc,
        .objects = hy__objects_data(&gc->garbage),
        .count = gc->garbage.count,
        .left = gc->side.data,
    };
    space->drops = (hy__drops){0};
    hold_all(&f);
    clear_weak_references(&f);
    if (finalize_all(&f)) {
        look_again(&f);
    }
    clear_all(&f);
    let_go_all(&f);
    release_uncollectable(&f);
    gc->garbage.count = f.count;
    space->drops = outer;
}
