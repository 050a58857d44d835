/*
 * list_view.c: walk and check of the list engine. What lies between free blocks is live.
 */
#include "region/list.h"
#include "region/poison.h"
#include "region/view.h"

int hy__list_walk(const hy_region *region, const hy__segment *segment, hy_walk_fn *visit,
                  void *context)
{
    uint32_t at = 1;
    int answer = 0;
    for (uint32_t next = segment->free; answer == 0 && at < segment->top;) {
        const uint32_t live_end = next != 0 ? next : segment->top;
        answer = hy__show(region, segment, at, live_end, HY_BLOCK_LIVE, visit, context);
        at = live_end;
        if (answer == 0 && next != 0) {
            at = next + hy__run_size(region, segment, next);
            answer = hy__show(region, segment, next, at, HY_BLOCK_FREE, visit, context);
            next = hy__run_next(region, segment, next);
        }
    }
    return answer;
}

static hy_check_result check_run(const hy_region *region, const hy__segment *segment,
                                 uint32_t number, uint32_t size, uint32_t next)
{
    const char *address = hy__address(region, segment, number);
    if (next != 0 && (next <= number || next >= segment->top)) {
        return hy__violation(HY_REGION_BAD_LINK, address);
    }
    const uint32_t room = (next != 0 ? next : segment->top) - number;
    if (size == 0 || size > room) {
        return hy__violation(HY_REGION_BAD_SIZE, address + (size == 1 ? 0 : 4));
    }
    if (size == room) {
        return hy__violation(HY_REGION_TOUCHING, address);
    }
    const size_t header = hy__run_header(size);
    const size_t rest = ((size_t)size << region->shift) - header;
    const char *broken = hy__poisons(region) ? hy__poison_broken(address + header, rest) : NULL;
    return hy__violation(broken != NULL ? HY_REGION_WRITTEN_AFTER_FREE : HY_REGION_SOUND, broken);
}

hy_check_result hy__list_check(const hy_region *region, const hy__segment *segment,
                               hy__tally *tally)
{
    uint32_t free_granules = 0, next;
    if (segment->free >= segment->top) {
        return hy__violation(HY_REGION_BAD_LINK, &segment->free);
    }
    for (uint32_t at = segment->free; at != 0; at = next) {
        const uint32_t size = hy__run_size(region, segment, at);
        next = hy__run_next(region, segment, at);
        const hy_check_result result = check_run(region, segment, at, size, next);
        if (result.code != HY_REGION_SOUND) {
            return result;
        }
        free_granules += size;
        tally->free_blocks++;
    }
    tally->free_granules += free_granules;
    tally->live_granules += segment->top - 1 - free_granules;
    return hy__violation(HY_REGION_SOUND, NULL);
}
