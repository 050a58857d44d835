/*
 * region_spans.h: a region that gets another span from the system whenever it is full.
 *
 *     [ hy_spans | region .............. 64 MiB ]   the first span: the handle and the region
 *     [ hy_span  | chained ............. 64 MiB ]   more of them, linked, or larger for a large
 *     [ hy_span  | chained .................... ]   block
 */
#ifndef HEAPYARD_TARGETS_REGION_SPANS_H
#define HEAPYARD_TARGETS_REGION_SPANS_H

#include <heapyard/region.h>

/* The largest block: half of what one region of a chain can hold. */
#define HY_SPANS_MAX_SIZE ((size_t)1 << 34)

typedef struct hy_span {
    struct hy_span *next;
    size_t size; /* of the whole mapping */
} hy_span;

typedef struct hy_spans {
    hy_span first; /* of this mapping; `next`: the others, newest first */
    hy_region *region;
} hy_spans;

/* The region of a target's handle, which is an hy_spans. */
static inline hy_region *hy__spans_region(void *handle)
{
    return ((hy_spans *)handle)->region;
}

/* NULL: no memory. */
hy_spans *hy__spans_open(const hy_region_options *options);
void hy__spans_close(void *handle);

/* Another span, with room for a block of this size and alignment. False: no memory, or too large.
 */
bool hy__spans_grow(hy_spans *spans, size_t alignment, size_t size);

/* The text of what hy_region_check finds; NULL: sound. */
const char *hy__spans_check(void *handle);

/* The members of a target's table that are the same for both engines. */
#define HY_SPANS_MEMBERS                                                                           \
    .min_alignment = 16, .max_size = HY_SPANS_MAX_SIZE, .close = hy__spans_close,                  \
    .check = hy__spans_check

#endif /* HEAPYARD_TARGETS_REGION_SPANS_H */
