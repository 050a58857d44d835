/*
 * collect.c: a collection from its beginning to its end, and when there is one.
 */
#include "gc/internal.h"

static size_t close_gc(hy_space *space)
{
    hy__gc *const gc = space->gc;
    const size_t bytes = hy__gc_bytes(gc);
    hy__gc_buffers all;
    hy__buffers_of(gc, all);
    for (int i = 0; i < HY__GC_BUFFERS; i++) {
        hy__buffer_drop(space, all[i]);
    }
    gc->known_count = 0;
    gc->age_count = 0;
    return bytes;
}

hy__gc *hy__gc_of(hy_space *space)
{
    if (space->gc != NULL) {
        return space->gc;
    }
    if (hy__has_log(space) && !hy__track_begin(space)) {
        return NULL;
    }
    hy__gc *const gc = hy_bump_alloc_zeroed(space->bump, 1, sizeof *gc);
    if (gc == NULL) {
        return NULL;
    }
    gc->doomed.next = &gc->doomed;
    gc->doomed.previous = &gc->doomed;
    gc->frozen.next = &gc->frozen;
    gc->frozen.previous = &gc->frozen;
    space->gc = gc;
    space->gc_drop = close_gc;
    return gc;
}

/* ---- one collection --------------------------------------------------------------------------- */

static bool find(hy_space *space, hy__gc *gc, unsigned generation)
{
    if (space->is_linked) {
        return hy__find_in_lists(space, gc, generation);
    }
    if (space->is_by_pools) {
        return hy__find_by_walk(space, gc, generation);
    }
    return generation < HY_GC_GENERATIONS - 1 || hy__few_are_listed(space)
               ? hy__find_in_log(space, gc, generation)
               : hy__find_by_walk(space, gc, generation);
}

/* What finishing needs: a stack and a word for each object. */
static bool reserve_finish(hy_space *space, hy__gc *gc)
{
    const size_t count = gc->garbage.count;
    return hy__buffer_reserve(space, &gc->side, count * sizeof(int32_t)) &&
           hy__buffer_reserve(space, &gc->stack.buffer, count * sizeof(hy_object *));
}

static bool find_garbage(hy_space *space, hy__gc *gc, unsigned generation)
{
    gc->garbage.count = 0;
    gc->stack.count = 0;
    gc->settled = 0;
    gc->result = (hy_gc_result){.generation = generation};
    const bool is_full = generation == HY_GC_GENERATIONS - 1;
    if (is_full || space->is_by_pools) {
        hy__lists_flush(space, &space->containers);
    }
    space->is_walking = true;
    const bool found =
        (!space->is_debug || !is_full || hy__verify_traverse(space)) && find(space, gc, generation);
    space->is_walking = false;
    return found;
}

/* What was found stays where it was. */
static void put_back(hy_space *space, hy__gc *gc)
{
    hy_object **const objects = hy__objects_data(&gc->garbage);
    for (size_t i = 0; i < gc->garbage.count; i++) {
        if (space->is_linked) {
            hy__unlink(hy__link_of(objects[i]));
            hy__link_last(&space->generations[HY_GC_GENERATIONS - 1], hy__link_of(objects[i]));
        }
    }
    gc->garbage.count = 0;
}

static bool run(hy_space *space, hy__gc *gc, unsigned generation)
{
    if (!find_garbage(space, gc, generation)) {
        put_back(space, gc);
        return false;
    }
    if (!reserve_finish(space, gc)) {
        put_back(space, gc);
        return false;
    }
    if (generation == 1) {
        gc->survived += gc->result.candidates - gc->garbage.count;
    }
    if (!space->is_linked && generation > 0) {
        hy__few_grow_old(space, gc);
    }
    hy__finish(space, gc);
    if (space->is_by_pools) {
        hy__ages_note(space, gc);
    }
    return true;
}

