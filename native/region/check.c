/*
 * check.c: walk and check of a whole chain.
 */
#include "region/chain.h"
#include "region/mark.h"
#include "region/poison.h"
#include "region/view.h"

/* ---- walk ----------------------------------------------------------------------------------- */

static int show_metadata(const hy__segment *segment, const char *from, const char *to,
                         hy_walk_fn *visit, void *context)
{
    const hy_block block = {.address = from,
                            .size = (size_t)(to - from),
                            .state = HY_BLOCK_METADATA,
                            .span = segment->ordinal};
    return from < to ? visit(context, &block) : 0;
}

static int walk_segment(const hy_region *region, const hy__segment *segment, hy_walk_fn *visit,
                        void *context)
{
    int answer = show_metadata(segment, hy__span_start(segment), hy__address(region, segment, 1),
                               visit, context);
    if (answer == 0) {
        answer = hy__is_list(region) ? hy__list_walk(region, segment, visit, context)
                                     : hy__fast_walk(region, segment, visit, context);
    }
    if (answer == 0) {
        answer = hy__show(region, segment, segment->top, segment->limit, HY_BLOCK_UNUSED, visit,
                          context);
    }
    if (answer == 0) {
        answer = show_metadata(segment, hy__address(region, segment, segment->limit),
                               hy__span_end(segment), visit, context);
    }
    return answer;
}

int hy_region_walk(const hy_region *region, hy_walk_fn *visit, void *context)
{
    const hy__segment *segment = region->first.to;
    int answer = 0;
    hy__enter(region);
    for (; answer == 0 && segment != NULL; segment = segment->next.to) {
        answer = walk_segment(region, segment, visit, context);
    }
    hy__leave(region);
    return answer;
}

/* ---- check ---------------------------------------------------------------------------------- */

static hy_check_result check_unused(const hy_region *region, const hy__segment *segment)
{
    const size_t size = (size_t)(segment->high - segment->top) << region->shift;
    const char *start = hy__address(region, segment, segment->top);
    const char *broken = hy__poisons(region) ? hy__poison_broken(start, size) : NULL;
    return hy__violation(broken != NULL ? HY_REGION_WRITTEN_AFTER_FREE : HY_REGION_SOUND, broken);
}

static hy_check_result check_segment(const hy_region *region, const hy__segment *segment,
                                     hy__tally *tally)
{
    if (segment->limit != hy__segment_limit(region, segment)) {
        return hy__violation(HY_REGION_BAD_HEADER, &segment->limit);
    }
    if (segment->top == 0 || segment->top > segment->limit) {
        return hy__violation(HY_REGION_BAD_HEADER, &segment->top);
    }
    if (segment->high < segment->top || segment->high > segment->limit) {
        return hy__violation(HY_REGION_BAD_HEADER, &segment->high);
    }
    const hy_check_result result = hy__is_list(region) ? hy__list_check(region, segment, tally)
                                                       : hy__fast_check(region, segment, tally);
    return result.code != HY_REGION_SOUND ? result : check_unused(region, segment);
}

/* The seals first: no link is followed before its segment's seal was held against it. */
static hy_check_result check_chain(const hy_region *region)
{
    const hy__segment *last = NULL;
    uint32_t count = 0;
    if (region->seal != hy__region_seal(region)) {
        return hy__violation(HY_REGION_BAD_HEADER, &region->seal);
    }
    for (const hy__segment *at = region->first.to; at != NULL; at = at->next.to, count++) {
        if (at->seal != hy__segment_seal(at) || at->ordinal != count) {
            return hy__violation(HY_REGION_BAD_CHAIN, at);
        }
        last = at;
    }
    if (last != region->last.to || count != region->segments) {
        return hy__violation(HY_REGION_BAD_CHAIN, &region->segments);
    }
    for (const hy__segment *at = region->first.to; at != NULL; at = at->next.to) {
        if (hy__region_find(region, hy__address(region, at, 1)) != at) {
            return hy__violation(HY_REGION_BAD_CHAIN, at);
        }
    }
    const hy__segment *current = region->current.to;
    const void *inside = (const char *)current + region->header;
    return current != NULL && hy__region_find(region, inside) == current
               ? hy__violation(HY_REGION_SOUND, NULL)
               : hy__violation(HY_REGION_BAD_CHAIN, &region->current);
}

/* What was counted along the way is what the walk found. */
static hy_check_result check_counters(const hy_region *region, const hy__tally *tally)
{
#if HEAPYARD_COUNTERS
    const hy_region_counters *const counters = &region->counters;
    const struct {
        const uint64_t *counter;
        uint64_t found;
    } pairs[] = {
        {&counters->free_bytes, tally->free_granules << region->shift},
        {&counters->free_blocks, tally->free_blocks},
        {&counters->live_bytes, tally->live_granules << region->shift},
        {&counters->live_blocks,
         hy__is_list(region) ? counters->allocs - counters->frees : tally->live_blocks},
        {&counters->frees, counters->allocs - counters->live_blocks},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (*pairs[i].counter != pairs[i].found) {
            return hy__violation(HY_REGION_BAD_COUNT, pairs[i].counter);
        }
    }
#endif
    (void)region;
    (void)tally;
    return hy__violation(HY_REGION_SOUND, NULL);
}

hy_check_result hy_region_check(const hy_region *region)
{
    hy__tally tally = {0};
    hy__enter(region);
    hy_check_result result = check_chain(region);
    for (const hy__segment *at = region->first.to; result.code == HY_REGION_SOUND && at != NULL;
         at = at->next.to) {
        result = check_segment(region, at, &tally);
    }
    if (result.code == HY_REGION_SOUND) {
        result = check_counters(region, &tally);
    }
    hy__leave(region);
    return result;
}

const char *hy_region_check_text(uint32_t code)
{
    static const char *const texts[] = {
#define VIOLATION_TEXT(name, text) [HY_REGION_##name] = (text),
        HY_REGION_VIOLATIONS(VIOLATION_TEXT)
#undef VIOLATION_TEXT
    };
    return code < HY_REGION_VIOLATION_COUNT ? texts[code] : "unknown violation";
}
