/*
 * tape_draw.c: the generated plans. What each is stands at hy_trial_bench in <heapyard/trial.h>.
 */
#include "trial/tape.h"

#define CHURN_LEAST ((uint64_t)1 << 18) /* swaps, however few blocks are live */

typedef struct drawing {
    const hy_trial_bench *request;
    hy_tape *tape;
    uint64_t state;
} drawing;

/* splitmix64 (Steele, Lea, Flood 2014): every seed is a good one. */
static uint64_t draw(drawing *from)
{
    uint64_t z = (from->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to count - 1; the bias of at most count / 2^32 is not to be seen. */
static uint32_t draw_below(drawing *from, uint64_t count)
{
    return (uint32_t)(((draw(from) >> 32) * count) >> 32);
}

static uint32_t draw_size(drawing *from)
{
    const hy_trial_bench *const request = from->request;
    return (uint32_t)request->low + draw_below(from, request->high - request->low + 1);
}

static uint32_t live_of(const drawing *from)
{
    return (uint32_t)from->request->live;
}

/* One block in each slot. Their sizes stand in the first ops of the tape from then on. */
static void fill(drawing *from, bool is_timed)
{
    uint64_t live = 0;
    for (uint32_t slot = 0; slot < live_of(from); slot++) {
        live += hy__tape_add(from->tape, HY_TAPE_MALLOC, slot, draw_size(from), 0)->size;
    }
    hy__tape_end_part(from->tape, HY_TAPE_MALLOC, is_timed, true);
    from->tape->live_peak = live;
}

static void add_free(drawing *from, uint32_t slot)
{
    hy__tape_add(from->tape, HY_TAPE_FREE, slot, 0, from->tape->ops[slot].size);
}

static void draw_pairs(drawing *from)
{
    for (uint32_t i = 0; i < live_of(from); i++) {
        const uint32_t size = draw_size(from);
        hy__tape_add(from->tape, HY_TAPE_PAIR, 0, size, size);
    }
    from->tape->live_peak = from->request->high;
    hy__tape_end_part(from->tape, HY_TAPE_PAIR, true, true);
}

static void draw_lifo(drawing *from)
{
    fill(from, true);
    for (uint32_t slot = live_of(from); slot-- > 0;) {
        add_free(from, slot);
    }
    hy__tape_end_part(from->tape, HY_TAPE_FREE, true, false);
}

static void draw_fifo(drawing *from)
{
    fill(from, true);
    for (uint32_t slot = 0; slot < live_of(from); slot++) {
        add_free(from, slot);
    }
    hy__tape_end_part(from->tape, HY_TAPE_FREE, true, false);
}

/* Fisher and Yates, on the ops themselves. */
static void shuffle(drawing *from, hy_tape_op *ops, uint32_t count)
{
    for (uint32_t left = count; left > 1; left--) {
        const uint32_t other = draw_below(from, left);
        const hy_tape_op last = ops[left - 1];
        ops[left - 1] = ops[other];
        ops[other] = last;
    }
}

static void draw_random_free(drawing *from)
{
    fill(from, true);
    hy_tape_op *const frees = &from->tape->ops[from->tape->op_count];
    for (uint32_t slot = 0; slot < live_of(from); slot++) {
        add_free(from, slot);
    }
    shuffle(from, frees, live_of(from));
    hy__tape_end_part(from->tape, HY_TAPE_FREE, true, false);
}

static void swap_blocks(drawing *from, uint32_t *sizes, uint64_t count, bool is_timed)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t slot = draw_below(from, from->request->live);
        const uint32_t size = draw_size(from);
        hy__tape_add(from->tape, HY_TAPE_SWAP, slot, size, sizes[slot]);
        sizes[slot] = size;
    }
    hy__tape_end_part(from->tape, HY_TAPE_SWAP, is_timed, true);
}

static uint64_t swaps_of(const hy_trial_bench *request)
{
    return request->live * 2 > CHURN_LEAST ? request->live * 2 : CHURN_LEAST;
}

static void draw_churn(drawing *from, uint32_t *sizes)
{
    fill(from, false);
    for (uint32_t slot = 0; slot < live_of(from); slot++) {
        sizes[slot] = from->tape->ops[slot].size;
    }
    swap_blocks(from, sizes, from->request->live, false);
    swap_blocks(from, sizes, swaps_of(from->request), true);
    for (uint32_t slot = 0; slot < live_of(from); slot++) {
        hy__tape_add(from->tape, HY_TAPE_FREE, slot, 0, sizes[slot]);
    }
    hy__tape_end_part(from->tape, HY_TAPE_FREE, false, false);
}

bool hy__tape_draw(const hy_trial_bench *request, hy_memory *memory, hy_tape *tape,
                   hy_reason *reason)
{
    drawing from = {.request = request, .tape = tape, .state = request->seed};
    const bool is_churn = request->plan == HY_BENCH_CHURN;
    uint32_t *const sizes = hy__memory_take(memory, request->live * sizeof(uint32_t));
    const uint64_t ops = request->live * 3 + (is_churn ? swaps_of(request) : 0);
    if (sizes == NULL || !hy__tape_open(tape, memory, ops, 8, reason)) {
        hy__reason(reason, HY_CAUSE_MEMORY, "no memory for %llu live blocks",
                   (unsigned long long)request->live);
        return false;
    }
    tape->slots = live_of(&from);
    switch (request->plan) {
    case HY_BENCH_PAIRS:
        draw_pairs(&from);
        break;
    case HY_BENCH_LIFO:
        draw_lifo(&from);
        break;
    case HY_BENCH_FIFO:
        draw_fifo(&from);
        break;
    case HY_BENCH_RANDOM_FREE:
        draw_random_free(&from);
        break;
    default:
        draw_churn(&from, sizes);
        break;
    }
    return true;
}
