/*
 * drop.c: the last reference is gone, and the inline way does not serve: the type has a function to
 * call, or the free list no room.
 *
 * One function of a type runs at a time. What it drops waits in a list that needs no memory: a dead
 * object's count is negative, and holds the next one's address and its own flags.
 *
 *     count   [ 11 | address of the next that waits, a multiple of 16 | flags ]
 *
 * The second bit keeps the count negative when one decref too many takes a reference off it.
 */
#include "object/internal.h"
#include "object/track.h"

/* The inline functions of the public header, for those who call them by name. */
extern void hy_object_drop(hy_object *object);
extern void hy_incref(hy_object *object);
extern void hy_decref(hy_object *object);

#define WAITS (INT64_MIN | INT64_MIN >> 1)

static void put_on_list(hy_object_list *list, hy_object *object)
{
    hy_object_link *const link = (hy_object_link *)(void *)object;
    link->next = list->head;
    list->head = link;
    list->room--;
}

/* The dead have no type, and a count that one more decref finds negative. */
static void bury(hy_object *object)
{
    object->type = NULL;
    object->count = HY__DEAD;
}

void hy__release(hy__type *type, hy_object *object)
{
    hy_space *const space = type->space;
    if (space->is_debug) {
        hy__quarantine_put(type, object);
        return;
    }
    const size_t size = hy__block_size(type, hy__object_size(type, object));
    void *const block = hy__block_of(type->shelf, object);
    bury(object);
    if (!hy__is_listed_size(size)) {
        hy_heap_free(type->shelf->heap, block);
        return;
    }
    hy_object_list *const list = hy__list_of(type->shelf, size);
    if (list->room > 0) {
        put_on_list(list, object);
        HY_COUNT(space->shelved++);
    } else {
        hy_heap_free_sized(type->shelf->heap, block, size + type->shelf->prefix);
        HY_COUNT(hy__counts_of(type->shelf, list)->overflows++);
    }
}

/* The object lives on: it is young again, and frozen no more. */
static void let_live(hy__type *type, hy_object *object)
{
    HY_COUNT(type->space->resurrected++);
    if (hy__is_container(type)) {
        object->count &= ~HY_OBJECT_FROZEN;
        hy__track(type->space, object);
    }
}

/* A reference for the time that the finalizer runs. Whether the object lives on. */
static bool finalize(hy__type *type, hy_object *object)
{
    hy_space *const space = type->space;
    if ((object->count & HY_OBJECT_FINALIZED) != 0) {
        return false;
    }
    object->count = (object->count & HY__FLAGS) | HY_OBJECT_FINALIZED;
    HY_COUNT(space->finalized++);
    space->drops.is_finalizing = true;
    type->spec.finalize(object);
    space->drops.is_finalizing = false;
    object->count -= HY_OBJECT_REFERENCE;
    if (object->count >= 0) {
        let_live(type, object);
    }
    return object->count >= 0;
}

static void dealloc(hy__type *type, hy_object *object)
{
    if (type->spec.dealloc != NULL) {
        type->spec.dealloc(object);
        if (object->count >= 0) {
            hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", object,
                       "(a dealloc made a new reference to its object)");
        }
    }
    hy__release(type, object);
}

/* The object may be gone when its function returns: whether it is, hy_object_free has noted. */
static void legacy(hy__type *type, hy_object *object)
{
    hy_space *const space = type->space;
    type->spec.legacy(object);
    if (space->drops.ending == NULL) {
        return;
    }
    if (object->count < 0) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", object,
                   "(its legacy function neither freed it nor kept it)");
        return;
    }
    let_live(type, object);
}

