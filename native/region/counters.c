/*
 * counters.c: counters read out, those that are sums over the spans added up.
 */
#include "region/chain.h"

bool hy_region_get_counters(const hy_region *region, hy_region_counters *counters)
{
#if HEAPYARD_COUNTERS
    hy_region_counters all = region->counters;
    all.size = sizeof all;
    all.version = 1;
    all.regions = region->segments;
    for (const hy__segment *at = region->first.to; at != NULL; at = at->next.to) {
        const uint64_t unused = (uint64_t)(at->limit - at->top) << region->shift;
        all.region_bytes += at->span_size;
        all.unused_bytes += unused;
        all.metadata_bytes += at->span_size - hy__block_bytes(region, at);
    }
    *counters = all;
    return true;
#else
    (void)region;
    (void)counters;
    return false;
#endif
}
