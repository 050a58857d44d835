/*
 * view.h: what walks and checks of both engines share.
 */
#ifndef HEAPYARD_REGION_VIEW_H
#define HEAPYARD_REGION_VIEW_H

#include "region/engine.h"

static inline hy_check_result hy__violation(hy_region_violation code, const void *address)
{
    return (hy_check_result){.code = code, .address = address};
}

/* Shows granules [from, to) to a visitor; nothing where there are none. */
static inline int hy__show(const hy_region *region, const hy__segment *segment, uint32_t from,
                           uint32_t to, hy_block_state state, hy_walk_fn *visit, void *context)
{
    const hy_block block = {.address = hy__address(region, segment, from),
                            .size = (size_t)(to - from) << region->shift,
                            .state = state,
                            .span = segment->ordinal};
    return from < to ? visit(context, &block) : 0;
}

#endif /* HEAPYARD_REGION_VIEW_H */
