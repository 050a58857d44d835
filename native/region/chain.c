/*
 * chain.c: spans become segments of a chain; see chain.h.
 */
#include "region/chain.h"

#include "base/assert.h"
#include "base/bits.h"
#include "region/map.h"
#include "region/mark.h"
#include "region/poison.h"

/* ---- seals ---------------------------------------------------------------------------------- */

/* FNV-1a over 32-bit words: any change of one word changes the sum. */
static uint32_t mix(uint32_t sum, uint64_t value)
{
    sum = (sum ^ (uint32_t)value) * UINT32_C(16777619);
    return (sum ^ (uint32_t)(value >> 32)) * UINT32_C(16777619);
}

#define SEAL_START UINT32_C(2166136261)

uint32_t hy__segment_seal(const hy__segment *segment)
{
    uint32_t sum = mix(SEAL_START, segment->next.wide);
    sum = mix(sum, segment->left.wide);
    sum = mix(sum, segment->right.wide);
    sum = mix(sum, segment->span_size);
    sum = mix(sum, segment->before);
    sum = mix(sum, segment->ordinal);
    return mix(sum, segment->limit);
}

uint32_t hy__region_seal(const hy_region *region)
{
    uint32_t sum = mix(SEAL_START, region->engine);
    sum = mix(sum, region->flags);
    sum = mix(sum, region->shift);
    sum = mix(sum, region->watched);
    sum = mix(sum, region->segments);
    sum = mix(sum, region->header);
    sum = mix(sum, region->first.wide);
    sum = mix(sum, region->last.wide);
    return mix(sum, region->root.wide);
}

static void seal_segment(hy__segment *segment)
{
    segment->seal = hy__segment_seal(segment);
}

/* ---- the index ------------------------------------------------------------------------------ */

static uint32_t priority_of(const hy__segment *segment)
{
    uint32_t x = segment->ordinal * UINT32_C(0x9e3779b9);
    x = (x ^ x >> 16) * UINT32_C(0x85ebca6b);
    return x ^ x >> 13;
}

/* The segment with the highest address that is not above `pointer`. */
static hy__segment *floor_of(const hy_region *region, const void *pointer)
{
    hy__segment *found = NULL;
    for (hy__segment *at = region->root.to; at != NULL;) {
        if ((uintptr_t)at <= (uintptr_t)pointer) {
            found = at;
            at = at->right.to;
        } else {
            at = at->left.to;
        }
    }
    return found;
}

static hy__segment *ceiling_of(const hy_region *region, const void *pointer)
{
    hy__segment *found = NULL;
    for (hy__segment *at = region->root.to; at != NULL;) {
        if ((uintptr_t)at > (uintptr_t)pointer) {
            found = at;
            at = at->left.to;
        } else {
            at = at->right.to;
        }
    }
    return found;
}

/* `segment` takes the place of the first node on its path that has a lower priority, and that
 * node's tree is split along the path into what lies left and right of the new one. */
static void insert_into_index(hy_region *region, hy__segment *segment)
{
    hy__link *link = &region->root;
    while (link->to != NULL && priority_of(link->to) >= priority_of(segment)) {
        link = segment < link->to ? &link->to->left : &link->to->right;
    }
    hy__segment *rest = link->to;
    link->to = segment;
    hy__link *left = &segment->left, *right = &segment->right;
    while (rest != NULL) {
        hy__segment *const node = rest;
        if (node < segment) {
            left->to = node;
            left = &node->right;
            rest = node->right.to;
        } else {
            right->to = node;
            right = &node->left;
            rest = node->left.to;
        }
    }
    left->to = NULL;
    right->to = NULL;
}

/* Seals every node on the path to `segment`, and on the two paths along which it split the tree. */
static void seal_paths(hy_region *region, hy__segment *segment)
{
    for (hy__segment *at = region->root.to; at != NULL && at != segment;) {
        seal_segment(at);
        at = segment < at ? at->left.to : at->right.to;
    }
    for (hy__segment *at = segment->left.to; at != NULL; at = at->right.to) {
        seal_segment(at);
    }
    for (hy__segment *at = segment->right.to; at != NULL; at = at->left.to) {
        seal_segment(at);
    }
    seal_segment(segment);
}

hy__segment *hy__region_find(const hy_region *region, const void *pointer)
{
    hy__segment *found = floor_of(region, pointer);
    return found != NULL && hy__holds(region, found, pointer) ? found : NULL;
}

/* [start, end), not empty, shares a byte with some span of the chain. Spans are apart, and each
 * holds its segment: so only the segments next to the last byte, on both sides, need a look. */
