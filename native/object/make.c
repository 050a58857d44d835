/*
 * make.c: new objects, where the inline way does not serve.
 */
#include "object/internal.h"
#include "object/track.h"

extern hy_object *hy_new(hy_type *type);

/* A place of `size` bytes, with the prefix of its shelf in front of it. NULL: no memory. */
static hy_object *take_from_heap(hy__type *type, size_t size)
{
    char *const block = hy_heap_malloc(type->shelf->heap, size + type->shelf->prefix);
    return block != NULL ? (hy_object *)(void *)(block + type->shelf->prefix) : NULL;
}

/* The same from a list, where one holds such. */
static hy_object *take(hy__type *type, size_t size)
{
    if (!hy__is_listed_size(size)) {
        hy_object *const place = take_from_heap(type, size);
        HY_COUNT(type->space->beyond_lists += place != NULL);
        return place;
    }
    hy_object_list *const list = hy__list_of(type->shelf, size);
    hy_object_link *const link = list->head;
    if (link != NULL && type->spec.kind != HY_KIND_LEGACY) {
        list->head = link->next;
        list->room++;
        HY_COUNT(list->hits++);
        return &link->dead;
    }
    hy_object *const place = take_from_heap(type, size);
    HY_COUNT(hy__counts_of(type->shelf, list)->misses += place != NULL);
    return place;
}

/* Its type is written last: before, it is no object. */
static hy_object *make(hy__type *type, size_t size)
{
    hy_space *const space = type->space;
    if (hy__refuse_while_walking(space, type,
                                 "(an object made while the collector looks at the heap)")) {
        return NULL;
    }
    if (space->due != 0 && hy__is_container(type) && ++space->births >= space->due) {
        space->collect(space);
    }
    hy_object *const object = take(type, hy__block_size(type, size));
    if (object == NULL) {
        HY_COUNT(space->failures++);
        return NULL;
    }
    object->type = NULL;
    object->count = 0;
    if (hy__is_container(type)) {
        (void)memset(object + 1, 0, size - sizeof *object);
        object->count = HY_OBJECT_CONTAINER;
    }
    return object;
}

/* All its fields are NULL: from here on it is an object. */
static hy_object *publish(hy__type *type, hy_object *object)
{
    if (hy__is_weak(type)) {
        *hy__weak_slot(type, object) = NULL;
    }
    if (hy__is_container(type)) {
        hy__track(type->space, object);
    }
    object->type = &type->window;
    return object;
}

static bool refuse_items(const hy__type *type, bool wants_items)
{
    if ((type->spec.item_size != 0) == wants_items) {
        return false;
    }
    hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", type,
               wants_items ? "(a type without items)" : "(a type with items: hy_new_var)");
    return true;
}

hy_object *hy_new_slow(hy_type *handle)
{
    hy__type *const type = (hy__type *)(void *)handle;
    if (refuse_items(type, false)) {
        return NULL;
    }
    hy_object *const object = make(type, type->spec.object_size);
    return object != NULL ? publish(type, object) : NULL;
}

hy_object *hy_new_var(hy_type *handle, size_t items)
{
    hy__type *const type = (hy__type *)(void *)handle;
    size_t size;
    if (refuse_items(type, true)) {
        return NULL;
    }
    if (!hy__multiply(items, type->spec.item_size, &size) ||
        !hy__add(size, type->spec.object_size, &size) || size > PTRDIFF_MAX / 2) {
        HY_COUNT(type->space->failures++);
        return NULL;
    }
    hy_object *const object = make(type, size);
    if (object == NULL) {
        return NULL;
    }
    ((hy_var_object *)object)->items = items;
    return publish(type, object);
}
