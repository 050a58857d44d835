/*
 * buffer.c: the memory of a collection. What it needs until its end is lent to it first, from a scratch on
 * the stack, and then mapped; what it leaves for the next one is mapped.
 */
#include "gc/internal.h"

void hy__buffers_of(hy__gc *gc, hy__gc_buffers all)
{
    hy__buffer *const list[HY__GC_BUFFERS] = {
        &gc->map.pools,  &gc->map.far,   &gc->map.pages,    &gc->side,
        &gc->present,    &gc->ages,      &gc->known,        &gc->bits,
        &gc->next_known, &gc->next_bits, &gc->stack.buffer, &gc->garbage.buffer,
    };
    (void)memcpy(all, list, sizeof list);
}

size_t hy__gc_bytes(hy__gc *gc)
{
    hy__gc_buffers all;
    size_t bytes = 0;
    hy__buffers_of(gc, all);
    for (int i = 0; i < HY__GC_BUFFERS; i++) {
        bytes += all[i]->is_lent ? 0 : all[i]->size;
    }
    return bytes;
}

void hy__scratch_lend(hy__gc *gc, char *scratch, size_t size)
{
    gc->scratch = scratch;
    gc->scratch_end = scratch + size;
}

void hy__scratch_take_back(hy__gc *gc)
{
    hy__gc_buffers all;
    hy__buffers_of(gc, all);
    for (int i = 0; i < HY__GC_BUFFERS; i++) {
        if (all[i]->is_lent) {
            *all[i] = (hy__buffer){0};
        }
    }
    gc->scratch = NULL;
    gc->scratch_end = NULL;
}

/* Empty, of `size` bytes or more; without data: no memory. */
static hy__buffer map(hy_space *space, size_t size)
{
    const size_t whole = hy__round_up(size, HY_PAGE_SIZE);
    void *const data = space->source->map(space->source->context, whole, HY_PAGE_SIZE);
    return (hy__buffer){.data = data, .size = data != NULL ? whole : 0};
}

static hy__buffer lend(hy__gc *gc, size_t size)
{
    const size_t whole = hy__round_up(size, sizeof(max_align_t));
    char *const data = gc->scratch;
    gc->scratch += whole;
    return (hy__buffer){.data = data, .size = whole, .is_lent = true};
}

static bool replace(hy_space *space, hy__buffer *buffer, hy__buffer larger)
{
    if (larger.data == NULL) {
        return false;
    }
    if (buffer->data != NULL) {
        (void)memcpy(larger.data, buffer->data, buffer->size);
    }
    hy__buffer_drop(space, buffer);
    *buffer = larger;
    return true;
}

static size_t grown(const hy__buffer *buffer, size_t size)
{
    return size > buffer->size * 2 ? size : buffer->size * 2;
}

bool hy__buffer_keep(hy_space *space, hy__buffer *buffer, size_t size)
{
    return size <= buffer->size || replace(space, buffer, map(space, grown(buffer, size)));
}

bool hy__buffer_reserve(hy_space *space, hy__buffer *buffer, size_t size)
{
    hy__gc *const gc = space->gc;
    if (size <= buffer->size) {
        return true;
    }
    const size_t wanted = grown(buffer, size);
    const size_t left = (size_t)(gc->scratch_end - gc->scratch);
    return replace(space, buffer, wanted <= left ? lend(gc, wanted) : map(space, wanted));
}

void hy__buffer_drop(hy_space *space, hy__buffer *buffer)
{
    if (buffer->data != NULL && !buffer->is_lent) {
        space->source->unmap(space->source->context, buffer->data, buffer->size);
    }
    *buffer = (hy__buffer){0};
}

#define FIRST_OBJECTS ((size_t)64)

bool hy__objects_add(hy_space *space, hy__objects *objects, hy_object *object)
{
    const size_t needed = objects->count < FIRST_OBJECTS ? FIRST_OBJECTS : objects->count + 1;
    if (!hy__buffer_reserve(space, &objects->buffer, needed * sizeof(hy_object *))) {
        return false;
    }
    hy__push(objects, object);
    return true;
}
