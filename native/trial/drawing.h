/*
 * drawing.h: one random plan while it is drawn: its calls so far, and the blocks that live.
 *
 *     swarm ---- what to do next ----> op ---> held { blocks, empty slots }
 *
 * Where a plan has threads (fuzz_threads.c) each of them holds blocks of its own; `held` are then those
 * of the thread whose calls are drawn.
 */
#ifndef HEAPYARD_TRIAL_DRAWING_H
#define HEAPYARD_TRIAL_DRAWING_H

#include "trial/functions.h"
#include "trial/fuzz.h"
#include "trial/swarm.h"

#define HY_FUZZ_PROMISED 65535u /* C17 5.2.4.1: larger requests may be refused */
#define HY_FUZZ_LARGEST  ((uint32_t)2 << 20)

/* The operands of every drawn plan: counts, alignments (8 << n), and what can't be. */
enum {
    HY_FUZZ_COUNTS = 8,
    HY_FUZZ_SHIFTS = 18,
    HY_FUZZ_ODD = HY_FUZZ_COUNTS + HY_FUZZ_SHIFTS,
    HY_FUZZ_TOO_MANY,
    HY_FUZZ_OPERANDS
};

extern const uint64_t hy__fuzz_operands[HY_FUZZ_OPERANDS];

/* The live blocks of one thread, and slots that it can use again. */
typedef struct hy_held {
    hy_fuzz_block *blocks; /* in the order of birth, but for holes filled */
    uint32_t *empty;
    uint32_t live;
    uint32_t vacant;
} hy_held;

typedef struct hy_drawing {
    hy_fuzzer *fuzzer;
    hy_swarm swarm;
    uint64_t state; /* of the numbers drawn */
    uint64_t bytes; /* asked for so far */
    uint32_t count; /* of ops */
    uint32_t slots;
    uint32_t limit; /* of live blocks, for now */
    bool is_shared; /* other threads' blocks are there: no call about all of them */
    hy_held held;
} hy_drawing;

static inline bool hy__can(const hy_drawing *from, hy_function function)
{
    return ((from->fuzzer->request->functions >> function) & 1u) != 0;
}

static inline hy_plan_op *hy__add(hy_drawing *from, uint8_t op, uint32_t slot, uint64_t size)
{
    hy_plan_op *const added = &from->fuzzer->ops[from->count++];
    *added = (hy_plan_op){.op = op, .arg = HY_PLAN_NO_ARG, .slot = slot, .size = size};
    return added;
}

/* A slot for a new block, which is live from now on. */
static inline uint32_t hy__claim(hy_drawing *from, uint32_t size, uint32_t alignment)
{
    const uint32_t slot =
        from->held.vacant > 0 ? from->held.empty[--from->held.vacant] : from->slots++;
    from->held.blocks[from->held.live++] =
        (hy_fuzz_block){.slot = slot, .size = size, .alignment = alignment};
    from->bytes += size;
    return slot;
}

static inline uint8_t hy__expect_of(uint32_t size)
{
    return size == 0 || size > HY_FUZZ_PROMISED ? HY_EXPECT_EITHER : HY_EXPECT_SUCCESS;
}

/* The block that the plan's habit picks. */
static inline uint32_t hy__pick_block(hy_drawing *from, uint64_t drawn)
{
    hy_pick how = from->swarm.pick;
    if (how == HY_PICK_MIXED) {
        how = (hy_pick)(drawn % 3);
    }
    if (how == HY_PICK_ANY) {
        return hy__draw_below(drawn, from->held.live);
    }
    return how == HY_PICK_NEWEST ? from->held.live - 1 : 0;
}

/* fuzz_calls.c: one call more, whatever the swarm draws, or this one if it can be made. */
void hy__draw_any(hy_drawing *from);
void hy__draw_act(hy_drawing *from, hy_act act);

/* Frees one block; there is one. */
void hy__draw_free(hy_drawing *from);

/* Which of the calls that align: one that there is. */
uint8_t hy__draw_aligned_call(const hy_drawing *from, uint64_t drawn);
bool hy__can_align(const hy_drawing *from);

/* fuzz_refused.c: a call that can't be served. */
void hy__draw_refused(hy_drawing *from);

/* fuzz_threads.c: the whole plan, for two threads to `most`. */
void hy__draw_threads(hy_drawing *from, uint32_t most);

#endif /* HEAPYARD_TRIAL_DRAWING_H */
