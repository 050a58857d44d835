/*
 * chain.h: the regions of a chain, in the order they were added, and found by address.
 *
 * The index is a treap over the segments' addresses, its priorities a hash of their ordinals (the
 * same on every run and every target): O(log regions) expected, and no recursion anywhere.
 *
 * Seals. Links between segments can't be believed once they were written over, and following a
 * bad one kills the process. So each header carries a sum of its own rarely changing fields, which
 * hy_region_check holds against them before it follows any.
 */
#ifndef HEAPYARD_REGION_CHAIN_H
#define HEAPYARD_REGION_CHAIN_H

#include "region/engine.h"

uint32_t hy__region_seal(const hy_region *region);
uint32_t hy__segment_seal(const hy__segment *segment);

/* The limit that a segment with this span must have. */
uint32_t hy__segment_limit(const hy_region *region, const hy__segment *segment);

/* The bytes of a segment's span, from its first granule to its limit. */
static inline size_t hy__block_bytes(const hy_region *region, const hy__segment *segment)
{
    return (size_t)(segment->limit - 1) << region->shift;
}

static inline const char *hy__span_start(const hy__segment *segment)
{
    return (const char *)segment - segment->before;
}

static inline const char *hy__span_end(const hy__segment *segment)
{
    return hy__span_start(segment) + (size_t)segment->span_size;
}

/* The pointer is at one of this segment's granules, or inside one, below limit. */
static inline bool hy__holds(const hy_region *region, const hy__segment *segment,
                             const void *pointer)
{
    const uintptr_t start = (uintptr_t)hy__address(region, segment, 1);
    return (uintptr_t)pointer - start < hy__block_bytes(region, segment);
}

#endif /* HEAPYARD_REGION_CHAIN_H */
