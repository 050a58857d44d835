/*
 * fuzz.h: random plans, drawn as fast as the engine runs them.
 *
 *     request {seed, first, count} --- number ---> swarm ---> ops ---> engine ---> next number
 *
 * Each plan is drawn from seed and number alone, so any of them can be drawn again. What it is made
 * of is drawn first (swarm testing: Groce and others, 2012): which calls there are and how often,
 * sizes, alignments, how many blocks live at a time and which of them is freed. A plan that has no
 * calloc, or one size only, finds what a plan with everything never does.
 *
 * A plan asks only for what every allocator must serve, and what it must refuse, so a violation is
 * the allocator's. No block of one plan lives in the next; the target does.
 */
#ifndef HEAPYARD_TRIAL_FUZZ_H
#define HEAPYARD_TRIAL_FUZZ_H

#include <heapyard/trial.h>

#include "trial/decode.h"
#include "trial/memory.h"

#define HY_FUZZ_MOST_CALLS ((uint32_t)1 << 18)
#define HY_FUZZ_MOST_SLOTS ((uint32_t)1 << 17)

/* A block that the plan knows to be live. */
typedef struct hy_fuzz_block {
    uint32_t slot;
    uint32_t size;
    uint32_t alignment; /* asked for by aligned_alloc; 0: by another call that aligns; 1: by none */
} hy_fuzz_block;

typedef struct hy_fuzzer {
    const hy_trial_fuzz *request;
    hy_plan_op *ops;     /* HY_FUZZ_MOST_CALLS */
    hy_fuzz_block *live; /* HY_FUZZ_MOST_SLOTS; in the order of birth, but for holes filled */
    uint32_t *vacant;    /* slots to use again */
} hy_fuzzer;

/* Whether these bytes are a request. */
bool hy__fuzz_is_request(const void *data, size_t size);

/* False, with the reason: a version, a count or functions that can't be. */
bool hy__fuzz_open(hy_fuzzer *fuzzer, const hy_trial_fuzz *request, hy_memory *memory,
                   hy_reason *reason);

/* Plan `number`, into the fuzzer's own memory. O(calls). */
void hy__fuzz_draw(hy_fuzzer *fuzzer, uint64_t number, hy_plan *plan);

#endif /* HEAPYARD_TRIAL_FUZZ_H */
