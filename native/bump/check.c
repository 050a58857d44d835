/*
 * check.c: the arena's own check of all its invariants.
 */
#include "bump/internal.h"

typedef hy_check_result result;

static result broken(hy_bump_check_code code, const void *address)
{
    return (result){.code = (uint32_t)code, .address = address};
}

static const result sound = {.code = HY_BUMP_CHECK_SOUND, .address = NULL};

static bool is_within_bounds(const hy__bump *bump, const hy__bump_span *span)
{
    const uintptr_t low = (uintptr_t)span->address;
    return low >= bump->lowest && low + span->size <= bump->highest;
}

static bool top_is_valid(const hy__bump_block *block, const char *top)
{
    const char *const end = hy__bump_block_end(block);
    return top >= block->start && top <= end && block->dirty >= block->start &&
           block->dirty <= end && hy__is_aligned(top, HY_BUMP_ALIGNMENT);
}

/* Every block of one chain; adds up their sizes. */
static result check_chain(const hy__bump *bump, const hy__bump_block *block, size_t *mapped)
{
    for (; block != NULL; block = block->previous) {
        if (!hy__bump_block_is_sealed(block)) {
            return broken(HY_BUMP_CHECK_BLOCK_HEADER, block);
        }
        if (!is_within_bounds(bump, &block->span)) {
            return broken(HY_BUMP_CHECK_BOUNDS, block);
        }
        if (block != bump->current && !top_is_valid(block, block->top)) {
            return broken(HY_BUMP_CHECK_BLOCK_TOP, block);
        }
        *mapped += block->span.size;
    }
    return sound;
}

static result check_position(const hy__bump *bump)
{
    const hy__bump_block *const block = bump->current;
    const char *const next = bump->window.next;
    const char *const limit = bump->redzone == 0 ? bump->end : next;
    const bool is_valid = bump->end == hy__bump_block_end(block) && bump->window.limit == limit &&
                          top_is_valid(block, next);
    return is_valid ? sound : broken(HY_BUMP_CHECK_POSITION, next);
}

static result check_bigs(const hy__bump *bump, size_t *mapped)
{
    for (const hy__bump_big *big = bump->bigs; big != NULL; big = big->previous) {
        if (!hy__bump_big_is_sealed(big) || big->requested > big->span.size) {
            return broken(HY_BUMP_CHECK_BIG_RECORD, big);
        }
        if (big->span.address != NULL && !is_within_bounds(bump, &big->span)) {
            return broken(HY_BUMP_CHECK_BOUNDS, big->span.address);
        }
        *mapped += big->span.size;
    }
    return sound;
}

static result check_records(const hy__bump *bump)
{
    for (const hy__bump_cleanup *c = bump->cleanups; c != NULL; c = c->previous) {
        if (!hy__bump_cleanup_is_sealed(c)) {
            return broken(HY_BUMP_CHECK_CLEANUP_RECORD, c);
        }
    }
    for (const hy__bump_mark_record *m = bump->marks; m != NULL; m = m->previous) {
        if (!hy__bump_mark_is_sealed(m)) {
            return broken(HY_BUMP_CHECK_MARK_RECORD, m);
        }
    }
    return sound;
}

static result check_total(const hy__bump *bump, size_t mapped)
{
#if HEAPYARD_COUNTERS
    if (mapped != bump->mapped_bytes) {
        return broken(HY_BUMP_CHECK_TOTAL, bump);
    }
#endif
    (void)bump;
    (void)mapped;
    return sound;
}

hy_check_result hy_bump_check(const hy_bump *handle)
{
    const hy__bump *const bump = hy__bump_of_const(handle);
    size_t mapped = 0;
    result found = check_chain(bump, bump->current, &mapped);
    if (found.code == HY_BUMP_CHECK_SOUND) {
        found = check_chain(bump, bump->spare, &mapped);
    }
    if (found.code == HY_BUMP_CHECK_SOUND) {
        found = check_position(bump);
    }
    if (found.code == HY_BUMP_CHECK_SOUND) {
        found = check_bigs(bump, &mapped);
    }
    if (found.code == HY_BUMP_CHECK_SOUND) {
        found = check_records(bump);
    }
    return found.code == HY_BUMP_CHECK_SOUND ? check_total(bump, mapped) : found;
}

const char *hy_bump_check_text(uint32_t code)
{
    static const char *const texts[] = {
#define HY_BUMP_CHECK_TEXT(name, text) [HY_BUMP_CHECK_##name] = (text),
        HY_BUMP_CHECKS(HY_BUMP_CHECK_TEXT)
#undef HY_BUMP_CHECK_TEXT
    };
    return code < sizeof texts / sizeof texts[0] ? texts[code] : "unknown";
}
