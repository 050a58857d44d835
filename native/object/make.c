/*
 * make.c: new objects, where the inline way does not serve.
 */
#include "object/internal.h"

extern hy_object *hy_new(hy_type *type);

/* A block for an object of `size`: from a list, where one holds such, else from the heap. */
static hy_object *take_block(hy__type *type, size_t size)
{
    hy_space *const space = type->space;
    if (!hy__is_listed_size(size)) {
        hy_object *const block = hy_heap_malloc(type->shelf->heap, size);
        HY_COUNT(space->beyond_lists += block != NULL);
        return block;
    }
    hy_object_list *const list = hy__list_of(type->shelf, size);
    hy_object_link *const link = list->head;
    if (link != NULL && type->spec.kind != HY_KIND_LEGACY) {
        list->head = link->next;
        list->room++;
        HY_COUNT(list->hits++);
        return &link->dead;
    }
    hy_object *const block = hy_heap_malloc(type->shelf->heap, hy__block_size(size));
    HY_COUNT(space->misses += block != NULL);
    return block;
}

/* Its type is written last: before, it is no object. */
static hy_object *make(hy__type *type, size_t size)
{
    hy_object *const object = take_block(type, size);
    if (object == NULL) {
        HY_COUNT(type->space->failures++);
        return NULL;
    }
    object->type = NULL;
    if (type->spec.traverse != NULL) {
        (void)memset(object + 1, 0, size - sizeof *object);
    }
    object->count = 0;
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
    if (object != NULL) {
        object->type = handle;
    }
    return object;
}

hy_object *hy_new_var(hy_type *handle, size_t items)
{
    hy__type *const type = (hy__type *)(void *)handle;
    size_t size;
    if (refuse_items(type, true)) {
        return NULL;
    }
    if (!hy__multiply(items, type->spec.item_size, &size) ||
        !hy__add(size, type->spec.object_size, &size) || size > PTRDIFF_MAX) {
        HY_COUNT(type->space->failures++);
        return NULL;
    }
    hy_object *const object = make(type, size);
    if (object != NULL) {
        ((hy_var_object *)object)->items = items;
        object->type = handle;
    }
    return object;
}
