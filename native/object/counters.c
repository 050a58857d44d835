/*
 * counters.c: the counters, added up when they are asked for.
 *
 * The inline ways count hits only. How many plain objects went that way follows from them: what was
 * put on the lists is what left them (by a hit or a flush) and what is still there.
 */
#include "object/internal.h"

#if HEAPYARD_COUNTERS

static void add_lists(const hy_space *space, const hy__shelf *shelf, hy_space_counters *c)
{
    for (size_t i = 0; i < HY_OBJECT_LISTS; i++) {
        const hy_object_list *const list = &shelf->lists[i];
        const uint64_t length = hy__list_length(space, list);
        c->list_hits += list->hits;
        c->listed_blocks += length;
        c->listed_bytes += length * hy__list_block_size(shelf, list);
        c->list_misses += shelf->counts[i].misses;
        c->list_overflows += shelf->counts[i].overflows;
        c->list_flushes += shelf->counts[i].flushes;
    }
}

static void add_heap(const hy__shelf *shelf, hy_space_counters *c)
{
    hy_heap_counters heap;
    (void)hy_heap_get_counters(shelf->heap, &heap);
    c->mapped_bytes += heap.mapped_bytes;
}

static void copy_totals(const hy_space *space, hy_space_counters *c)
{
    c->types = space->types_made;
    c->failures = space->failures;
    c->weak_references = space->weak_references;
    c->dealloc = space->dealloc;
    c->finalize = space->finalize;
    c->legacy = space->legacy;
    c->finalized = space->finalized;
    c->resurrected = space->resurrected;
    c->deferred = space->deferred;
    c->quarantined = space->quarantined;
}

static void fill_in(const hy_space *space, hy_space_counters *c)
{
    hy_bump_counters bump;
    copy_totals(space, c);
    add_lists(space, &space->atoms, c);
    add_lists(space, &space->containers, c);
    add_heap(&space->atoms, c);
    add_heap(&space->containers, c);
    (void)hy_bump_get_counters(space->bump, &bump);
    c->mapped_bytes += bump.mapped_bytes;
    const uint64_t put = c->list_hits + c->listed_blocks + c->list_flushes;
    c->plain = put - space->shelved + space->plain_slow;
    c->made = c->list_hits + c->list_misses + space->beyond_lists;
    c->live_objects = c->made - c->plain - c->dealloc - c->finalize - c->legacy;
}

static void fill_in_list(const hy_space *space, hy__shelf *shelf, size_t size, hy_list_counters *c)
{
    const hy_object_list *const list = hy__list_of(shelf, size);
    const hy__list_counts *const counts = hy__counts_of(shelf, list);
    c->block_size = hy__list_block_size(shelf, list);
    c->blocks = hy__list_length(space, list);
    c->hits = list->hits;
    c->misses = counts->misses;
    c->overflows = counts->overflows;
    c->flushes = counts->flushes;
}

#endif /* HEAPYARD_COUNTERS */

bool hy_space_get_list_counters(hy_space *space, bool containers, size_t object_size,
                                hy_list_counters *counters)
{
    *counters = (hy_list_counters){.size = sizeof *counters, .version = 1};
    const size_t size = object_size < sizeof(hy_object_link) ? sizeof(hy_object_link) : object_size;
    if (!HEAPYARD_COUNTERS || !hy__is_listed_size(size)) {
        return false;
    }
#if HEAPYARD_COUNTERS
    fill_in_list(space, containers ? &space->containers : &space->atoms, size, counters);
#else
    (void)space;
    (void)containers;
#endif
    return true;
}

bool hy_space_get_counters(hy_space *space, hy_space_counters *counters)
{
    *counters = (hy_space_counters){.size = sizeof *counters, .version = 1};
#if HEAPYARD_COUNTERS
    fill_in(space, counters);
    return true;
#else
    (void)space;
    return false;
#endif
}
