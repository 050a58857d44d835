/*
 * engine.h: what the dispatcher asks of each engine, and what engines ask of the rest.
 *
 * An engine works on one segment, in granules; a block is named by its first granule. Pointers have
 * been turned into numbers before (chain.c): engines see numbers from 1 to top - 1 only.
 *
 *   make      an empty segment: everything is unused
 *   extend    the segment has `limit` granules from now on
 *   limit     one more than the granules that fit into so many bytes behind the header
 *   take      n granules at an alignment: the block, or 0 with nothing changed
 *   measure   the granules of a live block; 0, after reporting misuse, where it is none
 *   give      the same, and the block is free afterwards
 *   resize    in place: whether that was possible; nothing is changed where it was not
 *   walk      each run from granule 1 to top
 *   check     every invariant of the segment's blocks; adds up what it sees
 */
#ifndef HEAPYARD_REGION_ENGINE_H
#define HEAPYARD_REGION_ENGINE_H

#include "base/misuse.h"
#include "region/layout.h"

/* What `check` adds up over the segments, to hold it against the counters. */
typedef struct hy__tally {
    uint64_t free_granules, free_blocks, live_granules, live_blocks;
} hy__tally;

uint32_t hy__list_limit(const hy_region *region, size_t bytes);
void hy__list_make(hy_region *region, hy__segment *segment);
uint32_t hy__list_take(hy_region *region, hy__segment *segment, uint32_t n, size_t alignment);
uint32_t hy__list_measure(hy_region *region, hy__segment *segment, uint32_t number, size_t size);
uint32_t hy__list_give(hy_region *region, hy__segment *segment, uint32_t number, size_t size);
bool hy__list_resize(hy_region *region, hy__segment *segment, uint32_t number, uint32_t old_n,
                     uint32_t new_n);
int hy__list_walk(const hy_region *region, const hy__segment *segment, hy_walk_fn *visit,
                  void *context);
hy_check_result hy__list_check(const hy_region *region, const hy__segment *segment,
                               hy__tally *tally);

uint32_t hy__fast_limit(const hy_region *region, size_t bytes);
void hy__fast_make(hy_region *region, hy__segment *segment);
void hy__fast_extend(hy_region *region, hy__segment *segment, uint32_t limit);
uint32_t hy__fast_take(hy_region *region, hy__segment *segment, uint32_t n, size_t alignment);
uint32_t hy__fast_measure(hy_region *region, hy__segment *segment, uint32_t number, size_t size);
uint32_t hy__fast_give(hy_region *region, hy__segment *segment, uint32_t number, size_t size);
bool hy__fast_resize(hy_region *region, hy__segment *segment, uint32_t number, uint32_t old_n,
                     uint32_t new_n);
int hy__fast_walk(const hy_region *region, const hy__segment *segment, hy_walk_fn *visit,
                  void *context);
hy_check_result hy__fast_check(const hy_region *region, const hy__segment *segment,
                               hy__tally *tally);

/* misuse.c: counts and reports it; always 0, so that it can be returned as 'no block'. */
uint32_t hy__region_misuse(hy_region *region, hy_misuse_kind kind, const void *address,
                           const char *detail);

/* Where in the chain a pointer lies. */
hy__segment *hy__region_find(const hy_region *region, const void *pointer);

#endif /* HEAPYARD_REGION_ENGINE_H */
