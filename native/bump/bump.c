/*
 * bump.c: making and deleting an arena, and requests.
 */
#include "bump/internal.h"

#include <string.h>

/* The inline function of the public header, for those who call it by name. */
extern void *hy_bump_alloc(hy_bump *bump, size_t size);

static bool config_is_valid(const hy_bump_config *config)
{
    return config->size == sizeof *config &&
           (config->max_block_size == 0 || config->max_block_size >= config->block_size);
}

/* `size` (0: the default) in whole pages; false where that overflows. */
static bool whole_pages(size_t size, size_t otherwise, size_t *result)
{
    return hy__align_up(size != 0 ? size : otherwise, HY_PAGE_SIZE, result);
}

/* Lay the arena's own struct into its first block of pages. */
static hy__bump *place_arena(hy__bump_block *block, const hy_page_source *source)
{
    hy__bump *const bump = (hy__bump *)(void *)block->start;
    *bump = (hy__bump){
        .oldest = block,
        .source = source,
        .redzone = hy__is_annotating() ? 16 : 0,
        .lowest = UINTPTR_MAX,
    };
    block->start += hy__round_up(sizeof *bump, HY_BUMP_ALIGNMENT);
    block->top = block->start;
    block->dirty = block->start;
    block->seal = hy__bump_block_seal(block);
    hy__bump_note_mapped(bump, block, block->span.size);
    hy__bump_enter(bump, block, block->start);
    return bump;
}

hy_bump *hy_bump_new(const hy_bump_config *config)
{
    const hy_bump_config defaults = {.size = sizeof defaults};
    const hy_bump_config *const given = config != NULL ? config : &defaults;
    if (!config_is_valid(given)) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "bump", given, "(configuration)");
        return NULL;
    }
    const hy_page_source *const source = given->source != NULL ? given->source : hy_pages_mmap();
    size_t size;
    size_t max_size;
    if (!whole_pages(given->block_size, HY_BUMP_BLOCK_SIZE, &size) ||
        !whole_pages(given->max_block_size, size, &max_size)) {
        return NULL;
    }
    hy__bump_block *const block = hy__bump_block_map(NULL, source, size);
    if (block == NULL) {
        return NULL;
    }
    hy__bump *const bump = place_arena(block, source);
    bump->block_size = size;
    bump->max_block_size = max_size;
    if (size <= max_size / 2) {
        bump->block_size = size * 2;
    }
    return &bump->window;
}

static bool unmap_chain(const hy_page_source *source, hy__bump_block *block)
{
    while (block != NULL) {
        if (!hy__bump_block_is_sealed(block)) {
            hy__misuse(HY_MISUSE_CORRUPTED, "bump", block, NULL);
            return false;
        }
        hy__bump_block *const previous = block->previous;
        source->unmap(source->context, block, block->span.size);
        block = previous;
    }
    return true;
}

void hy_bump_delete(hy_bump *handle)
{
    if (handle == NULL) {
        return;
    }
    hy__bump *const bump = hy__bump_of(handle);
    const hy_page_source *const source = bump->source;
    if (!hy__bump_clean_to(bump, NULL) || !hy__bump_big_release_to(bump, NULL)) {
        return;
    }
    /* The oldest block, the last of its chain, holds the arena itself. */
    if (unmap_chain(source, bump->spare)) {
        (void)unmap_chain(source, bump->current);
    }
}

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
