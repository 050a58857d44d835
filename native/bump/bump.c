/*
 * bump.c: making and deleting an arena.
 */
#include "bump/internal.h"

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