static void note(hy__gc *gc, unsigned generation)
{
    const hy_gc_result *const result = &gc->result;
    hy_gc_generation_stats *const total = &gc->totals[generation];
    total->collections++;
    total->candidates += result->candidates;
    total->collected += result->collected;
    total->resurrected += result->resurrected;
    total->uncollectable += result->uncollectable;
    if (generation + 1 < HY_GC_GENERATIONS) {
        gc->since[generation + 1]++;
    }
    for (unsigned i = 1; i <= generation; i++) {
        gc->since[i] = 0;
    }
    if (generation == 2) {
        gc->old = gc->settled + result->candidates - result->collected;
        gc->survived = 0;
    }
}

static void call_back(hy__gc *gc, unsigned generation, const hy_gc_result *result)
{
    if (gc->callback != NULL) {
        gc->callback(gc->context, generation, result);
    }
}

static bool refuse(const hy_space *space, unsigned generation)
{
    const bool runs = space->is_collecting || space->is_walking;
    if (!runs && generation < HY_GC_GENERATIONS) {
        return false;
    }
    hy__misuse(HY_MISUSE_BAD_ARGUMENT, "gc", space,
               runs ? "(a collection runs)" : "(there are generations 0 to 2)");
    return true;
}

/* A collection, with what is told of it. */
static bool collect(hy_space *space, hy__gc *gc, unsigned generation)
{
    call_back(gc, generation, NULL);
    const bool done = run(space, gc, generation);
    if (done) {
        note(gc, generation);
        space->births = 0;
    } else {
        gc->result = (hy_gc_result){.generation = generation};
        gc->counters.postponed++;
    }
    gc->result.left = hy__objects_data(&gc->garbage);
    call_back(gc, generation, &gc->result);
    return done;
}

int64_t hy_gc_collect(hy_space *space, unsigned generation)
{
    _Alignas(max_align_t) char scratch[HY__SCRATCH];
    if (refuse(space, generation)) {
        return -1;
    }
    hy__gc *const gc = hy__gc_of(space);
    if (gc == NULL) {
        return -1;
    }
    space->is_collecting = true;
    hy__scratch_lend(gc, scratch, sizeof scratch);
    const bool done = collect(space, gc, generation);
    hy__scratch_take_back(gc);
    space->is_collecting = false;
    return done ? (int64_t)(gc->result.collected + gc->result.uncollectable) : -1;
}

/* ---- when ------------------------------------------------------------------------------------- */

static unsigned generation_due(const hy__gc *gc)
{
    const bool middle = gc->thresholds[1] != 0 && gc->since[1] >= gc->thresholds[1];
    const bool old = gc->thresholds[2] != 0 && gc->since[2] >= gc->thresholds[2];
    if (old && gc->survived >= gc->old / 4) {
        return 2;
    }
    return middle ? 1 : 0;
}

static void collect_when_due(hy_space *space)
{
    space->births = 0;
    if (!space->is_collecting) {
        (void)hy_gc_collect(space, generation_due(space->gc));
    }
}

bool hy_gc_set_thresholds(hy_space *space, uint64_t young, uint32_t middle, uint32_t old)
{
    hy__gc *const gc = hy__gc_of(space);
    if (gc == NULL) {
        return false;
    }
    gc->thresholds[1] = middle;
    gc->thresholds[2] = old;
    space->due = young;
    space->collect = collect_when_due;
    return true;
}

bool hy_gc_set_callback(hy_space *space, hy_gc_fn *callback, void *context)
{
    hy__gc *const gc = hy__gc_of(space);
    if (gc != NULL) {
        gc->callback = callback;
        gc->context = context;
    }
    return gc != NULL;
}

bool hy_gc_set_roots(hy_space *space, hy_object *const *roots, size_t count)
{
    hy__gc *const gc = hy__gc_of(space);
    if (gc != NULL) {
        gc->roots = roots;
        gc->root_count = roots != NULL ? count : 0;
    }
    return gc != NULL;
}
