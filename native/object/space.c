/*
 * space.c: making and deleting a space.
 */
#include "object/internal.h"
#include "object/track.h"

static bool config_is_valid(const hy_space_config *config)
{
    return config->size == sizeof *config && (config->flags & ~(uint32_t)HY_SPACE_DEBUG) == 0 &&
           config->engine <= HY_GC_POOLS;
}

/* The space in its own arena; NULL where there is no memory. */
static hy_space *place_space(const hy_page_source *source)
{
    const hy_bump_config config = {.size = sizeof config, .source = source, .block_size = 32 << 10};
    hy_bump *const bump = hy_bump_new(&config);
    hy_space *const space = bump != NULL ? hy_bump_alloc_zeroed(bump, 1, sizeof *space) : NULL;
    if (space == NULL) {
        hy_bump_delete(bump);
        return NULL;
    }
    space->bump = bump;
    return space;
}

static hy_heap *new_heap(const hy_space_config *config)
{
    const bool is_debug = (config->flags & HY_SPACE_DEBUG) != 0;
    const hy_heap_config heap = {
        .size = sizeof heap,
        .source = config->source,
        .flags = is_debug ? HY_HEAP_STRICT : 0,
    };
    return hy_heap_new(&heap);
}

hy_space *hy_space_new(const hy_space_config *config)
{
    const hy_space_config defaults = {.size = sizeof defaults};
    const hy_space_config *const given = config != NULL ? config : &defaults;
    if (!config_is_valid(given)) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", given, "(configuration)");
        return NULL;
    }
    hy_space *const space = place_space(given->source);
    if (space == NULL) {
        return NULL;
    }
    /* Where a tool watches each block, a list would hide what is free from it. */
    space->is_debug = (given->flags & HY_SPACE_DEBUG) != 0;
    const bool has_lists = !space->is_debug && !hy__is_annotating();
    const uint32_t limit = given->list_limit != 0 ? given->list_limit - 1 : HY_OBJECT_LIST_DEFAULT;
    space->list_limit = has_lists ? limit : 0;
    space->few_most = given->few != 0 ? given->few - 1 : HY_GC_FEW_DEFAULT;
    space->atoms.heap = new_heap(given);
    space->containers.heap = new_heap(given);
    if (space->atoms.heap == NULL || space->containers.heap == NULL ||
        (space->is_debug && !hy__quarantine_open(space))) {
        hy_space_delete(space);
        return NULL;
    }
    space->is_linked = given->engine == HY_GC_LINKED;
    space->is_by_pools = given->engine == HY_GC_POOLS;
    space->containers.prefix = space->is_linked ? sizeof(hy__gc_link) : 0;
    hy__track_open(space, given->source);
    hy__lists_open(space, &space->atoms);
    hy__lists_open(space, &space->containers);
    return space;
}

/* One of its own objects or callbacks asks for it. */
static bool is_in_use(const hy_space *space)
{
    const bool found = space->drops.is_running || space->is_collecting;
    if (found) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", space,
                   "(a space deleted while a function of its objects runs)");
    }
    return found;
}

void hy_space_delete(hy_space *space)
{
    if (space == NULL || is_in_use(space)) {
        return;
    }
    hy__quarantine_empty(space);
    if (space->gc_drop != NULL) {
        (void)space->gc_drop(space);
    }
    hy__track_close(space);
    if (space->atoms.heap != NULL) {
        hy_heap_delete(space->atoms.heap);
    }
    if (space->containers.heap != NULL) {
        hy_heap_delete(space->containers.heap);
    }
    hy_bump_delete(space->bump);
}

hy_heap *hy_space_heap(hy_space *space, bool containers)
{
    return containers ? space->containers.heap : space->atoms.heap;
}
