/*
 * fast_view.c: walk and check of the fast engine.
 *
 * The check goes through the blocks by address and builds, pair by pair, the map that they must
 * have; so each bit of the map that is wrong is found, whatever it means. Each free block is then
 * looked for in its bin by its size, and each bin's first block is held against the map.
 */
#include "region/bins.h"
#include "region/poison.h"
#include "region/view.h"

static const hy__fast *fast_of(const hy__segment *segment)
{
    return (const hy__fast *)(const void *)segment;
}

int hy__fast_walk(const hy_region *region, const hy__segment *segment, hy_walk_fn *visit,
                  void *context)
{
    const hy__fast *fast = fast_of(segment);
    const hy__map *map = hy__map_of(fast);
    uint32_t size;
    for (uint32_t at = 1; at < segment->top; at += size) {
        const bool is_free = hy__is_free(map, at);
        const hy_block_state state = is_free ? HY_BLOCK_FREE : HY_BLOCK_LIVE;
        size = is_free ? hy__get(fast, at, HY__SIZE) : hy__live_size(map, at);
        const int answer = hy__show(region, segment, at, at + size, state, visit, context);
        if (answer != 0) {
            return answer;
        }
    }
    return 0;
}

/* ---- the map that must be ------------------------------------------------------------------- */

/* One pair of the map at a time, and the first that is not as it must be. */
typedef struct expected {
    const hy__map *map;
    uint32_t index; /* of the pair that is being built */
    hy__map pair;
    const void *wrong;
} expected;

static void compare_until(expected *want, uint32_t index)
{
    for (; want->index < index; want->index++) {
        const hy__map *seen = &want->map[want->index];
        if (want->wrong == NULL && seen->starts != want->pair.starts) {
            want->wrong = &seen->starts;
        }
        if (want->wrong == NULL && seen->frees != want->pair.frees) {
            want->wrong = &seen->frees;
        }
        want->pair = (hy__map){0, 0};
    }
}

static void expect_start(expected *want, uint32_t number)
{
    compare_until(want, number >> 6);
    want->pair.starts |= hy__bit(number);
}

static void expect_free(expected *want, uint32_t number)
{
    compare_until(want, number >> 6);
    want->pair.frees |= hy__bit(number);
}

static void expect_block(expected *want, uint32_t number, uint32_t size, bool is_free)
{
    expect_start(want, number);
    if (is_free) {
        expect_free(want, number);
        expect_free(want, number + size - 1);
        return;
    }
    for (uint32_t i = 0; size > HY__SCANNED_MAX && i < 32; i++) {
        if ((size >> i & 1) != 0) {
            expect_free(want, number + 1 + i);
        }
    }
}

/* ---- one free block ------------------------------------------------------------------------- */

static hy_check_result check_free_block(const hy_region *region, const hy__fast *fast,
                                        uint32_t number)
{
    const char *address = hy__fast_address(fast, number);
    const uint32_t size = hy__get(fast, number, HY__SIZE);
    const uint32_t room = fast->segment.top - number;
    if (size == 0 || size > room) {
        return hy__violation(HY_REGION_BAD_SIZE, address + HY__SIZE);
    }
    if (size == room) {
        return hy__violation(HY_REGION_TOUCHING, address);
    }
    if (hy__size_before(fast, number + size) != size) {
        return hy__violation(HY_REGION_BAD_SIZE, hy__fast_address(fast, number + size) - 4);
    }
    if (!hy__bins_is_sound(fast, number)) {
        return hy__violation(HY_REGION_BAD_LINK, address);
    }
    if (!hy__bins_is_filed(fast, number)) {
        return hy__violation(HY_REGION_BAD_BIN, address);
    }
    const size_t header = size < HY__SMALL_BINS ? HY__SMALL_HEADER : HY__TREE_HEADER;
    const size_t rest = ((size_t)size << 4) - header - 4;
    const char *broken = hy__poisons(region) ? hy__poison_broken(address + header, rest) : NULL;
    return hy__violation(broken != NULL ? HY_REGION_WRITTEN_AFTER_FREE : HY_REGION_SOUND, broken);
}

/* ---- all blocks ----------------------------------------------------------------------------- */

/* What the walk has seen. */
typedef struct seen {
    expected want;
    hy__tally tally;
    bool last_was_free;
} seen;

static hy_check_result check_block(const hy_region *region, const hy__fast *fast, uint32_t number,
                                   uint32_t *size, seen *so_far)
{
    const hy__map *map = hy__map_of(fast);
    const bool is_free = hy__is_free(map, number);
    if (is_free) {
        const hy_check_result result = check_free_block(region, fast, number);
        if (result.code != HY_REGION_SOUND) {
            return result;
        }
        if (so_far->last_was_free) {
            return hy__violation(HY_REGION_TOUCHING, hy__fast_address(fast, number));
        }
    }
    *size = is_free ? hy__get(fast, number, HY__SIZE) : hy__live_size(map, number);
    if (*size - 1 >= fast->segment.top - number) {
        return hy__violation(HY_REGION_BAD_STATE, &map[number >> 6]);
    }
    expect_block(&so_far->want, number, *size, is_free);
    so_far->last_was_free = is_free;
    so_far->tally.free_blocks += is_free;
    so_far->tally.live_blocks += !is_free;
    so_far->tally.free_granules += is_free ? *size : 0;
    so_far->tally.live_granules += is_free ? 0 : *size;
    return hy__violation(HY_REGION_SOUND, NULL);
}

static hy_check_result check_blocks(const hy_region *region, const hy__fast *fast, seen *so_far)
{
    uint32_t size;
    for (uint32_t at = 1; at < fast->segment.top; at += size) {
        const hy_check_result result = check_block(region, fast, at, &size, so_far);
        if (result.code != HY_REGION_SOUND) {
            return result;
        }
    }
    expect_start(&so_far->want, fast->segment.top);
    compare_until(&so_far->want, fast->map_words);
    return hy__violation(so_far->want.wrong != NULL ? HY_REGION_BAD_STATE : HY_REGION_SOUND,
                         so_far->want.wrong);
}

hy_check_result hy__fast_check(const hy_region *region, const hy__segment *segment,
                               hy__tally *tally)
{
    const hy__fast *fast = fast_of(segment);
    seen so_far = {.want = {.map = hy__map_of(fast)}};
    if (fast->map_words < (segment->top >> 6) + 2 ||
        fast->map_words > hy__map_pairs(segment->limit)) {
        return hy__violation(HY_REGION_BAD_HEADER, &fast->map_words);
    }
    hy_check_result result = check_blocks(region, fast, &so_far);
    if (result.code != HY_REGION_SOUND) {
        return result;
    }
    const void *bad_bin = hy__bins_find_bad(fast);
    if (bad_bin != NULL) {
        return hy__violation(HY_REGION_BAD_BIN, bad_bin);
    }
    if (so_far.tally.live_blocks != fast->live_blocks) {
        return hy__violation(HY_REGION_BAD_COUNT, &fast->live_blocks);
    }
    tally->free_blocks += so_far.tally.free_blocks;
    tally->live_blocks += so_far.tally.live_blocks;
    tally->free_granules += so_far.tally.free_granules;
    tally->live_granules += so_far.tally.live_granules;
    return result;
}
