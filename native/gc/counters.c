/*
 * counters.c: what the collector has done, and what it holds.
 */
#include "gc/internal.h"

/* ---- by generation ------------------------------------------------------------------------------ */

typedef struct tally {
    hy_space *space;
    hy_gc_generation_stats *rows;
    size_t count;
} tally;

static int count_container(hy_object *object, void *context)
{
    const tally *const t = context;
    const unsigned generation = hy_gc_generation(t->space, object);
    if (generation < t->count) {
        t->rows[generation].containers++;
    }
    return 0;
}

/* An object of the linked engine does not tell which list it is in. */
static uint64_t list_length(const hy__gc_link *list)
{
    uint64_t length = 0;
    for (const hy__gc_link *link = list->next; link != list; link = link->next) {
        length++;
    }
    return length;
}

static void count_containers(hy_space *space, hy_gc_generation_stats *rows, size_t count)
{
    if (!space->is_linked) {
        tally t = {.space = space, .rows = rows, .count = count};
        (void)hy_gc_walk(space, count_container, &t);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        rows[i].containers = list_length(&space->generations[i]);
    }
}

size_t hy_gc_stats(hy_space *space, hy_gc_generation_stats *rows, size_t count)
{
    const size_t wanted = count < HY_GC_GENERATIONS ? count : HY_GC_GENERATIONS;
    for (size_t i = 0; i < wanted; i++) {
        rows[i] = space->gc != NULL ? space->gc->totals[i] : (hy_gc_generation_stats){0};
    }
    count_containers(space, rows, wanted);
    return HY_GC_GENERATIONS;
}

/* ---- of all ------------------------------------------------------------------------------------- */

#if HEAPYARD_COUNTERS

static void add_totals(const hy__gc *gc, hy_gc_counters *c)
{
    c->young_collections = gc->totals[0].collections;
    c->middle_collections = gc->totals[1].collections;
    c->full_collections = gc->totals[2].collections;
    for (int i = 0; i < HY_GC_GENERATIONS; i++) {
        c->candidates += gc->totals[i].candidates;
        c->collected += gc->totals[i].collected;
        c->resurrected += gc->totals[i].resurrected;
        c->uncollectable += gc->totals[i].uncollectable;
    }
}

static int count_frozen(hy_object *object, void *context)
{
    *(uint64_t *)context += hy__is_frozen(object);
    return 0;
}

static void fill_in(hy_space *space, hy_gc_counters *c)
{
    if (space->gc != NULL) {
        *c = space->gc->counters;
        add_totals(space->gc, c);
        c->side_bytes = hy__gc_bytes(space->gc);
    }
    for (size_t i = space->log.old; i < space->log.count; i++) {
        c->log_entries += space->log.entries[i] != NULL;
    }
    c->log_bytes = hy__log_bytes(&space->log);
    (void)hy_gc_walk(space, count_frozen, &c->frozen);
}

#endif /* HEAPYARD_COUNTERS */

bool hy_gc_get_counters(hy_space *space, hy_gc_counters *counters)
{
    *counters = (hy_gc_counters){0};
#if HEAPYARD_COUNTERS
    fill_in(space, counters);
#else
    (void)space;
#endif
    counters->size = sizeof *counters;
    counters->version = 1;
    return HEAPYARD_COUNTERS;
}
