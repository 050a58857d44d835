/*
 * weak.c: weak references. Those to one object are a list that begins in a slot behind it:
 *
 *     [ object ........ | slot ] ---> weak <---> weak <---> weak
 *
 * A dying object's list moves to a queue, where its callbacks wait until all of the dying have none.
 */
#include "object/internal.h"

struct hy_weak {
    hy_object dead;    /* to a walk of the heap it is no object */
    hy_object *object; /* NULL: cleared */
    hy_space *space;
    hy_weak *next;
    hy_weak **link; /* what points to this one; NULL: in no list */
    hy_weak_fn *callback;
    void *context;
};

static void put_first(hy_weak **list, hy_weak *weak)
{
    weak->next = *list;
    weak->link = list;
    if (weak->next != NULL) {
        weak->next->link = &weak->next;
    }
    *list = weak;
}

static void take_out(hy_weak *weak)
{
    if (weak->link == NULL) {
        return;
    }
    *weak->link = weak->next;
    if (weak->next != NULL) {
        weak->next->link = weak->link;
    }
    weak->link = NULL;
}

hy_weak *hy_weak_new(hy_object *object, hy_weak_fn *callback, void *context)
{
    hy__type *const type = hy__type_of(object);
    if (!hy__is_weak(type) || object->count < 0) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", object,
                   object->count < 0 ? "(a weak reference to what is dying)"
                                     : "(its type has no weak references)");
        return NULL;
    }
    hy_weak *const weak = hy_heap_malloc(type->space->atoms.heap, sizeof *weak);
    if (weak == NULL) {
        HY_COUNT(type->space->failures++);
        return NULL;
    }
    *weak = (hy_weak){
        .dead = {.type = NULL, .count = HY__DEAD},
        .object = object,
        .space = type->space,
        .callback = callback,
        .context = context,
    };
    put_first(hy__weak_slot(type, object), weak);
    HY_COUNT(type->space->weak_references++);
    return weak;
}

hy_object *hy_weak_get(hy_weak *weak)
{
    if (weak->object == NULL || weak->object->count < 0) {
        return NULL; /* gone, or it waits for its end */
    }
    hy_incref(weak->object);
    return weak->object;
}

void hy_weak_free(hy_weak *weak)
{
    if (weak == NULL) {
        return;
    }
    hy_space *const space = weak->space;
    take_out(weak);
    HY_COUNT(space->weak_references--);
    hy_heap_free(space->atoms.heap, weak);
}

void hy__weak_detach(hy__type *type, hy_object *object, hy_weak **queue)
{
    if (!hy__is_weak(type)) {
        return;
    }
    hy_weak **const slot = hy__weak_slot(type, object);
    while (*slot != NULL) {
        hy_weak *const weak = *slot;
        weak->object = NULL;
        take_out(weak);
        put_first(queue, weak);
    }
}

void hy__weak_run(hy_weak **queue)
{
    while (*queue != NULL) {
        hy_weak *const weak = *queue;
        take_out(weak);
        if (weak->callback != NULL) {
            weak->callback(weak->context);
        }
    }
}
