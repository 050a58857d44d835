#include "gc/internal.h"

bool hy__buffer_reserve(hy_space *space, hy__buffer *buffer, size_t size)
{
    if (size <= buffer->size) {
        return true;
    }
    const size_t grown = size > buffer->size * 2 ? size : buffer->size * 2;
    const size_t whole = hy__round_up(grown, HY_PAGE_SIZE);
    void *const data = space->source->map(space->source->context, whole, HY_PAGE_SIZE);
    if (data == NULL) {
        return false;
    }
    if (buffer->data != NULL) {
        (void)memcpy(data, buffer->data, buffer->size);
        space->source->unmap(space->source->context, buffer->data, buffer->size);
    }
    buffer->data = data;
    buffer->size = whole;
    return true;
}

void hy__buffer_drop(hy_space *space, hy__buffer *buffer)
{
    if (buffer->data != NULL) {
        space->source->unmap(space->source->context, buffer->data, buffer->size);
    }
    *buffer = (hy__buffer){0};
}

bool hy__objects_add(hy_space *space, hy__objects *objects, hy_object *object)
{
    const size_t needed = (objects->count + 1) * sizeof(hy_object *);
    if (needed > objects->buffer.size && !hy__buffer_reserve(space, &objects->buffer, needed)) {
        return false;
    }
    hy__push(objects, object);
    return true;
}