static void end(hy__type *type, hy_object *object)
{
    if (hy__is_weak(type)) {
        hy_weak *queue = NULL;
        hy__weak_detach(type, object, &queue);
        hy__weak_run(&queue);
    }
    switch (type->spec.kind) {
    case HY_KIND_FINALIZE:
        if (!finalize(type, object)) {
            HY_COUNT(type->space->finalize++);
            dealloc(type, object);
        }
        return;
    case HY_KIND_LEGACY:
        legacy(type, object);
        return;
    case HY_KIND_DEALLOC:
        HY_COUNT(type->space->dealloc++);
        dealloc(type, object);
        return;
    default:
        HY_COUNT(type->space->plain_slow++);
        hy__release(type, object);
        return;
    }
}

static void defer(hy_space *space, hy_object *object)
{
    const int64_t flags = object->count & HY__FLAGS;
    object->count = WAITS | (int64_t)(uintptr_t)space->drops.pending | flags;
    space->drops.pending = object;
    HY_COUNT(space->deferred++);
}

static hy_object *next_pending(hy_space *space)
{
    hy_object *const object = space->drops.pending;
    if (object != NULL) {
        const int64_t flags = object->count & HY__FLAGS;
        space->drops.pending = (hy_object *)(uintptr_t)(object->count & ~(WAITS | HY__FLAGS));
        object->count = HY__DEAD | flags;
    }
    return object;
}

static void end_all(hy_space *space, hy_object *object)
{
    space->drops.is_running = true;
    while (object != NULL) {
        space->drops.ending = object;
        end(hy__type_of(object), object);
        object = next_pending(space);
    }
    space->drops = (hy__drops){0};
}

/* A finalizer has one reference of ours to its object, and has dropped it. */
static bool is_dead(const hy_object *object)
{
    return object->type == NULL || object->count < HY__DEAD ||
           (object == hy__type_of(object)->space->drops.ending &&
            hy__type_of(object)->space->drops.is_finalizing);
}

/* It had a reference for a while, as one may have that dealloc or legacy passes its object to. */
static bool is_ending(const hy_space *space, const hy_object *object)
{
    return object == space->drops.ending;
}

/* What calls no function of a user's ends at once. */
static bool is_quick(const hy__type *type)
{
    return type->spec.kind == HY_KIND_PLAIN && !hy__is_weak(type);
}

void hy_object_drop_slow(hy_object *object)
{
    if (object->type != NULL) {
        object->type->drop_list->room++; /* the inline way took it */
    }
    if (is_dead(object)) {
        object->count += HY_OBJECT_REFERENCE;
        hy__misuse(HY_MISUSE_DOUBLE_FREE, "object", object, "(one decref too many)");
        return;
    }
    hy__type *const type = hy__type_of(object);
    hy_space *const space = type->space;
    if (hy__refuse_while_walking(space, object,
                                 "(an object dropped while the collector looks at the heap)")) {
        object->count += HY_OBJECT_REFERENCE;
        return;
    }
    if (is_ending(space, object)) {
        return;
    }
    if (hy__is_container(type)) {
        hy__untrack(space, object);
    }
    if (is_quick(type)) {
        end(type, object);
    } else if (space->drops.is_running) {
        defer(space, object);
    } else {
        end_all(space, object);
    }
}

void hy_object_free(hy_object *object)
{
    hy__type *const type = hy__type_of(object);
    if (type == NULL) {
        hy__misuse(HY_MISUSE_DOUBLE_FREE, "object", object, NULL);
        return;
    }
    if (type->spec.kind != HY_KIND_LEGACY || object->count >= 0 || hy__is_pending(object)) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", object,
                   object->count >= 0       ? "(it has references)"
                   : hy__is_pending(object) ? "(it waits for its own function)"
                                            : "(its type is not legacy)");
        return;
    }
    if (is_ending(type->space, object)) {
        type->space->drops.ending = NULL;
    }
    HY_COUNT(type->space->legacy++);
    if (type->space->is_debug) {
        hy__quarantine_put(type, object);
        return;
    }
    void *const block = hy__block_of(type->shelf, object);
    bury(object);
    hy_heap_free(type->shelf->heap, block);
}