static bool overlaps(const hy_region *region, const char *start, const char *end)
{
    const hy__segment *below = floor_of(region, end - 1);
    const hy__segment *above = ceiling_of(region, end - 1);
    return (above != NULL && hy__span_start(above) < end) ||
           (below != NULL && hy__span_end(below) > start);
}

/* ---- segments ------------------------------------------------------------------------------- */

static uint32_t limit_for(const hy_region *region, size_t bytes)
{
    return hy__is_list(region) ? hy__list_limit(region, bytes) : hy__fast_limit(region, bytes);
}

uint32_t hy__segment_limit(const hy_region *region, const hy__segment *segment)
{
    const uint64_t overhead = (uint64_t)segment->before + region->header;
    return segment->span_size <= overhead
               ? 0
               : limit_for(region, (size_t)(segment->span_size - overhead));
}

/* How many bytes of [memory, memory + size) lie before the header that goes there. */
static bool place_header(const char *memory, size_t size, size_t header, size_t *before)
{
    *before = (0 - (uintptr_t)memory) & (HY__SPAN_ALIGNMENT - 1);
    size_t needed;
    return hy__add(*before, header, &needed) && needed < size;
}

/* Appends a segment that begins `before` bytes into the span; false where it is too small. */
static bool append(hy_region *region, char *memory, size_t size, size_t before)
{
    hy__segment *segment = (hy__segment *)(void *)(memory + before);
    const size_t overhead = before + region->header;
    const uint32_t limit = size > overhead ? limit_for(region, size - overhead) : 0;
    if (limit < 2) {
        return false;
    }
    *segment = (hy__segment){.span_size = size,
                             .before = (uint32_t)before,
                             .ordinal = region->segments++,
                             .limit = limit};
    if (hy__is_list(region)) {
        hy__list_make(region, segment);
    } else {
        hy__fast_make(region, segment);
    }
    segment->high = segment->top;
    if (region->last.to != NULL) {
        region->last.to->next.to = segment;
        seal_segment(region->last.to);
    } else {
        region->first.to = segment;
        region->current.to = segment;
    }
    region->last.to = segment;
    insert_into_index(region, segment);
    seal_paths(region, segment);
    region->seal = hy__region_seal(region);
    hy__mark_free(region, hy__address(region, segment, 1), hy__block_bytes(region, segment));
    return true;
}

/* The longest span that one segment can use, header and map included. */
static uint64_t longest_span(const hy_region *region)
{
    const uint64_t blocks = (uint64_t)HY__GRANULES_MAX << region->shift;
    return hy__is_list(region) ? blocks : blocks + (blocks >> 6);
}

/* Appends the rest of a span that is too long for one segment, in equal parts. */
static void append_parts(hy_region *region, char *memory, size_t size, size_t parts)
{
    for (size_t i = 1; i < parts; i++) {
        const size_t start = hy__align_down(size / parts * i, HY__SPAN_ALIGNMENT);
        const size_t end =
            i + 1 == parts ? size : hy__align_down(size / parts * (i + 1), HY__SPAN_ALIGNMENT);
        size_t before;
        const bool placed = place_header(memory + start, end - start, region->header, &before);
        HY_ASSERT_STATE(placed);
        append(region, memory + start, end - start, placed ? before : 0);
    }
}

/* Into how many segments a span is cut. */
static size_t parts_of(const hy_region *region, size_t size)
{
    return (size_t)(((uint64_t)size - 1) / longest_span(region)) + 1;
}

static bool append_span(hy_region *region, char *memory, size_t size, size_t before)
{
    const size_t parts = parts_of(region, size);
    const size_t first = parts == 1 ? size : hy__align_down(size / parts, HY__SPAN_ALIGNMENT);
    if (!append(region, memory, first, before)) {
        return false;
    }
    append_parts(region, memory, size, parts);
    return true;
}

/* ---- public --------------------------------------------------------------------------------- */

static bool read_options(hy_region *region, const hy_region_options *options)
{
    static const hy_region_options defaults = {.engine = HY_REGION_FAST};
    const hy_region_options *given = options != NULL ? options : &defaults;
    const uint32_t granule = given->granule != 0 ? given->granule : 16;
    const bool is_list = given->engine == HY_REGION_LIST;
    const bool granule_is_good = granule == 16 || (is_list && (granule == 4 || granule == 8));
    if (given->engine > HY_REGION_LIST || (given->flags & ~(uint32_t)HY_REGION_POISON) != 0 ||
        !granule_is_good) {
        return false;
    }
    *region = (hy_region){.engine = (uint8_t)given->engine,
                          .flags = (uint8_t)given->flags,
                          .shift = (uint8_t)hy__log2_floor(granule),
                          .watched = hy__is_watched(),
                          .header = is_list ? sizeof(hy__segment) : sizeof(hy__fast)};
    return true;
}

