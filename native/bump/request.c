/*
 * request.c: blocks on request, from the current block of pages, a new one, or pages of their own.
 */
#include "bump/internal.h"

#include <string.h>

/* The inline function of the public header, for those who call it by name. */
extern void *hy_bump_alloc(hy_bump *bump, size_t size);

/* A place in the current block, or NULL where that has no room. `need` is the rounded request. */
static char *carve(hy__bump *bump, size_t need, size_t alignment)
{
    char *const next = bump->window.next;
    const size_t room = (size_t)(bump->end - next);
    const size_t padding = (size_t)(-(uintptr_t)next & (alignment - 1));
    if (padding > room || need > room - padding) {
        return NULL;
    }
    hy__bump_set_next(bump, next + padding + need);
    return next + padding;
}

/* `size` bytes at `alignment` (a power of two from 16 to the largest), counting nothing. */
void *hy__bump_take(hy__bump *bump, size_t size, size_t alignment)
{
    if (size > PTRDIFF_MAX - HY_BUMP_MAX_ALIGNMENT) {
        return NULL;
    }
    const size_t need = hy__bump_need(bump, size);
    const size_t span = need + (alignment - HY_BUMP_ALIGNMENT);
    char *block = carve(bump, need, alignment);
    if (block == NULL) {
        if (span >= HY_BUMP_BIG) {
            return hy__bump_big_new(bump, size, alignment);
        }
        if (!hy__bump_block_push(bump, span)) {
            return NULL;
        }
        block = carve(bump, need, alignment);
    }
    hy__mark_undefined(block, size);
    return block;
}

/* Room for one of the arena's own records. */
void *hy__bump_take_record(hy__bump *bump, size_t size)
{
    void *const record = hy__bump_take(bump, size, HY_BUMP_ALIGNMENT);
    HY_COUNT(record == NULL ? bump->window.failures++ : 0);
    return record;
}

/* As hy__bump_take, and counts the request or its failure. */
static void *serve(hy__bump *bump, size_t size, size_t alignment)
{
    void *const block = hy__bump_take(bump, size, alignment);
    if (block == NULL) {
        HY_COUNT(bump->window.failures++);
        return NULL;
    }
    HY_COUNT(bump->window.allocs++);
    HY_COUNT(bump->window.bytes += size);
    HY_ASSERT_ALL(hy_bump_check(&bump->window).code == HY_BUMP_CHECK_SOUND);
    return block;
}

void *hy_bump_alloc_slow(hy_bump *handle, size_t size)
{
    return serve(hy__bump_of(handle), size, HY_BUMP_ALIGNMENT);
}

void *hy_bump_alloc_aligned(hy_bump *handle, size_t size, size_t alignment)
{
    hy__bump *const bump = hy__bump_of(handle);
    if (!hy__is_power_of_two(alignment) || alignment > HY_BUMP_MAX_ALIGNMENT) {
        HY_COUNT(bump->window.failures++);
        return NULL;
    }
    return serve(bump, size, alignment > HY_BUMP_ALIGNMENT ? alignment : HY_BUMP_ALIGNMENT);
}

/* Clear what may not read as zero: all below the current block's dirty end, nothing in fresh pages.
 */
static void clear(const hy__bump *bump, char *block, size_t size)
{
    const char *const dirty = bump->current->dirty;
    const uintptr_t offset = (uintptr_t)block - (uintptr_t)bump->current->start;
    if (offset < bump->current->span.size && block < dirty) {
        const size_t used = (size_t)(dirty - block);
        memset(block, 0, size < used ? size : used);
    }
    hy__mark_defined(block, size);
}

void *hy_bump_alloc_zeroed(hy_bump *handle, size_t count, size_t size)
{
    hy__bump *const bump = hy__bump_of(handle);
    size_t total;
    if (!hy__multiply(count, size, &total)) {
        HY_COUNT(bump->window.failures++);
        return NULL;
    }
    char *const block = serve(bump, total, HY_BUMP_ALIGNMENT);
    if (block != NULL) {
        clear(bump, block, total);
    }
    return block;
}
