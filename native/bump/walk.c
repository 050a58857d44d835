/*
 * walk.c: what lies where: contains, walk and the counters.
 */
#include "bump/internal.h"

static const char *top_of(const hy__bump *bump, const hy__bump_block *block)
{
    return block == bump->current ? bump->window.next : block->top;
}

static bool lies_in(const void *address, const char *low, const char *high)
{
    return (uintptr_t)address >= (uintptr_t)low && (uintptr_t)address < (uintptr_t)high;
}

bool hy_bump_contains(const hy_bump *handle, const void *address)
{
    const hy__bump *const bump = hy__bump_of_const(handle);
    for (const hy__bump_block *block = bump->current; block != NULL; block = block->previous) {
        if (lies_in(address, block->start, top_of(bump, block))) {
            return true;
        }
    }
    for (const hy__bump_big *big = bump->bigs; big != NULL; big = big->previous) {
        const char *const start = big->span.address;
        if (start != NULL && lies_in(address, start, start + hy__bump_big_used(big))) {
            return true;
        }
    }
    return false;
}

/* ---- sorting the mappings by address: a merge sort of a list, bottom up, in place ---- */

static hy__bump_span *push_span(hy__bump_span *list, hy__bump_span *span)
{
    span->sorted = list;
    return span;
}

static hy__bump_span *list_spans(const hy__bump *bump)
{
    hy__bump_span *list = NULL;
    for (hy__bump_block *block = bump->current; block != NULL; block = block->previous) {
        list = push_span(list, &block->span);
    }
    for (hy__bump_block *block = bump->spare; block != NULL; block = block->previous) {
        list = push_span(list, &block->span);
    }
    for (hy__bump_big *big = bump->bigs; big != NULL; big = big->previous) {
        list = big->span.address != NULL ? push_span(list, &big->span) : list;
    }
    return list;
}

static hy__bump_span *merge(hy__bump_span *a, hy__bump_span *b)
{
    hy__bump_span *merged = NULL;
    hy__bump_span **end = &merged;
    while (a != NULL && b != NULL) {
        hy__bump_span **const lower = (uintptr_t)a->address < (uintptr_t)b->address ? &a : &b;
        *end = *lower;
        end = &(*lower)->sorted;
        *lower = (*lower)->sorted;
    }
    *end = a != NULL ? a : b;
    return merged;
}

/* runs[i] holds a sorted list of 2**i spans, or none: adding one carries as in a binary number. */
static hy__bump_span *sort_spans(hy__bump_span *list)
{
    hy__bump_span *runs[sizeof(size_t) * 8] = {NULL};
    const size_t levels = sizeof runs / sizeof runs[0];
    while (list != NULL) {
        hy__bump_span *run = list;
        list = list->sorted;
        run->sorted = NULL;
        size_t level = 0;
        for (; runs[level] != NULL && level < levels - 1; level++) {
            run = merge(runs[level], run);
            runs[level] = NULL;
        }
        runs[level] = run;
    }
    hy__bump_span *sorted = NULL;
    for (size_t level = 0; level < levels; level++) {
        sorted = merge(runs[level], sorted);
    }
    return sorted;
}

/* ---- the runs of one mapping ---- */

/* Up to three runs, told by their ends: [low, a) [a, b) [b, high). */
typedef struct layout {
    const char *first_end;
    const char *second_end;
    hy_block_state first;
    hy_block_state second;
    hy_block_state third;
} layout;

/* [ live | unused ] */
static layout layout_of_big(const hy__bump_big *big)
{
    const char *const top = big->span.address + hy__bump_big_used(big);
    return (layout){.first_end = big->span.address,
                    .second_end = top,
                    .first = HY_BLOCK_METADATA,
                    .second = HY_BLOCK_LIVE,
                    .third = HY_BLOCK_UNUSED};
}

/* [ header | live | unused ], or [ header | free ] where it is kept for reuse */
static layout layout_of_block(const hy__bump *bump, const hy__bump_block *block)
{
    return (layout){.first_end = block->start,
                    .second_end = block->span.spare ? block->start : top_of(bump, block),
                    .first = HY_BLOCK_METADATA,
                    .second = HY_BLOCK_LIVE,
                    .third = block->span.spare ? HY_BLOCK_FREE : HY_BLOCK_UNUSED};
}

/* A span is the first member of what it describes. */
static layout layout_of(const hy__bump *bump, const hy__bump_span *span)
{
    static_assert(offsetof(hy__bump_big, span) == 0, "a big starts with its span");
    static_assert(offsetof(hy__bump_block, span) == 0, "a block starts with its span");
    const void *const owner = span;
    return span->big ? layout_of_big(owner) : layout_of_block(bump, owner);
}

static int visit_run(hy_walk_fn *visit, void *context, const char *low, const char *high,
                     hy_block_state state, uint32_t index)
{
    const hy_block run = {
        .address = low, .size = (size_t)(high - low), .state = (uint32_t)state, .span = index};
    return run.size != 0 ? visit(context, &run) : 0;
}

static int visit_span(const hy__bump *bump, const hy__bump_span *span, uint32_t index,
                      hy_walk_fn *visit, void *context)
{
    const layout parts = layout_of(bump, span);
    int answer = visit_run(visit, context, span->address, parts.first_end, parts.first, index);
    if (answer == 0) {
        answer = visit_run(visit, context, parts.first_end, parts.second_end, parts.second, index);
    }
    if (answer == 0) {
        answer = visit_run(visit, context, parts.second_end, span->address + span->size,
                           parts.third, index);
    }
    return answer;
}

int hy_bump_walk(hy_bump *handle, hy_walk_fn *visit, void *context)
{
    const hy__bump *const bump = hy__bump_of(handle);
    uint32_t index = 0;
    for (const hy__bump_span *span = sort_spans(list_spans(bump)); span != NULL;
         span = span->sorted) {
        const int answer = visit_span(bump, span, index++, visit, context);
        if (answer != 0) {
            return answer;
        }
    }
    return 0;
}