size_t hy_region_minimum(const hy_region_options *options)
{
    hy_region region;
    if (!read_options(&region, options)) {
        return 0;
    }
    size_t size = sizeof(hy_region) + region.header;
    while (limit_for(&region, size - sizeof(hy_region) - region.header) < 2) {
        size += hy__granule(&region);
    }
    return size;
}

hy_region *hy_region_create(void *memory, size_t size, const hy_region_options *options)
{
    hy_region made;
    char *const start = memory;
    size_t before;
    if (memory == NULL || size > UINTPTR_MAX - (uintptr_t)memory || !read_options(&made, options) ||
        !place_header(start, size, sizeof made, &before)) {
        return NULL;
    }
    hy_region *region = (hy_region *)(void *)(start + before);
    if (size - before < hy_region_minimum(options)) {
        return NULL;
    }
    *region = made;
    return append_span(region, start, size, before + sizeof made) ? region : NULL;
}

hy_region_status hy_region_chain(hy_region *region, void *memory, size_t size)
{
    char *const start = memory;
    size_t before;
    if (size > UINTPTR_MAX - (uintptr_t)memory) {
        return HY_REGION_WRAPS;
    }
    if (memory == NULL || !place_header(start, size, region->header, &before)) {
        return HY_REGION_TOO_SMALL;
    }
    if (overlaps(region, start, start + size)) {
        return HY_REGION_OVERLAPS;
    }
    return append_span(region, start, size, before) ? HY_REGION_OK : HY_REGION_TOO_SMALL;
}

static void set_end(hy_region *region, hy__segment *segment, size_t span_size)
{
    hy__segment grown = *segment;
    grown.span_size = span_size;
    const uint32_t limit = hy__segment_limit(region, &grown);
    if (!hy__is_list(region)) {
        hy__mark_used(region, hy__map_at(segment, limit), 16 * (size_t)hy__map_pairs(limit));
        hy__fast_extend(region, segment, limit);
    }
    segment->span_size = span_size;
    segment->limit = limit;
    seal_segment(segment);
    const char *unused = hy__address(region, segment, segment->top);
    hy__mark_free(region, unused, (size_t)(limit - segment->top) << region->shift);
}

hy_region_status hy_region_extend(hy_region *region, void *old_end, void *new_end)
{
    const char *const from = old_end, *const to = new_end;
    hy__segment *segment = floor_of(region, (const void *)((uintptr_t)old_end - 1));
    if (segment == NULL || hy__span_end(segment) != from) {
        return HY_REGION_NO_SUCH_END;
    }
    if ((uintptr_t)to < (uintptr_t)from) {
        return HY_REGION_SHRINKS;
    }
    const size_t size = (size_t)((uintptr_t)to - (uintptr_t)hy__span_start(segment));
    if (size > longest_span(region)) {
        return HY_REGION_TOO_LARGE;
    }
    if (to != from && overlaps(region, from, to)) {
        return HY_REGION_OVERLAPS;
    }
    set_end(region, segment, size);
    return HY_REGION_OK;
}

void hy_region_reset(hy_region *region)
{
    for (hy__segment *segment = region->first.to; segment != NULL; segment = segment->next.to) {
        const size_t used = (size_t)(segment->top - 1) << region->shift;
        hy__poison(region, segment, 1, segment->top - 1);
        hy__mark_free(region, hy__address(region, segment, 1), used);
        if (hy__is_list(region)) {
            hy__list_make(region, segment);
        } else {
            hy__fast_make(region, segment);
        }
    }
    region->current.to = region->first.to;
    HY__COUNT(region->counters.frees += region->counters.live_blocks);
    HY__COUNT(region->counters.live_blocks = 0);
    HY__COUNT(region->counters.live_bytes = 0);
    HY__COUNT(region->counters.free_blocks = 0);
    HY__COUNT(region->counters.free_bytes = 0);
}

void hy_region_destroy(hy_region *region)
{
    if (region == NULL) {
        return;
    }
    for (hy__segment *segment = region->first.to; segment != NULL; segment = segment->next.to) {
        hy__mark_used(region, hy__address(region, segment, 1), hy__block_bytes(region, segment));
    }
}

const char *hy_region_status_text(hy_region_status status)
{
    static const char *const texts[] = {
#define STATUS_TEXT(name, text) [HY_REGION_##name] = (text),
        HY_REGION_STATUSES(STATUS_TEXT)
#undef STATUS_TEXT
    };
    return (unsigned)status < HY_REGION_STATUS_COUNT ? texts[status] : "unknown status";
}
