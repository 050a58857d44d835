/*
 * counters.c: the counters, added up over the structure when they are asked for.
 *
 * Only totals and `mapped_bytes` are kept as the arena works; mapped_bytes is thus independent of
 * the sums that it is held against.
 */
#include "bump/internal.h"

#if HEAPYARD_COUNTERS

static void add_block(const hy__bump *bump, const hy__bump_block *block, hy_bump_counters *c)
{
    const char *const top = block == bump->current ? bump->window.next : block->top;
    const uint64_t rest = (uint64_t)(hy__bump_block_end(block) - top);
    c->blocks++;
    c->block_bytes += block->span.size;
    c->metadata_bytes += (uint64_t)(block->start - block->span.address);
    c->live_bytes += (uint64_t)(top - block->start);
    c->unused_bytes += rest;
    c->wasted += block != bump->current ? rest : 0;
}

static void add_spare(const hy__bump_block *block, hy_bump_counters *c)
{
    const uint64_t header = (uint64_t)(block->start - block->span.address);
    c->spare_blocks++;
    c->metadata_bytes += header;
    c->free_bytes += block->span.size - header;
}

static void add_big(const hy__bump_big *big, hy_bump_counters *c)
{
    const size_t used = hy__bump_big_used(big);
    c->big_blocks++;
    c->big_bytes += big->span.size;
    c->live_bytes += used;
    c->unused_bytes += big->span.size - used;
    c->wasted += big->span.size - used;
}

static void copy_totals(const hy__bump *bump, hy_bump_counters *c)
{
    c->allocs = bump->window.allocs;
    c->bytes = bump->window.bytes;
    c->reallocs = bump->reallocs;
    c->in_place = bump->in_place;
    c->failures = bump->window.failures;
    c->rewinds = bump->rewinds;
    c->resets = bump->resets;
    c->mapped_bytes = bump->mapped_bytes;
    c->peak_mapped_bytes = bump->peak_mapped_bytes;
}

static void fill_in(const hy__bump *bump, hy_bump_counters *c)
{
    copy_totals(bump, c);
    for (const hy__bump_block *block = bump->current; block != NULL; block = block->previous) {
        add_block(bump, block, c);
    }
    for (const hy__bump_block *block = bump->spare; block != NULL; block = block->previous) {
        add_spare(block, c);
    }
    for (const hy__bump_big *big = bump->bigs; big != NULL; big = big->previous) {
        if (big->span.address != NULL) {
            add_big(big, c);
        }
    }
    for (const hy__bump_cleanup *cleanup = bump->cleanups; cleanup != NULL;
         cleanup = cleanup->previous) {
        c->cleanups++;
    }
    for (const hy__bump_mark_record *mark = bump->marks; mark != NULL; mark = mark->previous) {
        c->marks++;
    }
}

#endif /* HEAPYARD_COUNTERS */

bool hy_bump_get_counters(const hy_bump *handle, hy_bump_counters *counters)
{
    *counters = (hy_bump_counters){.size = sizeof *counters, .version = 1};
#if HEAPYARD_COUNTERS
    fill_in(hy__bump_of_const(handle), counters);
    return true;
#else
    (void)handle;
    return false;
#endif
}
