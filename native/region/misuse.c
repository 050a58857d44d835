/*
 * misuse.c: the one way by which both engines, and what stands above them, report misuse.
 */
#include "region/engine.h"

#include "region/mark.h"

uint32_t hy__region_misuse(hy_region *region, hy_misuse_kind kind, const void *address,
                           const char *detail)
{
    HY__COUNT(region->counters.misuses++);
    hy__leave(region);
    hy__misuse(kind, "region", address, detail);
    hy__enter(region);
    return 0;
}
