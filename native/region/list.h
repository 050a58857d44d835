/*
 * list.h: a free block of the list engine.
 *
 *     free block   [ next << 1 | long ][ size, where long ] ...
 *
 * `long` is set where the block has more than one granule: a block of one (4 bytes, with the
 * smallest granule) has room for one word only.
 */
#ifndef HEAPYARD_REGION_LIST_H
#define HEAPYARD_REGION_LIST_H

#include "region/layout.h"

static inline uint32_t hy__run_next(const hy_region *region, const hy__segment *segment,
                                    uint32_t number)
{
    return hy__load(hy__address(region, segment, number)) >> 1;
}

static inline uint32_t hy__run_size(const hy_region *region, const hy__segment *segment,
                                    uint32_t number)
{
    const char *address = hy__address(region, segment, number);
    return (hy__load(address) & 1) != 0 ? hy__load(address + 4) : 1;
}

/* How many bytes of a free block of this size the engine keeps its own words in. */
static inline size_t hy__run_header(uint32_t size)
{
    return size > 1 ? 8 : 4;
}

#endif /* HEAPYARD_REGION_LIST_H */
