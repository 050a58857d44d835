/*
 * mark.h: what sanitizers are told, and how they are kept from complaining about the engines.
 *
 * Whether valgrind runs is asked once, when a region is made: elsewhere it costs one test of a
 * byte.
 */
#ifndef HEAPYARD_REGION_MARK_H
#define HEAPYARD_REGION_MARK_H

#include "region/layout.h"

static inline bool hy__is_watched(void)
{
#if HEAPYARD_VALGRIND
    return HY_HAS_ASAN != 0 || RUNNING_ON_VALGRIND != 0;
#else
    return HY_HAS_ASAN != 0;
#endif
}

static inline void hy__mark_free(const hy_region *region, const void *address, size_t size)
{
    if (region->watched) {
        hy__mark_unaddressable(address, size);
    }
}

static inline void hy__mark_used(const hy_region *region, const void *address, size_t size)
{
    if (region->watched) {
        hy__mark_undefined(address, size);
    }
}

/* The links in free blocks are the engines' own to read and write. */
static inline void hy__enter(const hy_region *region)
{
#if HEAPYARD_VALGRIND
    if (region->watched) {
        VALGRIND_DISABLE_ERROR_REPORTING;
    }
#endif
    (void)region;
}

static inline void hy__leave(const hy_region *region)
{
#if HEAPYARD_VALGRIND
    if (region->watched) {
        VALGRIND_ENABLE_ERROR_REPORTING;
    }
#endif
    (void)region;
}

#endif /* HEAPYARD_REGION_MARK_H */
