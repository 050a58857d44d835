/*
 * drop.c: the last reference is gone, and the inline way does not serve: the type has a function to
 * call, or the free list no room.
 *
 * One function of a type runs at a time. What it drops waits in a list that needs no memory: a dead
 * object's count is negative, and holds the next one's address and its own flags.
 *
 *     count   [ 1 | address of the next that waits, a multiple of 16 | flags ]
 */
#include "object/internal.h"
#include "object/track.h"

/* The inline functions of the public header, for those who call them by name. */
extern void hy_object_drop(hy_object *object);
extern void hy_incref(hy_object *object);
extern void hy_decref(hy_object *object);

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
        HY_COUNT(space->overflows++);
    }
}

/* A reference for the time that the finalizer runs. Whether the object lives on. */
static bool finalize(hy__type *type, hy_object *object)
{
    if ((object->count & HY_OBJECT_FINALIZED) != 0) {
        return false;
    }
    object->count = (object->count & HY__FLAGS) | HY_OBJECT_FINALIZED;
    HY_COUNT(type->space->finalized++);
    type->spec.finalize(object);
    object->count -= HY_OBJECT_REFERENCE;
    HY_COUNT(type->space->resurrected += object->count >= 0);
    if (object->count >= 0 && hy__is_container(type)) {
        hy__track(type->space, object);
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
    space->legacy_freed = false;
    type->spec.legacy(object);
    if (space->legacy_freed) {
        return;
    }
    if (object->count < 0) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", object,
                   "(its legacy function neither freed it nor kept it)");
        return;
    }
    HY_COUNT(space->resurrected++);
    if (hy__is_container(type)) {
        hy__track(space, object);
    }
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
    object->count = INT64_MIN | (int64_t)(uintptr_t)space->pending | flags;
    space->pending = object;
    HY_COUNT(space->deferred++);
}

static hy_object *next_pending(hy_space *space)
{
    hy_object *const object = space->pending;
    if (object != NULL) {
        const int64_t flags = object->count & HY__FLAGS;
        space->pending = (hy_object *)(uintptr_t)(object->count & ~(INT64_MIN | HY__FLAGS));
        object->count = HY__DEAD | flags;
    }
    return object;
}

static void end_all(hy_space *space, hy_object *object)
{
    space->is_dropping = true;
    while (object != NULL) {
        end(hy__type_of(object), object);
        object = next_pending(space);
    }
    space->is_dropping = false;
}

static bool is_dead(const hy_object *object)
{
    return object->type == NULL || object->count < HY__DEAD;
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
    if (hy__is_container(type)) {
        hy__untrack(type->space, object);
    }
    if (type->spec.kind == HY_KIND_PLAIN) {
        end(type, object);
    } else if (type->space->is_dropping) {
        defer(type->space, object);
    } else {
        end_all(type->space, object);
    }
}

void hy_object_free(hy_object *object)
{
    hy__type *const type = hy__type_of(object);
    if (type == NULL) {
        hy__misuse(HY_MISUSE_DOUBLE_FREE, "object", object, NULL);
        return;
    }
    if (type->spec.kind != HY_KIND_LEGACY || object->count >= 0) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", object,
                   object->count >= 0 ? "(it has references)" : "(its type is not legacy)");
        return;
    }
    type->space->legacy_freed = true;
    HY_COUNT(type->space->legacy++);
    if (type->space->is_debug) {
        hy__quarantine_put(type, object);
        return;
    }
    void *const block = hy__block_of(type->shelf, object);
    bury(object);
    hy_heap_free(type->shelf->heap, block);
}
